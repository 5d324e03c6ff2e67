// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import Support

/// Stands between a client and a server on loopback, passes on what both say, and can be cut or frozen.
@LoopActor
final class Relay {
  let port: UInt16
  /// While this holds, nothing is passed on and nobody is told.
  var isFrozen = false {
    didSet { if !isFrozen { for side in sides { pass(from: side.key) } } }
  }
  /// How many bytes were passed on.
  private(set) var passed = 0
  /// Cut once so many bytes were passed on.
  var cutAfter = Int.max
  private let upstream: UInt16
  private let listener: Int32
  private var sides: [Int32: Int32] = [:]

  init(to upstream: UInt16) {
    self.upstream = upstream
    (listener, port) = listenOnLoopback(waiting: 8)
    EventLoop.shared.watch(listener, for: .read) { [weak self] _ in self?.accept() }
  }

  isolated deinit {
    EventLoop.shared.unwatch(listener)
    close(listener)
    cut()
  }

  /// Ends all connections.
  func cut() {
    for side in Array(sides.keys) { end(side) }
  }

  private func end(_ side: Int32) {
    sides[side] = nil
    EventLoop.shared.unwatch(side)
    shutdown(side, Int32(SHUT_RDWR))
    close(side)
  }

  private func accept() {
    let client = Glibc.accept(listener, nil, nil)
    guard client >= 0 else { return }
    _ = fcntl(client, F_SETFD, FD_CLOEXEC)
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = upstream.bigEndian
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      close(server)
      close(client)
      return
    }
    sides[client] = server
    sides[server] = client
    for side in [client, server] {
      EventLoop.shared.watch(side, for: .read) { [weak self] _ in self?.pass(from: side) }
    }
  }

  private func pass(from side: Int32) {
    guard let other = sides[side] else { return }
    guard !isFrozen else { return EventLoop.shared.unwatch(side) }
    EventLoop.shared.watch(side, for: .read) { [weak self] _ in self?.pass(from: side) }
    var bytes = [UInt8](repeating: 0, count: 16384)
    let count = recv(side, &bytes, min(bytes.count, max(cutAfter - passed, 1)), Int32(MSG_DONTWAIT))
    if count < 0, errno == EAGAIN { return }
    // What one side says is little: it is all taken at once.
    guard count > 0, send(other, bytes, count, Int32(MSG_NOSIGNAL)) == count else {
      end(side)
      // The end of an earlier connection may be heard of when there is another.
      return end(other)
    }
    passed += count
    if passed >= cutAfter {
      cutAfter = .max
      cut()
    }
  }
}

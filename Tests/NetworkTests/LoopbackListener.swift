// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc

/// A port of loopback that somebody listens on, or nobody, or somebody who takes no connection.
@LoopActor
final class LoopbackListener {
  enum Manner { case takes, refuses, swallows }

  let port: UInt16
  /// How many connections came.
  private(set) var connections = 0
  private var descriptor: Int32
  private var filler: Int32 = -1
  private var clients: [Int32] = []

  init(_ manner: Manner = .takes) {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (descriptor, filler) = (
      descriptor, socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    )
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        _ = bind(descriptor, address, size)
        // A port that is bound and not listened on refuses, and nobody else gets it.
        if manner != .refuses { _ = listen(descriptor, manner == .swallows ? 0 : 16) }
        _ = getsockname(descriptor, address, &size)
        // One connection fills the queue of a listener that never accepts.
        if manner == .swallows { _ = connect(filler, address, size) }
      }
    }
    self.filler = filler
    port = UInt16(bigEndian: address.sin_port)
    guard manner == .takes else { return }
    EventLoop.shared.watch(descriptor, for: .read) { [weak self] _ in self?.accept() }
  }

  private func accept() {
    let client = Glibc.accept(descriptor, nil, nil)
    guard client >= 0 else { return }
    _ = fcntl(client, F_SETFD, FD_CLOEXEC)
    clients.append(client)
    connections += 1
  }

  isolated deinit {
    EventLoop.shared.unwatch(descriptor)
    for descriptor in clients + [filler, descriptor] {
      shutdown(descriptor, Int32(SHUT_RDWR))
      close(descriptor)
    }
  }
}

/// Two ends of a connection that carries datagrams.
func datagramPair() -> [Int32] {
  var ends: [Int32] = [-1, -1]
  let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
  _ = socketpair(AF_UNIX, type, 0, &ends)
  return ends
}

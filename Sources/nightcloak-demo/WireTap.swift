// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc
internal import XML

/// A relay on loopback between the daemon and the server, for one account, which reads along.
@LoopActor
final class WireTap {
  /// Where the daemon is to connect to.
  let port: UInt16
  private let account: String
  private let server: UInt16
  private let wire: Wire
  private let listener: Int32

  /// Listens on a free port of loopback, and passes everything on to port `server`.
  /// - Throws: ``DemoFailure`` when there is none.
  init(of account: String, server: UInt16, _ wire: Wire) throws {
    let listener = Self.socket()
    var address = Self.loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, length) == 0 && listen(listener, 8) == 0
          && getsockname(listener, address, &length) == 0
      }
    }
    guard isListening else { throw DemoFailure("no free port on loopback: \(String(cString: strerror(errno)))") }
    port = UInt16(bigEndian: address.sin_port)
    (self.account, self.server, self.wire, self.listener) = (account, server, wire, listener)
    EventLoop.shared.watch(listener, for: .read) { [weak self] _ in self?.accept() }
  }

  private func accept() {
    let client = Glibc.accept(listener, nil, nil)
    guard client >= 0 else { return }
    _ = fcntl(client, F_SETFD, FD_CLOEXEC)
    let upstream = Self.socket()
    var address = Self.loopback(server)
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(upstream, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else {
      close(client)
      close(upstream)
      return
    }
    pass(from: client, to: upstream, isOutgoing: true)
    pass(from: upstream, to: client, isOutgoing: false)
  }

  /// Blocking writes are fine here: both ends are on this machine, and read. The two sockets stay open until the demo
  /// ends, a moment after the stream has.
  private func pass(from source: Int32, to sink: Int32, isOutgoing: Bool) {
    var parser = StreamParser()
    var buffer = [UInt8](repeating: 0, count: 65536)
    EventLoop.shared.watch(source, for: .read) { [account, wire] _ in
      let count = read(source, &buffer, buffer.count)
      guard count > 0 else {
        EventLoop.shared.unwatch(source)
        shutdown(sink, Int32(SHUT_WR))
        return
      }
      let bytes = Array(buffer.prefix(count))
      Self.writeAll(bytes, to: sink)
      // The stream begins anew after logging in. Each side waits for the other then, so a header never comes in the
      // middle of what is read at once.
      if bytes.starts(with: Array("<?xml".utf8)) || bytes.starts(with: Array("<stream:stream".utf8)) {
        parser = StreamParser()
      }
      for case .stanza(let stanza) in parser.feed(bytes) {
        wire.passed(account, isOutgoing: isOutgoing, stanza)
      }
    }
  }

  private static func writeAll(_ bytes: [UInt8], to sink: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(sink, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  private static func socket() -> Int32 {
    Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }
}

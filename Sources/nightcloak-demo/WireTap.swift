// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc

/// Stands between a daemon and its server and writes down each presence stanza that passes, so that the story can
/// show the wire itself. The demo's streams are not encrypted for this one reason; they never leave loopback.
@LoopActor
final class WireTap {
  /// A stanza that passed.
  struct Passed: Equatable {
    /// Which connection, in the order in which they were made.
    let connection: Int
    /// Whether it left the daemon.
    let isOutgoing: Bool
    let text: String
  }

  private(set) var passed: [Passed] = []
  let port: UInt16
  private let listener: Int32
  private let server: UInt16
  private var connections = 0
  private var waiters:
    [(matches: (Passed) -> Bool, continuation: CheckedContinuation<Passed?, Never>, timer: TimerToken)] = []

  /// Listens on a free port of loopback, and passes everything on to `server`.
  init(server: UInt16) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = Self.loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, length) == 0 && listen(listener, 8) == 0
          && getsockname(listener, address, &length) == 0
      }
    }
    guard isListening else { throw DemoFailure("no free port on loopback") }
    self.server = server
    self.listener = listener
    port = UInt16(bigEndian: address.sin_port)
    EventLoop.shared.watch(listener, for: .read) { [weak self] _ in self?.accept() }
  }

  /// Waits until a stanza passes that matches, or has passed since `mark`.
  func first(since mark: Int, within limit: Duration, where matches: @escaping (Passed) -> Bool) async -> Passed? {
    if let found = passed.dropFirst(mark).first(where: matches) { return found }
    return await withCheckedContinuation { continuation in
      let index = TimerBox()
      let timer = EventLoop.shared.time.schedule(after: limit) { [self] in
        guard let position = waiters.firstIndex(where: { $0.timer == index.token }) else { return }
        waiters.remove(at: position).continuation.resume(returning: nil)
      }
      index.token = timer
      waiters.append((matches, continuation, timer))
    }
  }

  private final class TimerBox { var token: TimerToken? }

  private func accept() {
    let client = Glibc.accept(listener, nil, nil)
    guard client >= 0 else { return }
    _ = fcntl(client, F_SETFD, FD_CLOEXEC)
    let upstream = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = Self.loopback(server)
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(upstream, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard connected else {
      close(client)
      close(upstream)
      return
    }
    connections += 1
    pass(from: client, to: upstream, connections, isOutgoing: true)
    pass(from: upstream, to: client, connections, isOutgoing: false)
  }

  /// Blocking writes are fine here: both ends are on this machine and read at once.
  private func pass(from source: Int32, to sink: Int32, _ connection: Int, isOutgoing: Bool) {
    var rest = ""
    EventLoop.shared.watch(source, for: .read) { [weak self] _ in
      var buffer = [UInt8](repeating: 0, count: 65536)
      let count = read(source, &buffer, buffer.count)
      guard count > 0 else {
        EventLoop.shared.unwatch(source)
        shutdown(sink, Int32(SHUT_WR))
        return
      }
      _ = send(sink, buffer, count, Int32(MSG_NOSIGNAL))
      rest += String(decoding: buffer.prefix(count), as: UTF8.self)
      for text in Self.takePresences(from: &rest) {
        self?.note(Passed(connection: connection, isOutgoing: isOutgoing, text: text))
      }
    }
  }

  private func note(_ stanza: Passed) {
    passed.append(stanza)
    for waiter in waiters.filter({ $0.matches(stanza) }) {
      EventLoop.shared.time.cancel(waiter.timer)
      waiter.continuation.resume(returning: stanza)
    }
    waiters.removeAll { $0.matches(stanza) }
  }

  /// Cuts the presence stanzas out of a stretch of a stream, leaving what may be the beginning of the next.
  static func takePresences(from text: inout String) -> [String] {
    var found: [String] = []
    while let start = text.firstRange(of: "<presence") {
      let stanza = text[start.lowerBound...]
      guard let tagEnd = stanza.firstIndex(of: ">") else { break }
      let isEmpty = stanza[..<tagEnd].hasSuffix("/")
      let end = isEmpty ? stanza.index(after: tagEnd) : stanza.firstRange(of: "</presence>")?.upperBound
      guard let end else { break }
      found.append(String(stanza[..<end]))
      text = String(text[end...])
    }
    if !text.contains("<presence") { text = String(text.suffix(9)) }
    return found
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc

/// A client that is hardly one: a blocking socket in the clear, on loopback, that looks for words in what comes.
final class RawClient: Sendable {
  let jid: String
  private let socket: Int32

  private init(_ jid: String, _ socket: Int32) {
    self.jid = jid
    self.socket = socket
  }

  deinit { close(socket) }

  /// Ends what waits on it, too.
  func shutDown() { shutdown(socket, Int32(SHUT_RDWR)) }

  // MARK: Logging in

  static func logIn(_ account: String, _ server: Server) async throws -> RawClient {
    guard let client = await offLoop({ open(account, server) }) else {
      throw BenchFailure("\(account)@localhost could not log in to the server with a bare socket")
    }
    return client
  }

  private static func open(_ account: String, _ server: Server) -> RawClient? {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    let client = RawClient("\(account)@localhost/bench", socket)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = server.port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    var yes: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    var patience = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    let header = """
      <?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' \
      xmlns:stream='http://etherx.jabber.org/streams'>
      """
    let secret = base64("\0\(account)\0\(Server.password)")
    guard isConnected, client.exchange(header, until: "</stream:features>"),
      client.exchange(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\(secret)</auth>", until: "<success"),
      client.exchange(header, until: "</stream:features>"),
      client.exchange(
        "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>bench</resource></bind></iq>",
        until: "</jid>"),
      client.exchange("<presence/><iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>", until: "id='p'")
    else { return nil }
    return client
  }

  private static func base64(_ text: String) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var result = ""
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
      for index in 0..<4 {
        result.append(index <= group.count ? letters[bits >> (18 - 6 * index) & 63] : "=")
      }
    }
    return result
  }

  // MARK: Decloaking

  private static let request = "urn:xmpp:decloak:0"
  private static let pauseMilliseconds: Int32 = 10

  /// Asks `jid` and waits until it shows itself; then leaves, so that the next request is a new one, and lets a
  /// moment pass until everybody is done with it.
  /// - Returns: how long it took, in seconds; `nil` when nothing came.
  func decloak(_ jid: String) -> Double? {
    let start = monotonicSeconds()
    guard write("<presence to='\(jid)'><decloak xmlns='\(Self.request)' reason='text'/></presence>"),
      read(until: ["xmlns='http://jabber.org/protocol/caps'"]) != nil
    else { return nil }
    let time = monotonicSeconds() - start
    guard write("<presence to='\(jid)' type='unavailable'/>") else { return nil }
    poll(nil, 0, Self.pauseMilliseconds)
    return time
  }

  /// Waits for a request and shows itself to `jid` at once, or for its end, and says goodbye: what the daemon does.
  /// - Returns: false when the connection has ended.
  func answerDecloak(of jid: String) -> Bool {
    guard let found = read(until: [Self.request, "type='unavailable'"], patiently: true) else { return false }
    guard found == Self.request else { return write("<presence to='\(jid)' type='unavailable'/>") }
    return write(
      """
      <presence to='\(jid)'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.org/' \
      ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/></presence>
      """)
  }

  private func exchange(_ text: String, until word: String) -> Bool { write(text) && read(until: [word]) != nil }

  private func write(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }

  /// Reads until one of `words` has come; what comes after it in the same piece is dropped.
  /// - Returns: the word; `nil` when the connection has ended.
  private func read(until words: [String], patiently: Bool = false) -> String? {
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
      if let word = words.first(where: { text.contains($0) }) { return word }
      let count = recv(socket, &buffer, buffer.count, 0)
      if count < 0, errno == EINTR || (patiently && errno == EAGAIN) { continue }
      guard count > 0 else { return nil }
      // The server holds small packets back until the last one was acknowledged (Nagle), and the kernel takes 40 ms
      // for that unless it is asked: without this the bench would measure those and nothing else.
      var yes: Int32 = 1
      setsockopt(socket, Int32(IPPROTO_TCP), TCP_QUICKACK, &yes, socklen_t(MemoryLayout<Int32>.size))
      // A short tail is enough to find a word that is split between two pieces.
      text = String(text.suffix(64)) + String(decoding: buffer.prefix(count), as: UTF8.self)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import EventLoop
internal import Glibc

/// A component that speaks for ever so many strangers (XEP-0114): a blocking socket, on loopback.
final class FloodSource: Sendable {
  private static let domain = "sip.localhost"
  private static let secret = "gateway"
  private static let element = "<decloak xmlns='urn:xmpp:decloak:0' reason='text'/>"

  private let socket: Int32

  private init(_ socket: Int32) { self.socket = socket }

  deinit { close(socket) }

  static func logIn(_ server: Server) async throws -> FloodSource {
    guard let source = await offLoop({ open(server.componentPort) }) else {
      throw BenchFailure("a component could not log in to the server")
    }
    return source
  }

  private static func open(_ port: UInt16) -> FloodSource? {
    let source = FloodSource(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(source.socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    var patience = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(source.socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    let header = """
      <?xml version='1.0'?><stream:stream to='\(domain)' xmlns='jabber:component:accept' \
      xmlns:stream='http://etherx.jabber.org/streams'>
      """
    guard isConnected, source.write(header), let answer = source.read(until: "id='", and: ">"),
      let id = answer.split(separator: "id='", maxSplits: 1).last?.split(separator: "'").first,
      source.write("<handshake>\(Hex.encode(Digest.sha1(Array((id + secret).utf8))))</handshake>"),
      source.read(until: "<handshake", and: ">") != nil
    else { return nil }
    return source
  }

  /// Lets strangers ask `jid`, each in turn, evenly over a time.
  /// - Parameters:
  ///   - requests: how many requests there are.
  ///   - people: how many ask.
  ///   - domains: how many domains they are of.
  ///   - seconds: how long that takes at least.
  ///   - leaving: whether each takes back what it asked at once.
  /// - Returns: how long it took until all had been dealt with, in seconds; `nil` when the connection has ended.
  func flood(
    _ jid: String, requests: Int, people: Int, domains: Int, seconds: Double, leaving: Bool
  ) async -> Double? {
    await offLoop { [self] in
      let start = monotonicSeconds()
      let batch = 50
      for first in stride(from: 0, to: requests, by: batch) {
        var text = ""
        for number in first..<min(first + batch, requests) {
          let from = "u\(number % people)@d\(number % people % domains).example/r"
          text += "<presence from='\(from)' to='\(jid)'>\(Self.element)</presence>"
          if leaving { text += "<presence from='\(from)' to='\(jid)' type='unavailable'/>" }
        }
        guard write(text) else { return nil }
        let due = start + seconds * Double(first + batch) / Double(requests)
        poll(nil, 0, Int32(max(0, (due - monotonicSeconds()) * 1000)))
      }
      // The account is nobody's to ask, and says so, behind all that came before.
      guard
        write("<iq type='get' id='end' from='\(Self.domain)' to='\(jid)'><q xmlns='urn:nightcloak:bench'/></iq>"),
        read(until: "id='end'", and: ">") != nil
      else { return nil }
      return monotonicSeconds() - start
    }
  }

  private func write(_ text: String) -> Bool { sendAll(text, to: socket) }

  private func read(until word: String, and end: String) -> String? {
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      if let found = text.firstRange(of: word), text[found.upperBound...].contains(end) { return text }
      let count = recv(socket, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      text = String(text.suffix(4096)) + String(decoding: buffer.prefix(count), as: UTF8.self)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc

/// The server's end of a component's stream (XEP-0114), and all who ask through it: with a real server between, that would be
/// what is measured. It lets in whoever comes.
final class ComponentServer: Sendable {
  static let domain = "sip.localhost"
  private static let element = "<decloak xmlns='urn:xmpp:decloak:0' reason='media'/>"
  private static let domains = 1000
  /// Seconds without any answer after which there will be none.
  private static let patience = 30.0

  /// Where the component is to connect to.
  let port: UInt16
  private let listener: Int32

  /// Listens on a free port of loopback.
  init() throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { [listener] pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, length) == 0 && listen(listener, 1) == 0
          && getsockname(listener, address, &length) == 0
      }
    }
    guard isListening else { throw BenchFailure("no free port on loopback") }
    port = UInt16(bigEndian: address.sin_port)
  }

  deinit { close(listener) }

  /// Waits for the component, and lets it in.
  /// - Parameter pings: how many stanzas it sends to itself at first.
  func accept(pings: Int = 0) async throws -> ComponentPeer {
    let peer = await offLoop { [listener] in
      let peer = ComponentPeer(Glibc.accept(listener, nil, nil))
      let header = """
        <?xml version='1.0'?><stream:stream from='\(Self.domain)' id='bench' xmlns='jabber:component:accept' \
        xmlns:stream='http://etherx.jabber.org/streams'>
        """
      guard peer.read(until: "<stream:stream"), peer.write(header), peer.read(until: "</handshake>"),
        peer.write("<handshake/>"), peer.sendBack(pings)
      else { return ComponentPeer?.none }
      return peer
    }
    guard let peer else { throw BenchFailure("the component did not log in") }
    return peer
  }

  /// What came of many questions.
  struct Outcome: Sendable {
    /// From the first question to the last answer.
    var seconds = 0.0
    /// How long each answer took, in seconds.
    var times: [Double] = []
  }

  /// Has people ask for addresses of the component, each for another. All are answered in the order in which they ask.
  /// - Parameters:
  ///   - peer: the component.
  ///   - numbers: who asks; whoever has asked before may not be answered.
  ///   - window: how many questions wait for an answer at most.
  ///   - rate: how many are asked in a second; `nil` is as fast as they are answered.
  func ask(_ peer: ComponentPeer, _ numbers: Range<Int>, window: Int, rate: Double? = nil) async throws -> Outcome {
    let outcome = await offLoop { Self.ask(peer, numbers, window, rate) }
    guard let outcome else { throw BenchFailure("the component did not answer all requests") }
    return outcome
  }

  private static func ask(_ peer: ComponentPeer, _ numbers: Range<Int>, _ window: Int, _ rate: Double?) -> Outcome? {
    var outcome = Outcome()
    var asked: [Double] = []
    let start = monotonicSeconds()
    var last = start
    while outcome.times.count < numbers.count {
      let now = monotonicSeconds()
      guard now - last < patience else { return nil }
      let due = rate.map { Int((now - start) * $0) } ?? numbers.count
      var text = ""
      while asked.count < min(due, numbers.count, outcome.times.count + window) {
        let number = numbers.lowerBound + asked.count
        text += """
          <presence from='u\(number)@d\(number % domains).example/r' to='c\(number)%shakespeare.lit@\(domain)'>\
          \(element)</presence>
          """
        asked.append(now)
      }
      guard text.isEmpty || peer.write(text), let count = peer.countAnswers(within: rate == nil ? 100 : 1) else {
        return nil
      }
      guard count > 0 else { continue }
      last = monotonicSeconds()
      for _ in 0..<min(count, asked.count - outcome.times.count) {
        outcome.times.append(last - asked[outcome.times.count])
      }
    }
    outcome.seconds = last - start
    return outcome
  }
}

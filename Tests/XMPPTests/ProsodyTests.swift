// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import Logging
import Support
import Testing
import XML
import XMPP

/// An account at a Prosody, behind a relay, that goes on with its session whenever it can.
@LoopActor
final class PersistentClient {
  let relay: Relay
  private(set) var stream: ClientStream
  private(set) var watcher: StreamWatcher
  /// The bodies of all messages that came, over all streams.
  private(set) var bodies: [String] = []
  private let configuration: ClientConfiguration
  private var fences = 0

  init(_ user: String, port: UInt16, certificate: String) throws {
    relay = Relay(to: port)
    configuration = ClientConfiguration(
      account: try BareJID("\(user)@localhost"), password: "secret", server: "127.0.0.1", port: relay.port,
      caFile: certificate)
    stream = Self.stream(configuration, EventLoop.shared.time, nil)
    watcher = StreamWatcher(stream)
  }

  private static func stream(
    _ configuration: ClientConfiguration, _ time: any TimeSource, _ resumption: Resumption?
  ) -> ClientStream {
    ClientStream(
      configuration, time: time, logger: Logger(label: "test"), timeLimit: .seconds(60), resumption: resumption)
  }

  /// Connects, and sends again what an earlier stream had sent and the server never had.
  func connect(time: any TimeSource = EventLoop.shared.time, resumption: Resumption? = nil) async throws {
    stream = Self.stream(configuration, time, resumption)
    watcher = StreamWatcher(stream)
    stream.open()
    await watcher.wait { $0.bound != nil || $0.isResumed || $0.end != nil }
    try #require(watcher.end == nil, "\(watcher.end?.text ?? "")")
    // A session that was just begun is kept by the server only when it has said so.
    if watcher.bound != nil { try await fence() }
    for stanza in watcher.lost ?? [] { stream.send(stanza.element, isMeant: false) }
  }

  func say(_ body: String, to jid: FullJID) {
    let inside = Element("body", "jabber:client", text: body)
    stream.send(
      Element("message", "jabber:client", ["to": jid.description, "type": "chat"], children: [inside]), isMeant: false)
  }

  /// Waits until the server has had all that was said before, and we all that it had said before.
  func fence() async throws {
    let id = "fence \(fences)"
    fences += 1
    stream.send(.iq(IQ(.get, to: try JID("localhost"), id: id, payload: [Element("ping", "urn:xmpp:ping")])))
    await watcher.wait { $0.end != nil || $0.stanzas.contains { $0.id == id } }
    try #require(watcher.end == nil, "\(watcher.end?.text ?? "")")
  }

  /// Notes what the present stream has brought.
  func collect() {
    for case .message(let message) in watcher.stanzas {
      bodies += message.payload.filter { $0.matches("body", "jabber:client") }.map(\.text)
    }
  }

  /// Waits until the present stream has brought a message that says this.
  func hears(_ body: String) async {
    await watcher.wait { watcher in
      watcher.end != nil
        || watcher.stanzas.contains { $0.payload.contains { $0.matches("body", "jabber:client") && $0.text == body } }
    }
  }

  func cut() async {
    relay.cut()
    await watcher.wait { $0.end != nil }
    collect()
  }
}

@Suite("Counted streams and a Prosody", .timeLimit(.minutes(1)))
struct ProsodyTests {
  init() {
    EventLoop.runInBackground()
    // OpenSSL writes to connections that are cut already; the program ignores it as well.
    signal(SIGPIPE, SIG_IGN)
  }

  /// Starting a server blocks: not on the loop.
  private func server(_ users: String...) throws -> (port: UInt16, certificate: String) {
    let prosody = try XMPPServer.shared()
    for user in users { try prosody.addAccount(user, password: "secret") }
    return (prosody.clientPort, prosody.certificate)
  }

  @Test("A session goes on over many cuts, and nothing is lost or doubled")
  func cuts() async throws {
    let (port, certificate) = try server("counting1", "counting2")
    try await runCuts(port, certificate)
  }

  @LoopActor private func runCuts(_ port: UInt16, _ certificate: String) async throws {
    let left = try PersistentClient("counting1", port: port, certificate: certificate)
    let right = try PersistentClient("counting2", port: port, certificate: certificate)
    try await left.connect()
    try await right.connect()
    let here = try #require(left.watcher.bound)
    let there = try #require(right.watcher.bound)
    var sent: [[String]] = [[], []]
    func talk() {
      for _ in 0..<5 {
        sent[0].append("left \(sent[0].count)")
        left.say(sent[0].last ?? "", to: there)
        sent[1].append("right \(sent[1].count)")
        right.say(sent[1].last ?? "", to: here)
      }
    }
    var resumed = 0
    for round in 0..<12 {
      // Somewhere in what is said now, another byte each time.
      left.relay.cutAfter = left.relay.passed + 1 + round * 61
      talk()
      await left.watcher.wait { $0.end != nil }
      left.collect()
      try await left.connect(resumption: left.watcher.resumption)
      if left.watcher.isResumed { resumed += 1 }
    }
    #expect(resumed == 12)
    talk()
    await left.hears(sent[1].last ?? "")
    await right.hears(sent[0].last ?? "")
    left.collect()
    right.collect()
    #expect(left.bodies == sent[1])
    #expect(right.bodies == sent[0])
    left.stream.close()
    right.stream.close()
    await left.watcher.wait { $0.end != nil }
    await right.watcher.wait { $0.end != nil }
  }

  @Test("A session that was ended is refused, and a new one begins")
  func refusal() async throws {
    let (port, certificate) = try server("counting3")
    try await runRefusal(port, certificate)
  }

  @LoopActor private func runRefusal(_ port: UInt16, _ certificate: String) async throws {
    let client = try PersistentClient("counting3", port: port, certificate: certificate)
    try await client.connect()
    let earlier = client.watcher.bound
    await client.cut()
    let resumption = try #require(client.watcher.resumption)
    #expect(resumption.expiresAt > EventLoop.shared.time.now)
    try await client.connect(resumption: resumption)
    #expect(client.watcher.isResumed)
    client.stream.close()
    await client.watcher.wait { $0.end != nil }
    #expect(client.watcher.resumption == nil)
    try await client.connect(resumption: resumption)
    #expect(!client.watcher.isResumed)
    #expect(client.watcher.lost != nil)
    #expect(client.watcher.bound != nil)
    #expect(client.watcher.bound != earlier)
    // The new session can be gone on with in its turn.
    await client.cut()
    try await client.connect(resumption: client.watcher.resumption)
    #expect(client.watcher.isResumed)
  }

  @Test("A dead connection is found, and the session goes on over another")
  func dead() async throws {
    let (port, certificate) = try server("counting4", "counting5")
    try await runDead(port, certificate)
  }

  @LoopActor private func runDead(_ port: UInt16, _ certificate: String) async throws {
    let client = try PersistentClient("counting4", port: port, certificate: certificate)
    let other = try PersistentClient("counting5", port: port, certificate: certificate)
    try await other.connect()
    let there = try #require(other.watcher.bound)
    let time = ManualTime()
    try await client.connect(time: time)
    let here = try #require(client.watcher.bound)
    other.say("before", to: here)
    await client.hears("before")
    client.relay.isFrozen = true
    client.say("into the void", to: there)
    other.say("while nobody hears", to: here)
    time.advance(by: .seconds(31))
    await client.watcher.wait { $0.end != nil }
    #expect(client.watcher.end?.code == .timedOut)
    client.collect()
    #expect(client.watcher.resumption?.unacknowledged.last?.element.attribute("to") == there.description)
    client.relay.cut()
    client.relay.isFrozen = false
    try await client.connect(resumption: client.watcher.resumption)
    #expect(client.watcher.isResumed)
    await other.hears("into the void")
    await client.hears("while nobody hears")
    client.collect()
    other.collect()
    #expect(client.bodies == ["before", "while nobody hears"])
    #expect(other.bodies == ["into the void"])
  }
}

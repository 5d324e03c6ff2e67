// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Logging
import Testing
import XML
import XMPP

@Suite("A stream whose stanzas are counted", .timeLimit(.minutes(1)))
struct CountedStreamTests {
  static let offer = "<sm xmlns='urn:xmpp:sm:3'/><csi xmlns='urn:xmpp:csi:0'/>"
  static let enabled = "<enabled xmlns='urn:xmpp:sm:3' id='some-id' resume='true' max='60'/>"

  init() { EventLoop.runInBackground() }

  @LoopActor private func stream(
    to server: FakeServer, time: any TimeSource, resumption: Resumption? = nil
  ) throws -> (ClientStream, StreamWatcher) {
    let configuration = ClientConfiguration(
      account: try BareJID("user@shakespeare.lit"), password: "pencil", server: "127.0.0.1", port: server.port,
      tls: .off)
    let stream = ClientStream(configuration, time: time, logger: Logger(label: "test"), resumption: resumption)
    return (stream, StreamWatcher(stream))
  }

  /// A stream that is bound, and whose server counts.
  @LoopActor private func boundStream(
    time: any TimeSource = ManualTime()
  ) async throws -> (FakeServer, ClientStream, StreamWatcher) {
    let server = FakeServer()
    server.letIn(features: Self.offer) { [unowned server] text in
      if text.hasPrefix("<enable ") { server.send(Self.enabled + "<message id='hello'/>") }
    }
    let (stream, watcher) = try stream(to: server, time: time)
    stream.open()
    await watcher.wait { !$0.stanzas.isEmpty || $0.end != nil }
    try #require(watcher.bound != nil, "\(watcher.end?.text ?? "")")
    return (server, stream, watcher)
  }

  private func message(_ id: String, text: String = "") -> Element {
    Element("message", "jabber:client", ["to": "a@b", "id": id], text: text)
  }

  private func ids(_ stanzas: [SentStanza]?) -> [String]? { stanzas?.compactMap { $0.element.attribute("id") } }

  @Test("Counting begins before the first stanza")
  @LoopActor func enabling() async throws {
    let (server, _, watcher) = try await boundStream()
    #expect(server.received.hasSuffix("</iq><enable xmlns='urn:xmpp:sm:3' resume='true'/>"))
    #expect(watcher.steps.last == .binding)
    server.send("<r xmlns='urn:xmpp:sm:3'/>")
    await server.wait { $0.received.hasSuffix("<a xmlns='urn:xmpp:sm:3' h='1'/>") }
  }

  @Test("After a cut the session goes on, with what the server never had")
  @LoopActor func resuming() async throws {
    let time = ManualTime()
    let (server, first, firstWatcher) = try await boundStream(time: time)
    for id in ["1", "2", "3"] { first.send(message(id), isMeant: id == "2") }
    await server.wait { $0.received.contains("id='3'") }
    server.closeClient()
    await firstWatcher.wait { $0.end != nil }
    #expect(firstWatcher.end?.code == .network)
    #expect(!server.received.contains("</stream:stream>"))
    let resumption = try #require(firstWatcher.resumption)
    #expect(ids(resumption.unacknowledged) == ["1", "2", "3"])
    #expect(resumption.unacknowledged.map(\.isMeant) == [false, true, false])
    #expect(resumption.expiresAt == time.now + .seconds(60))

    server.letIn(features: Self.offer) { [unowned server] text in
      if text.contains("<resume ") {
        server.send("<resumed xmlns='urn:xmpp:sm:3' h='1' previd='some-id'/><message id='again'/>")
      }
    }
    let (second, secondWatcher) = try stream(to: server, time: time, resumption: resumption)
    second.setActive(false)
    second.open()
    await secondWatcher.wait { !$0.stanzas.isEmpty || $0.end != nil }
    #expect(secondWatcher.isResumed)
    #expect(secondWatcher.bound == nil)
    #expect(secondWatcher.steps.last == .resuming)
    #expect(ids(secondWatcher.lost) == ["2", "3"])
    // The server takes a resumed stream for active until it is told otherwise.
    await server.wait { $0.received.hasSuffix("<inactive xmlns='urn:xmpp:csi:0'/>") }
    #expect(server.received.contains("<resume xmlns='urn:xmpp:sm:3' h='1' previd='some-id'/>"))
    second.send(message("4"), isMeant: false)
    server.send("<r xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='2'/>")
    await server.wait { $0.received.hasSuffix("<a xmlns='urn:xmpp:sm:3' h='2'/>") }
    server.closeClient()
    await secondWatcher.wait { $0.end != nil }
    #expect(secondWatcher.resumption?.id == "some-id")
    #expect(secondWatcher.resumption?.handled == 2)
    #expect(ids(secondWatcher.resumption?.unacknowledged) == [])
  }

  @Test("Where the server has the session no more, a new one begins on the same stream, and is counted")
  @LoopActor func refused() async throws {
    let (server, first, firstWatcher) = try await boundStream()
    for id in ["1", "2"] { first.send(message(id), isMeant: false) }
    await server.wait { $0.received.contains("id='2'") }
    server.closeClient()
    await firstWatcher.wait { $0.end != nil }
    server.letIn(features: Self.offer) { [unowned server] text in
      if text.contains("<resume ") { server.send("<failed xmlns='urn:xmpp:sm:3' h='1'/>") }
      if text.hasPrefix("<enable ") {
        server.send("<enabled xmlns='urn:xmpp:sm:3' id='other' resume='true'/><presence/>")
      }
    }
    let (second, watcher) = try stream(to: server, time: ManualTime(), resumption: firstWatcher.resumption)
    second.open()
    await watcher.wait { $0.bound != nil || $0.end != nil }
    #expect(ids(watcher.lost) == ["2"])
    #expect(watcher.bound != nil)
    #expect(watcher.bound != firstWatcher.bound)
    #expect(watcher.steps.suffix(2) == [.resuming, .binding])
    await watcher.wait { !$0.stanzas.isEmpty }
    server.closeClient()
    await watcher.wait { $0.end != nil }
    #expect(watcher.resumption?.id == "other")
  }

  @Test("What is sent while the end is not told yet is not lost")
  @LoopActor func late() async throws {
    let time = ManualTime()
    let (_, stream, watcher) = try await boundStream(time: time)
    stream.send(message("early"), isMeant: false)
    time.advance(by: .seconds(31))
    #expect(watcher.end == nil)
    stream.send(message("late"), isMeant: true)
    await watcher.wait { $0.end != nil }
    stream.send(message("too late"), isMeant: false)
    #expect(watcher.end?.code == .timedOut)
    #expect(ids(watcher.resumption?.unacknowledged) == ["early", "late"])
    #expect(watcher.resumption?.unacknowledged.last?.isMeant == true)
  }

  @Test("Before the end of the stream the server is told what we have had, and it keeps no session then")
  @LoopActor func closing() async throws {
    let (server, stream, watcher) = try await boundStream()
    stream.send(message("1"), isMeant: false)
    stream.close()
    await server.wait { $0.received.hasSuffix("<a xmlns='urn:xmpp:sm:3' h='1'/></stream:stream>") }
    server.send("</stream:stream>")
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .cancelled)
    #expect(watcher.resumption == nil)
  }

  @Test("Where a closing stream is cut, nobody knows whether the server had what was said last")
  @LoopActor func closingCut() async throws {
    let (server, stream, watcher) = try await boundStream()
    for id in ["1", "2"] { stream.send(message(id), isMeant: false) }
    stream.close()
    stream.send(message("3"), isMeant: false)
    await server.wait { $0.received.hasSuffix("</stream:stream>") }
    server.send("<a xmlns='urn:xmpp:sm:3' h='1'/><message id='late'/>")
    server.closeClient()
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .cancelled)
    #expect(ids(watcher.resumption?.unacknowledged) == ["2"])
    #expect(watcher.resumption?.handled == 1)
    #expect(watcher.stanzas.count == 1)
  }

  @Test(
    "The session of a server that goes down is not ended, and that of one that threw us out is",
    arguments: [
      ("system-shutdown", true), ("reset", true), ("connection-timeout", true), ("conflict", false),
      ("policy-violation", false),
    ])
  @LoopActor func streamErrors(condition: String, isKept: Bool) async throws {
    let (server, _, watcher) = try await boundStream()
    server.send(
      "<stream:error><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
    await watcher.wait { $0.end != nil }
    await server.wait { $0.hasClientClosed }
    #expect((watcher.resumption != nil) == isKept)
    let farewell = "<a xmlns='urn:xmpp:sm:3' h='1'/></stream:stream>"
    #expect(server.received.hasSuffix(farewell) == !isKept)
  }

  @Test("What cannot be read ends the session too")
  @LoopActor func unreadable() async throws {
    let (server, _, watcher) = try await boundStream()
    server.send("<message></presence>")
    await watcher.wait { $0.end != nil }
    await server.wait { $0.hasClientClosed }
    #expect(watcher.end?.code == .protocol)
    #expect(watcher.resumption == nil)
    #expect(server.received.contains("<a xmlns='urn:xmpp:sm:3' h='1'/><stream:error>"))
    #expect(server.received.components(of: "</stream:stream>") == 1)
  }

  @Test("A count that cannot be ends the session, and says why")
  @LoopActor func impossibleCount() async throws {
    let (server, _, watcher) = try await boundStream()
    server.send("<a xmlns='urn:xmpp:sm:3' h='1'/>")
    await watcher.wait { $0.end != nil }
    await server.wait { $0.hasClientClosed }
    #expect(watcher.end?.code == .protocol)
    #expect(watcher.resumption == nil)
    #expect(server.received.contains("<handled-count-too-high xmlns='urn:xmpp:sm:3' h='1' send-count='0'/>"))
    #expect(server.received.hasSuffix("</stream:error></stream:stream>"))
  }

  @Test("A server that does not answer is given up 30 seconds after it was asked, and its session is kept")
  @LoopActor func dead() async throws {
    let time = ManualTime()
    let (server, stream, watcher) = try await boundStream(time: time)
    stream.send(message("1"), isMeant: false)
    time.advance(by: .seconds(1))
    await server.wait { $0.received.hasSuffix("<r xmlns='urn:xmpp:sm:3'/>") }
    time.advance(by: .milliseconds(29_999))
    #expect(watcher.end == nil)
    time.advance(by: .milliseconds(1))
    #expect(watcher.end == nil, "the end was told within a timer of the stream")
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .timedOut)
    #expect(ids(watcher.resumption?.unacknowledged) == ["1"])
    await server.wait { $0.hasClientClosed }
    #expect(!server.received.contains("</stream:stream>"))
  }

  @Test("Nothing wakes up a silent stream but its one timer, and a look costs one question")
  @LoopActor func wakeups() async throws {
    let time = ManualTime()
    let (server, stream, watcher) = try await boundStream(time: time)
    #expect(time.pendingTimers == 1)
    let before = server.received
    time.advance(by: .seconds(239))
    stream.check()
    await server.wait { $0.received != before }
    #expect(server.received == before + "<r xmlns='urn:xmpp:sm:3'/>")
    #expect(time.pendingTimers == 1)
    time.advance(by: .seconds(10))
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .timedOut)
  }

  @Test("What a stream has learned about silence is not forgotten with it")
  @LoopActor func memory() async throws {
    let time = ManualTime()
    let memory = KeepAliveMemory()
    for (wait, isDead) in [(240, true), (120, false), (60, false)] {
      let server = FakeServer()
      server.letIn()
      let configuration = ClientConfiguration(
        account: try BareJID("user@shakespeare.lit"), password: "pencil", server: "127.0.0.1", port: server.port,
        tls: .off)
      let stream = ClientStream(configuration, time: time, logger: Logger(label: "test"), memory: memory)
      let watcher = StreamWatcher(stream)
      stream.open()
      await watcher.wait { $0.bound != nil || $0.end != nil }
      time.advance(by: .seconds(Int64(wait)))
      await server.wait { $0.received.contains("<ping xmlns='urn:xmpp:ping'/>") }
      if isDead { time.advance(by: .seconds(30)) } else { server.closeClient() }
      await watcher.wait { $0.end != nil }
    }
  }

  @Test("A server that stops reading is left, at a limited cost, with nothing lost")
  @LoopActor func stopsReading() async throws {
    let (server, stream, watcher) = try await boundStream()
    server.stopReading()
    let text = String(repeating: "x", count: 100_000)
    var count = 0
    while watcher.end == nil, count < 200 {
      stream.send(message(String(count), text: text), isMeant: false)
      count += 1
      await offLoop {}
    }
    #expect(watcher.end?.code == .network)
    #expect(count < 200)
    #expect(watcher.resumption?.unacknowledged.count == count)
  }
}

extension String {
  /// How often `part` stands in it.
  func components(of part: String) -> Int { split(separator: part, omittingEmptySubsequences: false).count - 1 }
}

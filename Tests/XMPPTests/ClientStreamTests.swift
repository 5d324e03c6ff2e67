// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Logging
import Testing
import Waiting
import XML
import XMPP

/// What a stream has told, and a way to wait for more.
@LoopActor
final class StreamWatcher {
  private(set) var stanzas: [Stanza] = []
  private(set) var bound: FullJID?
  private(set) var steps: [StreamStep] = []
  private(set) var end: StreamEnd?
  private(set) var ends = 0
  /// What is left of the session.
  private(set) var resumption: Resumption?
  /// What an earlier stream had sent and the server never had; nil while nothing was said of it.
  private(set) var lost: [SentStanza]?
  private(set) var isResumed = false
  /// What must not go before the test.
  var kept: [AnyObject] = []
  private let changes = Changes()

  private let stream: ClientStream

  init(_ stream: ClientStream) {
    self.stream = stream
    stream.onEvent = { [weak self] event in
      guard let self else { return }
      switch event {
      case .bound(let jid, _, _): bound = jid
      case .step(let step): steps.append(step)
      case .resumed(_, let unacknowledged):
        isResumed = true
        lost = unacknowledged
      case .notResumed(let unacknowledged): lost = unacknowledged
      case .stanza(let stanza, _): stanzas.append(stanza)
      case .ended(let end, let resumption):
        self.end = end
        self.resumption = resumption
        ends += 1
      }
      changes.tell()
    }
  }

  func wait(at location: SourceLocation = #_sourceLocation, until condition: (StreamWatcher) -> Bool) async {
    let hasCome = await changes.wait { condition(self) }
    #expect(hasCome, "what was waited for has not come", sourceLocation: location)
  }
}

@Suite("The stream to a server", .timeLimit(.minutes(1)))
struct ClientStreamTests {
  init() { EventLoop.runInBackground() }

  @LoopActor private func stream(
    _ server: FakeServer?, _ tls: ClientConfiguration.TLS, host: String = "127.0.0.1",
    time: any TimeSource = EventLoop.shared.time
  ) throws -> (ClientStream, StreamWatcher) {
    let configuration = ClientConfiguration(
      account: try BareJID("user@shakespeare.lit"), password: "pencil", server: host, port: server?.port, tls: tls)
    let stream = ClientStream(configuration, time: time, logger: Logger(label: "test"))
    return (stream, StreamWatcher(stream))
  }

  /// A stream that is bound.
  @LoopActor private func boundStream(
    time: any TimeSource = EventLoop.shared.time
  ) async throws -> (FakeServer, ClientStream, StreamWatcher) {
    let server = FakeServer()
    server.letIn()
    let (stream, watcher) = try stream(server, .off, time: time)
    stream.open()
    await watcher.wait { $0.bound != nil || $0.end != nil }
    try #require(watcher.bound != nil, "\(watcher.end?.text ?? "")")
    return (server, stream, watcher)
  }

  @Test("Logs in on loopback without TLS, under a resource that nobody can guess")
  @LoopActor func login() async throws {
    let (server, _, watcher) = try await boundStream()
    #expect(watcher.bound?.bare == (try BareJID("user@shakespeare.lit")))
    #expect(watcher.steps.contains(.authenticating("SCRAM-SHA-1")))
    #expect((watcher.bound?.resource.utf8.count ?? 0) >= 32)
    #expect(!server.received.contains("pencil"))
    let (_, _, other) = try await boundStream()
    #expect(watcher.bound != other.bound)
  }

  @Test("A server that does not know the password is not believed")
  @LoopActor func falseServer() async throws {
    let server = FakeServer()
    server.letIn(password: "guess")
    let (stream, watcher) = try stream(server, .off)
    stream.open()
    await watcher.wait { $0.end != nil || $0.bound != nil }
    #expect(watcher.end?.code == .authentication)
    #expect(watcher.bound == nil)
  }

  @Test("Without TLS no other machine is talked to", arguments: ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"])
  @LoopActor func remoteWithoutTLS(host: String) async throws {
    let (stream, watcher) = try stream(nil, .off, host: host)
    stream.open()
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .protocol)
    #expect(watcher.end?.text.contains("on this machine") == true)
  }

  @Test("A host that there is not is told of")
  @LoopActor func unknownHost() async throws {
    for host in ["nobody.invalid", "a..b", "not a host"] {
      let (stream, watcher) = try stream(nil, .starttls, host: host)
      stream.open()
      await watcher.wait { $0.end != nil }
      #expect(watcher.end?.code == .network)
      #expect(watcher.end?.text.contains(host) == true)
    }
  }

  @Test("To a server without TLS nothing is sent but the header")
  @LoopActor func noTLS() async throws {
    let server = FakeServer()
    let (stream, watcher) = try stream(server, .starttls)
    server.onReceive = { [unowned server] _ in
      server.send(
        FakeServer.header
          + FakeServer.features(
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"))
    }
    stream.open()
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .protocol)
    await server.wait { $0.hasClientClosed }
    #expect(!server.received.contains("auth"))
    #expect(!server.received.contains("user"))
  }

  @Test(
    "What follows the consent to TLS in the same piece ends the stream",
    arguments: [
      "<message/>", "<message>", "<", " ", "\n", "<stream:features/>", "\u{16}\u{3}\u{1}", "<proceed xmlns='x'/>",
    ])
  @LoopActor func injection(rest: String) async throws {
    let server = FakeServer()
    let (stream, watcher) = try stream(server, .starttls)
    server.onReceive = { [unowned server] text in
      if text.contains("<starttls") {
        server.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\(rest)")
      } else {
        server.send(FakeServer.header + FakeServer.features("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"))
      }
    }
    stream.open()
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .protocol)
    await server.wait { $0.hasClientClosed }
    // No ClientHello went out.
    #expect(!server.received.unicodeScalars.contains("\u{16}"))
  }

  @Test("Without anything behind it, TLS begins")
  @LoopActor func noInjection() async throws {
    let server = FakeServer()
    let (stream, watcher) = try stream(server, .starttls)
    server.onReceive = { [unowned server] text in
      if text.contains("<starttls") {
        server.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
      } else if text.contains("<stream:stream") {
        server.send(FakeServer.header + FakeServer.features("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"))
      } else {
        server.closeClient()
      }
    }
    stream.open()
    await watcher.wait { $0.end != nil }
    #expect(server.received.unicodeScalars.contains("\u{16}"))
    #expect(watcher.end?.code == .network)
  }

  @Test("A server that says nothing is given up after 18 seconds")
  @LoopActor func silence() async throws {
    let time = ManualTime()
    let server = FakeServer()
    let (stream, watcher) = try stream(server, .starttls, time: time)
    stream.open()
    await server.wait { $0.received.contains("<stream:stream") }
    time.advance(by: .milliseconds(17_999))
    #expect(watcher.end == nil)
    time.advance(by: .milliseconds(1))
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .timedOut)
    await server.wait { $0.hasClientClosed }
  }

  @Test("Closing while connecting ends the stream, once")
  @LoopActor func cancelled() async throws {
    let server = FakeServer()
    let (stream, watcher) = try stream(server, .starttls)
    stream.open()
    await server.wait { $0.received.contains("<stream:stream") }
    stream.close()
    #expect(watcher.end == nil, "the end was told within the call")
    stream.close()
    await watcher.wait { $0.end != nil }
    await server.wait { $0.hasClientClosed }
    #expect(watcher.end?.code == .cancelled)
    #expect(watcher.ends == 1)
  }

  @Test("Stanzas go both ways, and what is no stanza is dropped")
  @LoopActor func stanzas() async throws {
    let (server, stream, watcher) = try await boundStream()
    stream.send(.presence(Presence(to: try JID("a@b"))))
    await server.wait { $0.received.contains("<presence to='a@b'/>") }
    server.send(
      "<presence from='@'/><iq id='1'/><foo/><r xmlns='urn:xmpp:sm:3'/> <presence from='a@b/c' type='foo'/>")
    await watcher.wait { !$0.stanzas.isEmpty }
    #expect(watcher.stanzas.count == 1)
    #expect(watcher.stanzas.first?.from == (try JID("a@b/c")))
    #expect(watcher.end == nil)
  }

  @Test("Closing sends what was sent before, ends the stream and waits for the server's end")
  @LoopActor func closing() async throws {
    let (server, stream, watcher) = try await boundStream(time: ManualTime())
    stream.send(.presence(Presence(type: .unavailable)))
    stream.close()
    stream.send(.presence(Presence()))
    await server.wait { $0.received.hasSuffix("</stream:stream>") }
    #expect(server.received.hasSuffix("<presence type='unavailable'/></stream:stream>"))
    #expect(watcher.end == nil)
    server.send("<presence from='a@b'/></stream:stream>")
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .cancelled)
    #expect(watcher.stanzas.isEmpty)
    await server.wait { $0.hasClientClosed }
  }

  @Test("A server that does not end the stream is waited for no longer than two seconds")
  @LoopActor func closingSilence() async throws {
    let time = ManualTime()
    let (server, stream, watcher) = try await boundStream(time: time)
    stream.close()
    await server.wait { $0.received.hasSuffix("</stream:stream>") }
    #expect(watcher.end == nil)
    time.advance(by: .seconds(2))
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .cancelled)
  }

  @Test(
    "Every way in which a server ends the stream is told as what it is, and answered",
    arguments: [
      ("</stream:stream>", StreamEnd.Code.closedByPeer, "</stream:stream>"),
      (
        "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
        .streamError(.conflict), "</stream:stream>"
      ),
      ("<a></b>", .protocol, "<not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"),
      ("<!-- -->", .protocol, "<restricted-xml xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"),
    ])
  @LoopActor func ends(text: String, code: StreamEnd.Code, answer: String) async throws {
    let (server, stream, watcher) = try await boundStream()
    server.send("<presence from='a@b/c'/>\(text)<presence from='a@b/d'/>")
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == code)
    #expect(watcher.ends == 1)
    #expect(watcher.stanzas.count == 1)
    await server.wait { $0.hasClientClosed }
    #expect(server.received.contains(answer))
    stream.close()
    #expect(watcher.ends == 1)
  }

  @Test("A cut connection is told of")
  @LoopActor func cut() async throws {
    let (server, _, watcher) = try await boundStream()
    server.closeClient()
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .network)
  }
}

// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Support
import TLS
import Testing
import XML

@testable import XMPP

/// A component's stream to a port of this machine, not open yet.
@LoopActor
func component(
  port: UInt16?, domain: String = "plays.localhost", secret: String = "secret", server: String = "127.0.0.1",
  time: any TimeSource = EventLoop.shared.time, _ change: (inout ComponentConfiguration) -> Void = { _ in }
) throws -> ComponentWatcher {
  var configuration = ComponentConfiguration(
    domain: try BareJID(domain), secret: secret, server: server, port: port)
  change(&configuration)
  return ComponentWatcher(configuration, time: time)
}

@Suite("A component's stream", .timeLimit(.minutes(1)))
struct ComponentStreamTests {
  init() { EventLoop.runInBackground() }

  /// One that is ready, at a server that says what it is told.
  @LoopActor private func ready(time: any TimeSource = EventLoop.shared.time) async throws -> (
    FakeServer, ComponentWatcher
  ) {
    let server = FakeServer()
    server.letComponentIn()
    let component = try component(port: server.port, time: time)
    component.stream.open()
    await component.wait { $0.isReady || $0.end != nil }
    try #require(component.isReady, "\(component.end?.text ?? "")")
    return (server, component)
  }

  // MARK: Our own server

  /// One that our own server has let in, with what it has asked to be given back.
  @LoopActor private func joining(
    _ service: TestService, time: any TimeSource = EventLoop.shared.time
  ) async throws -> (ComponentWatcher, TestService.Watched) {
    let component = try component(port: service.listener.port, time: time)
    component.stream.open()
    await service.wait { $0.accepted.first?.stanzas.count == DomainPings.first }
    return (component, try #require(service.accepted.first))
  }

  @Test("Gets in, and stanzas go both ways")
  @LoopActor func login() async throws {
    let service = try TestService()
    let (component, watched) = try await joining(service)
    #expect(watched.told.first == "component plays.localhost")
    #expect(!component.isReady)
    // Nobody routes here: the pings are given back by hand.
    for ping in watched.stanzas { watched.stream.send(ping) }
    await component.wait { $0.isReady }
    #expect(component.security == Security(tls: nil, mechanism: "handshake", channelBinding: nil))
    #expect(component.steps.last == .authenticating("handshake"))
    var presence = Presence(to: try JID("juliet@localhost"))
    presence.from = try JID("hamlet@plays.localhost/x")
    component.stream.send(.presence(presence))
    await service.wait { _ in watched.stanzas.count == DomainPings.first + 1 }
    #expect(watched.stanzas.last?.attribute("from") == "hamlet@plays.localhost/x")
    watched.stream.send(
      try Element.parse("<message from='juliet@localhost' to='hamlet@plays.localhost'/>", namespace: "jabber:client"))
    await component.wait { !$0.stanzas.isEmpty }
    #expect(component.stanzas.first?.raw.matches("message", "jabber:client") == true)
    #expect(component.stanzas.first?.stanza.to == (try JID("hamlet@plays.localhost")))
    component.stream.close()
    await component.wait { $0.end != nil }
    #expect(component.end?.code == .cancelled)
    await service.wait { _ in watched.isOver }
  }

  @Test(
    "A wrong secret, and a domain that the server does not know, are final",
    arguments: [
      ("plays.localhost", "guess", StreamEnd.Code.authentication),
      ("nobody.localhost", "secret", .streamError(.hostUnknown)),
    ])
  @LoopActor func refused(domain: String, secret: String, code: StreamEnd.Code) async throws {
    let service = try TestService()
    let component = try component(port: service.listener.port, domain: domain, secret: secret)
    component.stream.open()
    await component.wait { $0.end != nil }
    #expect(component.end?.code == code)
    #expect(component.end?.isFinal == true)
    #expect(component.end?.text.contains(domain) == true)
    #expect(!component.isReady)
    #expect(!component.log.joined().contains(secret))
  }

  @Test("Where another program gets some of the pings, nobody is told that the domain is ours, and nothing is sent")
  @LoopActor func shared() async throws {
    let time = ManualTime()
    let service = try TestService(time: time)
    let (component, watched) = try await joining(service, time: time)
    for ping in watched.stanzas.dropFirst() { watched.stream.send(ping) }
    watched.stream.send(
      try Element.parse("<message from='juliet@localhost' to='hamlet@plays.localhost'/>", namespace: "jabber:client"))
    component.stream.send(
      try Element.parse("<presence from='plays.localhost' to='juliet@localhost'/>", namespace: "jabber:client"))
    // What is dropped is told in the log: all that was said before has come by then.
    watched.stream.send(message("fence"))
    await component.wait { $0.log.contains { $0.contains("dropped") } }
    time.advance(by: .milliseconds(9_999))
    #expect(component.end == nil)
    time.advance(by: .milliseconds(1))
    await component.wait { $0.end != nil }
    #expect(component.end?.code == .streamError(.conflict))
    #expect(component.end?.isFinal == false)
    #expect(!component.isReady && component.stanzas.isEmpty)
    await service.wait { _ in watched.isOver }
    #expect(watched.stanzas.count == DomainPings.first)
  }

  @Test("With TLS from the first byte, to the one whose name the certificate has")
  @LoopActor func direct() async throws {
    let identity = try TestService.identity.get()
    let tls = try ServerTLS(identity)
    let directory = try TemporaryDirectory()
    try writeFile(directory.file("ca.pem"), identity.certificate)
    var received = ""
    var transports: [Transport] = []
    let listener = try ConnectionListener(at: try SocketAddress(numeric: "127.0.0.1", port: 0)) { transport in
      transports.append(transport)
      spawn {
        guard (try? await transport.acceptTLS(tls)) != nil else { return }
        transport.onEvent = { event in
          guard case .received(let bytes) = event else { return }
          let text = String(decoding: bytes, as: UTF8.self)
          received += text
          transport.send(Array(FakeServer.answerComponent(text).utf8))
        }
      }
    }
    for (server, isTrusted) in [("localhost", true), ("127.0.0.1", false)] {
      let component = try component(port: listener.address.port, server: server) {
        $0.tls = .direct
        $0.caFile = directory.file("ca.pem")
      }
      component.stream.open()
      await component.wait { $0.isReady || $0.end != nil }
      #expect(component.isReady == isTrusted, "\(component.end?.text ?? "")")
      #expect(component.end?.code == (isTrusted ? nil : .certificate))
      #expect((component.security?.tls != nil) == isTrusted)
      #expect(component.steps.contains(.securing))
    }
    // Once: the other one was told nothing.
    #expect(received.split(separator: "<stream:stream").count == 2)
    listener.close()
  }

  // MARK: What servers do

  @Test("Without TLS no other machine is talked to", arguments: ["192.0.2.1", "2001:db8::1"])
  @LoopActor func remote(host: String) async throws {
    let component = try component(port: nil, server: host) { $0.tls = .off }
    component.stream.open()
    await component.wait { $0.end != nil }
    #expect(component.end?.code == .protocol)
    #expect(component.end?.isFinal == true)
  }

  @Test("A server that never answers is given up after 18 seconds", arguments: ["", FakeServer.componentHeader])
  @LoopActor func silence(said: String) async throws {
    let time = ManualTime()
    let server = FakeServer()
    server.onReceive = { [unowned server] text in
      if text.contains("<stream:stream") { server.send(said) }
    }
    let component = try component(port: server.port, time: time)
    component.stream.open()
    await server.wait { $0.received.contains(said.isEmpty ? "<stream:stream" : "<handshake>") }
    time.advance(by: .milliseconds(17_999))
    #expect(component.end == nil)
    time.advance(by: .milliseconds(1))
    await component.wait { $0.end != nil }
    #expect(component.end?.code == .timedOut)
    #expect(component.end?.isFinal == false)
    await server.wait { $0.hasClientClosed }
  }

  static let partings: [(String, StreamEnd.Code)] = [
    ("", .network), ("<?xml version='1.0'?><str", .network), (FakeServer.componentHeader, .network),
    (FakeServer.componentHeader + "</stream:stream>", .closedByPeer),
    (FakeServer.componentHeader + FakeServer.streamError("conflict"), .streamError(.conflict)),
    (FakeServer.componentHeader + FakeServer.streamError("not-authorized"), .authentication),
    (FakeServer.header, .protocol), ("220 smtp.localhost ESMTP\r\n", .protocol), ("\u{0}\u{1}", .protocol),
    (FakeServer.componentHeader + "<!-- -->", .protocol), (FakeServer.componentHeader + "<message/>", .protocol),
    (FakeServer.componentHeader + "<handshake>" + String(repeating: "x", count: 4 << 20), .protocol),
  ]

  @Test("A server that goes while we log in, or says what it should not, is told as what it is", arguments: partings)
  @LoopActor func brokenOff(said: String, code: StreamEnd.Code) async throws {
    let server = FakeServer()
    server.onReceive = { [unowned server] text in
      guard text.contains("<stream:stream") else { return }
      server.send(said)
      if code == .network { server.closeClient() }
    }
    let component = try component(port: server.port)
    component.stream.open()
    await component.wait { $0.end != nil }
    #expect(component.end?.code == code, "\(component.end?.text ?? "")")
    #expect(!component.isReady)
    await server.wait { $0.hasClientClosed || code == .network }
  }

  @Test(
    "Every way in which a server ends the stream is told as what it is, and answered",
    arguments: [
      ("</stream:stream>", StreamEnd.Code.closedByPeer, "</stream:stream>"),
      (FakeServer.streamError("system-shutdown"), .streamError(.systemShutdown), "</stream:stream>"),
      (FakeServer.streamError("conflict"), .streamError(.conflict), "</stream:stream>"),
      ("<a></b>", .protocol, "<not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"),
      ("<!-- -->", .protocol, "<restricted-xml xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"),
    ])
  @LoopActor func ends(text: String, code: StreamEnd.Code, answer: String) async throws {
    let (server, component) = try await ready()
    let stanza = "<presence from='a@b/c' to='plays.localhost'/>"
    server.send("\(stanza)\(text)\(stanza)")
    await component.wait { $0.end != nil }
    #expect(component.end?.code == code)
    #expect(component.end?.isFinal == false)
    #expect(component.ends == 1)
    #expect(component.stanzas.count == 1)
    await server.wait { $0.hasClientClosed }
    #expect(server.received.contains(answer))
    component.stream.close()
    #expect(component.ends == 1)
  }

  @Test("A stanza as large as servers write it comes through; what is no stanza, and has no end, does not")
  @LoopActor func large() async throws {
    let (server, component) = try await ready()
    let start = "<message from='a@b' to='plays.localhost'><body>"
    server.send(start + String(repeating: "&apos;", count: 512 * 1024) + "</body></message>")
    await component.wait { $0.stanzas.count == 1 || $0.end != nil }
    #expect(component.end == nil)
    server.send("<odd>" + String(repeating: "x", count: 4 << 20))
    await component.wait { $0.end != nil }
    #expect(component.end?.code == .protocol)
    #expect(component.end?.isFinal == false)
    await server.wait { $0.hasClientClosed }
    #expect(server.received.contains("<policy-violation"))
  }

  @Test("A cut connection is told of")
  @LoopActor func cut() async throws {
    let (server, component) = try await ready()
    server.closeClient()
    await component.wait { $0.end != nil }
    #expect(component.end?.code == .network)
  }

  @Test("A server that is silent is asked, and then given up")
  @LoopActor func dead() async throws {
    let time = ManualTime()
    let (server, component) = try await ready(time: time)
    server.onReceive = { _ in }
    let before = server.received.count
    time.advance(by: .seconds(240))
    await server.wait { $0.received.count > before }
    #expect(server.received.dropFirst(before).contains("urn:xmpp:ping"))
    time.advance(by: .seconds(28))
    await component.wait { $0.end != nil }
    #expect(component.end?.code == .timedOut)
  }

  @Test("After something happened the server is asked at once")
  @LoopActor func check() async throws {
    let time = ManualTime()
    let (server, component) = try await ready(time: time)
    server.onReceive = { _ in }
    component.stream.check()
    time.advance(by: .seconds(10))
    await component.wait { $0.end != nil }
    #expect(component.end?.code == .timedOut)
    await server.wait { $0.hasClientClosed }
  }

  // MARK: What we do

  @Test("What servers would end the stream over is not sent, and its addresses are not logged")
  @LoopActor func refusing() async throws {
    let (server, component) = try await ready()
    for text in ["<message from='secretive@elsewhere' to='a@b'/>", "<message from='plays.localhost'/>"] {
      component.stream.send(try Element.parse(text, namespace: "jabber:client"))
    }
    component.stream.send(
      try Element.parse("<message from='a@plays.localhost' to='c@d'/>", namespace: "jabber:client"))
    await server.wait { $0.received.hasSuffix("<message from='a@plays.localhost' to='c@d'/>") }
    #expect(!server.received.contains("secretive") && !server.received.contains("<message from='plays.localhost'/>"))
    #expect(component.log.filter { $0.hasPrefix("error: ") }.count == 2)
    #expect(!component.log.joined().contains("secretive"))
  }

  @Test(
    "Closing sends what was sent before, ends the stream and waits for the server's end, no longer than two seconds")
  @LoopActor func closing() async throws {
    for answers in [true, false] {
      let time = ManualTime()
      let (server, component) = try await ready(time: time)
      let goodbye = "<presence from='a@plays.localhost' to='c@d' type='unavailable'/>"
      component.stream.send(try Element.parse(goodbye, namespace: "jabber:client"))
      component.stream.close()
      component.stream.send(try Element.parse(goodbye, namespace: "jabber:client"))
      await server.wait { $0.received.hasSuffix("\(goodbye)</stream:stream>") }
      #expect(server.received.split(separator: "unavailable").count == 2)
      #expect(component.end == nil)
      if answers {
        server.send("<presence from='a@b' to='plays.localhost'/></stream:stream>")
      } else {
        time.advance(by: .seconds(2))
      }
      await component.wait { $0.end != nil }
      #expect(component.end?.code == .cancelled)
      #expect(component.stanzas.isEmpty)
      await server.wait { $0.hasClientClosed }
    }
  }

  @Test("Closing on the way in ends the stream, once, and not within the call")
  @LoopActor func cancelled() async throws {
    let server = FakeServer()
    let component = try component(port: server.port)
    component.stream.open()
    component.stream.open()
    await server.wait { $0.received.contains("<stream:stream") }
    component.stream.close()
    #expect(component.end == nil)
    component.stream.close()
    await component.wait { $0.end != nil }
    await server.wait { $0.hasClientClosed }
    #expect(component.end?.code == .cancelled)
    #expect(component.ends == 1)
  }
}

extension FakeServer {
  nonisolated static let componentHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
    + "xmlns:stream='http://etherx.jabber.org/streams' from='plays.localhost' id='1'>"

  nonisolated static func streamError(_ condition: String) -> String {
    "<stream:error><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
  }

  /// What a server says that lets the component in and gives its pings back.
  nonisolated static func answerComponent(_ text: String) -> String {
    if text.contains("<stream:stream") { return componentHeader }
    if text.contains("<handshake>") { return "<handshake/>" }
    return text.contains("urn:xmpp:ping") ? text : ""
  }

  /// Plays that server.
  func letComponentIn() {
    onReceive = { [unowned self] text in send(Self.answerComponent(text)) }
  }
}

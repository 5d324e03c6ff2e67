// SPDX-License-Identifier: Apache-2.0

import Testing
import XML

@testable import XMPP

/// A component's negotiation, driven by text as a server would send it; what comes of it, as text.
private struct ComponentLogin {
  var negotiation: ComponentNegotiation
  private(set) var end: StreamEnd?

  init() throws {
    negotiation = ComponentNegotiation(
      ComponentConfiguration(domain: try BareJID("plays.shakespeare.lit"), secret: "secret"))
  }

  mutating func feed(_ event: ComponentNegotiation.Event) -> [String] {
    negotiation.received(event).map { effect in
      switch effect {
      case .send(let text): return text
      case .step(let step): return "\(step)"
      case .join: return "in"
      case .end(let end):
        self.end = end
        return "end \(end.code)"
      }
    }
  }

  mutating func header(
    _ attributes: String, namespace: String = "jabber:component:accept"
  ) throws -> [String] {
    let text = "<stream xmlns='http://etherx.jabber.org/streams' \(attributes)/>"
    return feed(.opened(try Element.parse(text), namespace: namespace))
  }

  mutating func element(_ text: String) throws -> [String] {
    feed(.element(try Element.parse(text, namespace: "jabber:component:accept")))
  }

  mutating func error(_ condition: String, text: String = "") throws -> [String] {
    try element(
      "<error xmlns='http://etherx.jabber.org/streams'>"
        + "<\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\(text)</error>")
  }

  mutating func toHandshake() throws {
    #expect(feed(.connected).count == 1)
    #expect(try header("from='plays.shakespeare.lit' id='3BF96D32'").count == 2)
  }
}

@Suite("A component on its way in (XEP-0114)")
struct ComponentNegotiationTests {
  @Test("The example of XEP-0114, in the order of its listings")
  func listings() throws {
    var script = try ComponentLogin()
    #expect(
      script.feed(.connected) == [
        "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
          + "xmlns:stream='http://etherx.jabber.org/streams' to='plays.shakespeare.lit'>"
      ])
    #expect(
      try script.header("from='plays.shakespeare.lit' id='3BF96D32'")
        == ["logging in by handshake", "<handshake>b09ea9b3b7f586be8a08d0a3dd7466f110aeb136</handshake>"])
    #expect(try script.element("<handshake/>") == ["in"])
    // What follows is no business of it any more.
    #expect(try script.element("<message/>") == [])
    #expect(script.feed(.closed) == [])
  }

  @Test("A wrong secret is final, whichever way the server says so")
  func wrongSecret() throws {
    var script = try ComponentLogin()
    try script.toHandshake()
    #expect(
      try script.error(
        "not-authorized", text: "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>hash didn't match</text>")
        == ["end authentication"])
    #expect(script.end?.isFinal == true)
    #expect(script.end?.text.contains("plays.shakespeare.lit") == true)
    #expect(script.end?.text.hasSuffix("It says: \"hash didn't match\"") == true)
    #expect(script.end?.text.contains("secret") == false)
  }

  @Test("A domain that is taken is tried again, one that the server does not know is not")
  func refusals() throws {
    var script = try ComponentLogin()
    try script.toHandshake()
    #expect(try script.error("conflict") == ["end streamError(XMPP.StreamCondition.conflict)"])
    #expect(script.end?.isFinal == false)
    #expect(script.end?.text.contains("plays.shakespeare.lit") == true)
    // Prosody, in answer to the header: it has no id.
    script = try ComponentLogin()
    _ = script.feed(.connected)
    #expect(try script.header("id=''") == [])
    #expect(try script.error("host-unknown") == ["end streamError(XMPP.StreamCondition.hostUnknown)"])
    #expect(script.end?.isFinal == true)
    // ejabberd, of its own domain: before it knows who we are.
    script = try ComponentLogin()
    _ = script.feed(.connected)
    _ = try script.header("id='1' from='plays.shakespeare.lit'")
    #expect(try script.error("conflict").count == 1)
    #expect(script.end?.isFinal == false)
  }

  @Test("The port of clients is told from that of components, and gets no proof")
  func clientPort() throws {
    var script = try ComponentLogin()
    _ = script.feed(.connected)
    #expect(try script.header("id='1'", namespace: "jabber:client") == ["end protocol"])
    #expect(script.end?.text.contains("port") == true)
    // ejabberd says so in the namespace of components, too.
    script = try ComponentLogin()
    _ = script.feed(.connected)
    _ = try script.header("id='1'")
    #expect(try script.error("invalid-namespace").count == 1)
    #expect(script.end?.text.contains("port") == true)
  }

  @Test(
    "What is none of the protocol's ends it",
    arguments: ["<message/>", "<handshake xmlns='urn:x'/>", "<features xmlns='http://etherx.jabber.org/streams'/>"])
  func nonsense(text: String) throws {
    var script = try ComponentLogin()
    try script.toHandshake()
    #expect(try script.element(text) == ["end protocol"])
    #expect(script.end?.isFinal == false)
    #expect(try script.element("<handshake/>") == [])
  }

  @Test("What comes before the header, or in its place, ends it")
  func noHeader() throws {
    var script = try ComponentLogin()
    _ = script.feed(.connected)
    #expect(script.feed(.opened(try Element.parse("<html/>"), namespace: "")) == ["end protocol"])
    script = try ComponentLogin()
    _ = script.feed(.connected)
    #expect(try script.header("") == [])
    #expect(try script.element("<handshake/>") == ["end protocol"])
  }

  @Test("A server that goes without a word is tried again")
  func closed() throws {
    var script = try ComponentLogin()
    try script.toHandshake()
    #expect(script.feed(.closed) == ["end closedByPeer"])
    #expect(script.end?.isFinal == false)
  }

  @Test("Once we were in, a broken rule is no reason to stay away, and a wrong secret none of ours")
  func afterwards() throws {
    let configuration = ComponentConfiguration(domain: try BareJID("plays.shakespeare.lit"), secret: "secret")
    func end(_ condition: String, isIn: Bool) throws -> StreamEnd {
      StreamEnd(
        streamError: try Element.parse("<e><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></e>"),
        configuration: configuration, isIn: isIn)
    }
    #expect(try !end("policy-violation", isIn: true).isFinal)
    #expect(try end("policy-violation", isIn: false).isFinal)
    #expect(try end("not-authorized", isIn: true).code == .streamError(.notAuthorized))
    #expect(try end("conflict", isIn: true).text.contains("took its place"))
    #expect(try !end("conflict", isIn: true).isFinal)
    for condition in ["system-shutdown", "reset", "internal-server-error", "invalid-from", "what-is-this"] {
      #expect(try !end(condition, isIn: true).isFinal, "\(condition)")
    }
  }
}

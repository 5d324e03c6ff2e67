// SPDX-License-Identifier: Apache-2.0

import Testing
import XML
import XMPP

@Suite("Stanzas")
struct StanzaTests {
  static func parse(_ text: String) throws -> Element { try Element.parse(text, namespace: "jabber:client") }

  @Test("Presence is read and written with all that it says")
  func presence() throws {
    let text =
      "<presence from='tybalt@shakespeare.lit/library' to='juliet@shakespeare.lit' id='1' xml:lang='en'>"
      + "<show>dnd</show><status>researching</status><priority>-1</priority>"
      + "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/></presence>"
    let element = try Self.parse(text)
    let presence = try Presence(element)
    #expect(presence.from == (try JID("tybalt@shakespeare.lit/library")))
    #expect(presence.to == (try JID("juliet@shakespeare.lit")))
    #expect(presence.type == .available)
    #expect(presence.show == .dnd)
    #expect(presence.status == "researching")
    #expect(presence.priority == -1)
    #expect(presence.language == "en")
    #expect(presence.payload.map(\.name) == ["c"])
    #expect(presence.element == element)
    #expect(presence.element.serialized(within: "jabber:client") == text)
  }

  @Test("A type of presence that is unknown is kept as it is", arguments: ["invisible", "visible", "foo", ""])
  func unknownPresence(type: String) throws {
    let presence = try Presence(try Self.parse("<presence type='\(type)'/>"))
    #expect(presence.type == .other(type))
    #expect(presence.element.attribute("type") == type)
  }

  @Test("The known types of presence are read and written")
  func presenceTypes() throws {
    let types: [Presence.Kind] = [
      .unavailable, .subscribe, .subscribed, .unsubscribe, .unsubscribed, .probe, .error,
    ]
    for type in types {
      let text = try #require(type.text)
      #expect(try Presence(try Self.parse("<presence type='\(text)'/>")).type == type)
    }
    #expect(
      Presence(type: .unavailable).element.serialized(within: "jabber:client") == "<presence type='unavailable'/>")
  }

  @Test("Values that make no sense in presence do no harm")
  func oddPresence() throws {
    let presence = try Presence(
      try Self.parse(
        "<presence><show>gone</show><priority>128</priority><priority>5</priority><status/><status>b</status>"
          + "<show xmlns='urn:x'>dnd</show></presence>"))
    #expect(presence.show == nil)
    #expect(presence.priority == 5)
    #expect(presence.status == "")
    #expect(presence.payload.map(\.namespace) == ["urn:x"])
  }

  @Test("A message of no or of an unknown type is a normal one")
  func messages() throws {
    for type in ["", " type='normal'", " type='foo'", " type='Chat'"] {
      #expect(try Message(try Self.parse("<message\(type)><body>x</body></message>")).type == .normal)
    }
    for type in [Message.Kind.chat, .groupchat, .headline, .error] {
      let message = try Message(try Self.parse("<message type='\(type.rawValue)'><body>x</body></message>"))
      #expect(message.type == type)
      #expect(message.payload.first?.text == "x")
      #expect(message.element.attribute("type") == type.rawValue)
    }
  }

  @Test(
    "A question that servers relay although it breaks a rule is one all the same: an absent resource has an answer to it",
    arguments: [
      ("<iq type='get'><a xmlns='b'/></iq>", 1), ("<iq id='' type='get'><a xmlns='b'/></iq>", 1),
      ("<iq id='1' type='get'/>", 0),
      ("<iq id='1' type='set'><a/><b/></iq>", 2),
    ])
  func oddQuestions(text: String, payloads: Int) throws {
    #expect(try Stanza(Self.parse(text)).payload.count == payloads)
  }

  @Test(
    "What breaks a rule is refused, with the error that the rule provides",
    arguments: [
      ("<iq id='1'><a xmlns='b'/></iq>", StanzaError.Condition.badRequest),
      ("<iq id='1' type='foo'><a xmlns='b'/></iq>", .badRequest),
      ("<iq id='1' type='result'><a/><b/></iq>", .badRequest),
      ("<iq id='1' type='result' from='@'/>", .jidMalformed), ("<presence to='a@b/'/>", .jidMalformed),
      ("<message from=''/>", .jidMalformed), ("<foo/>", .badRequest), ("<presence xmlns='urn:x'/>", .badRequest),
      ("<message xmlns='jabber:server'/>", .badRequest),
    ])
  func refusals(text: String, condition: StanzaError.Condition) throws {
    let element = try Self.parse(text)
    #expect {
      try Stanza(element)
    } throws: {
      ($0 as? MalformedStanza)?.error.condition == condition
    }
  }

  @Test("A question is answered to whoever asked")
  func answers() throws {
    let iq = try IQ(try Self.parse("<iq id='7' type='get' from='a@b/c' to='d@e'><ping xmlns='urn:xmpp:ping'/></iq>"))
    #expect(iq.result().element.serialized(within: "jabber:client") == "<iq to='a@b/c' id='7' type='result'/>")
    #expect(
      iq.failure(StanzaError(.serviceUnavailable)).element.serialized(within: "jabber:client")
        == "<iq to='a@b/c' id='7' type='error'><error type='cancel'>"
        + "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
    #expect(iq.failure(StanzaError(.forbidden), echo: true).payload == iq.payload)
  }

  @Test("Every condition of an error is read and written", arguments: StanzaError.Condition.allCases)
  func conditions(condition: StanzaError.Condition) throws {
    let error = StanzaError(
      condition, text: "it's <that>", application: Element("too-many", "urn:x"))
    let iq = try IQ(
      try Self.parse("<iq id='1' type='error'>\(error.element.serialized(within: "jabber:client"))</iq>"))
    #expect(iq.error == error)
    #expect(iq.payload == [])
    #expect(try IQ(iq.element) == iq)
  }

  @Test("An error that cannot be understood is an error all the same")
  func oddErrors() throws {
    let error = { (text: String) in
      try IQ(try Self.parse("<iq id='1' type='error'>\(text)</iq>")).error
    }
    #expect(try error("") == StanzaError(.undefinedCondition))
    #expect(try error("<error/>") == StanzaError(.undefinedCondition))
    #expect(try error("<error type='foo'><bar xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")?.type == .cancel)
    let gone = try error(
      "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:x@y</gone></error>")
    #expect(gone?.condition == .gone)
    #expect(gone?.alternative == "xmpp:x@y")
    #expect(gone.map { StanzaError($0.element) } == gone)
  }

  @Test("The password does not get into a text made of a configuration")
  func secrecy() throws {
    let configuration = ClientConfiguration(account: try BareJID("juliet@shakespeare.lit"), password: "s3cret")
    var dumped = ""
    dump(configuration, to: &dumped)
    for text in ["\(configuration)", String(reflecting: configuration), dumped, "\([configuration])"] {
      #expect(!text.contains("s3cret"))
    }
  }
}

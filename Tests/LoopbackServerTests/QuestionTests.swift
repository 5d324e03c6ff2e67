// SPDX-License-Identifier: Apache-2.0

import LoopbackServer
import Testing

@Suite("Questions and answers")
struct QuestionTests {
  private static let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
  private static let items = "<query xmlns='http://jabber.org/protocol/disco#items'/>"

  @Test("The server announces what is switched on, and only that")
  func features() throws {
    let all = [
      "presence-invisible", "urn:xmpp:invisible:0", "urn:xmpp:invisible:1", "jabber:iq:privacy", "urn:xmpp:blocking",
    ]
    for (features, expected) in [(LoopbackFeatures(), true), (.none, false)] {
      var scene = try Scene(["romeo": []], features: features)
      try scene.online("romeo/r")
      let answer = try scene.ask("romeo/r", to: "foo.com", Self.info)
      for name in all { #expect(answer.contains("var='\(name)'") == expected) }
      #expect(answer.contains("category='server'"))
    }
  }

  @Test("What the server says of itself, and that it does not know the rest")
  func server() throws {
    var scene = try Scene(["romeo": []], components: ["plays.foo.com"])
    try scene.online("romeo/r")
    scene.domain.now += 5
    #expect(try scene.ask("romeo/r", to: "foo.com", Self.items).contains("jid='plays.foo.com'"))
    #expect(try scene.ask("romeo/r", to: "foo.com", "<ping xmlns='urn:xmpp:ping'/>") == "result")
    #expect(try scene.ask("romeo/r", to: "foo.com", "<query xmlns='jabber:iq:last'/>").contains("seconds='5'"))
    #expect(try scene.ask("romeo/r", to: "foo.com", "<query xmlns='jabber:iq:version'/>").contains("nightcloak"))
    #expect(try scene.ask("romeo/r", to: "foo.com", "<x xmlns='y'/>") == "cancel service-unavailable")
    #expect(try scene.ask("romeo/r", to: "foo.com", "") == "modify bad-request")
    #expect(try scene.ask("romeo/r", "<ping xmlns='urn:xmpp:ping'/>", type: "do") == "modify bad-request")
    #expect(
      try scene.ask("romeo/r", to: "foo.com", "<query xmlns='http://jabber.org/protocol/disco#info' node='x'/>")
        == "cancel item-not-found")
  }

  @Test("Only subscribers learn what an account has; which sessions, only those they see")
  func account() throws {
    var scene = try Scene(["romeo": ["juliet"], "juliet": ["romeo"], "mallory": []])
    try scene.online("juliet/j", "mallory/m")
    try scene.online("romeo/r")
    try scene.online("romeo/hidden", presence: "<presence type='invisible'/>")
    #expect(try scene.ask("juliet/j", to: "romeo", Self.info).contains("registered"))
    let seen = try scene.ask("juliet/j", to: "romeo", Self.items)
    #expect(seen.contains("/r'") && !seen.contains("hidden"))
    let own = try scene.ask("romeo/r", to: "romeo", Self.items)
    #expect(own.contains("/r'") && own.contains("hidden"))
    for question in [Self.info, Self.items] {
      #expect(try scene.ask("mallory/m", to: "romeo", question) == "cancel service-unavailable")
      #expect(try scene.ask("mallory/m", to: "nobody", question) == "cancel service-unavailable")
    }
    #expect(try scene.ask("mallory/m", to: "romeo", "<query xmlns='jabber:iq:last'/>") == "auth forbidden")
  }

  @Test("A session gets what it is asked, whether it has said that it is there or not; of others the server says so")
  func sessions() throws {
    var scene = try Scene(["romeo": [], "juliet": []])
    try scene.online("juliet/j")
    try scene.bind("romeo/r")
    #expect(
      try scene.say("juliet/j", "<iq type='get' id='1' to='{romeo/r}'><x xmlns='y'/></iq>") == ["romeo/r": ["get x"]])
    #expect(
      try scene.say("romeo/r", "<iq type='result' id='1' to='{juliet/j}'/>") == ["juliet/j": ["result"]])
    #expect(try scene.ask("juliet/j", to: "romeo/gone", "<x xmlns='y'/>") == "cancel service-unavailable")
    #expect(try scene.ask("juliet/j", to: "nobody/r", "<x xmlns='y'/>") == "cancel service-unavailable")
    #expect(try scene.ask("juliet/j", to: "a@other.example", "<x xmlns='y'/>") == "cancel remote-server-not-found")
    #expect(try scene.say("juliet/j", "<iq type='result' id='1' to='{romeo/gone}'/>").isEmpty)
  }

  @Test("A visiting card is kept, shown to others, and not of any size")
  func cards() throws {
    var scene = try Scene(["romeo": [], "juliet": []]) { $0.limits.cardBytes = 500 }
    try scene.online("juliet/j", "romeo/r")
    let card = "<vCard xmlns='vcard-temp'><FN>Romeo</FN></vCard>"
    #expect(try scene.ask("romeo/r", "<vCard xmlns='vcard-temp'/>") == "<vCard xmlns='vcard-temp'/>")
    #expect(try scene.ask("romeo/r", card, type: "set") == "result")
    #expect(try scene.ask("juliet/j", to: "romeo", "<vCard xmlns='vcard-temp'/>") == card)
    #expect(try scene.ask("juliet/j", to: "romeo", card, type: "set") == "cancel service-unavailable")
    let large = "<vCard xmlns='vcard-temp'><FN>\(String(repeating: "Romeo", count: 200))</FN></vCard>"
    #expect(try scene.ask("romeo/r", large, type: "set") == "wait resource-constraint")
  }
}

// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XML
import XMPP

@testable import Gateway

@Suite("Addresses that a gateway hides")
struct HidingTests {
  init() { EventLoop.runInBackground() }

  /// Hidden by the rules, standing for nobody, the domain itself, one that could be shown and has not been, and any of them
  /// with a resource.
  private static let addresses = [
    "romeo%montague.lit@sip.shakespeare.lit", "%@sip.shakespeare.lit", "sip.shakespeare.lit", House.romeo,
    "sip.shakespeare.lit/x", "romeo%shakespeare.lit@sip.shakespeare.lit/x",
  ]

  private static func stanzas(to: String) -> [String] {
    let addresses = "from='tybalt@shakespeare.lit/library' to='\(to)'"
    return [
      "<iq \(addresses) type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
      "<iq \(addresses) type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>",
      "<iq \(addresses) type='set' id='3'><jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='a'/></iq>",
      "<iq \(addresses) type='get' id='4' xml:lang='de'><query xmlns='jabber:iq:version'/></iq>",
      "<iq \(addresses) type='result' id='5'/>",
      "<message \(addresses) type='chat' id='6'><body>Hello</body></message>",
      "<message \(addresses) id='7'><body>Hello</body></message>",
      "<message \(addresses) type='groupchat' id='8'><body>Hello</body></message>",
      "<message \(addresses) type='headline' id='9'><body>Hello</body></message>",
      "<message \(addresses) type='error' id='10'/>",
      "<message \(addresses) type='chat' id='11'><active xmlns='http://jabber.org/protocol/chatstates'/></message>",
      "<presence \(addresses)/>", "<presence \(addresses) type='probe'/>",
      "<presence \(addresses) type='unsubscribe'/>",
      "<presence \(addresses) type='subscribed'/>", "<presence \(addresses) type='unavailable'/>",
    ]
  }

  /// What comes back, with the address taken out.
  @LoopActor private static func answers(of house: House, to address: String) throws -> [String] {
    for stanza in stanzas(to: address) { try house.server.say(stanza) }
    return try house.taken().map { $0.replacing("'\(address)'", with: "'ADDRESS'") }
  }

  @Test(
    "None of them can be told from one that does not exist, whatever the server says of those",
    arguments: [true, false])
  @LoopActor func same(_ isLearned: Bool) async throws {
    let house = try await House()
    house.onOpen = { server in
      server.absence =
        isLearned ? "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" : nil
    }
    try await house.connect()
    if !isLearned { house.time.advance(by: AbsentUserImitator.patience) }
    try house.account.addHandler(
      ["urn:xmpp:jingle:1", "jabber:client"], takesMessages: true, wantsWhole: true, for: ":1.1")
    try house.account.setPolicy(.allow)
    try house.account.setRule(.allow, for: .target(try TargetPattern("*%shakespeare.lit@sip.shakespeare.lit")))
    let answers = try Self.answers(of: house, to: "unheard%of@sip.shakespeare.lit")
    let condition = isLearned ? "item-not-found" : "service-unavailable"
    #expect(answers.count(where: { $0.contains(condition) }) == answers.count)
    #expect(answers.count >= 8)
    for address in Self.addresses { #expect(try Self.answers(of: house, to: address) == answers, "\(address)") }
    #expect(house.handed().isEmpty)
  }

  @Test("Requests and subscriptions to hidden addresses get silence, and nobody is told of them")
  @LoopActor func requests() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.account.setRule(.allow, for: .target(try TargetPattern("*%shakespeare.lit@sip.shakespeare.lit")))
    for address in Self.addresses.dropLast() where address != House.romeo {
      try house.ask(address)
      try house.presence("subscribe", to: address)
    }
    #expect(try house.taken().isEmpty)
    #expect(house.announced().isEmpty)
    // The fence: an address that may be seen is answered.
    try house.ask()
    #expect(try house.taken().count == 1)
  }

  @Test("A call that names a hidden address is refused; a stranger is written to only if that is meant")
  @LoopActor func calls() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.account.setRule(.allow, for: .target(try TargetPattern("*%shakespeare.lit@sip.shakespeare.lit")))
    let (tybalt, hidden) = (try JID("tybalt@shakespeare.lit"), try JID("a%montague.lit@sip.shakespeare.lit"))
    #expect(throws: AccountError.self) { try house.account.share(tybalt, from: hidden, full: false, lifetime: nil) }
    #expect(throws: AccountError.self) {
      try house.account.share(tybalt, from: try JID("romeo@montague.lit"), full: false, lifetime: nil)
    }
    let error = #expect(throws: AccountError.self) {
      try house.account.sendMessage(
        .chat, to: tybalt, from: try JID(House.romeo), payload: "<body>Hi</body>", reveal: false, from: ":1.1")
    }
    #expect(error?.code == .wouldReveal)
    #expect(try house.taken().isEmpty)
    _ = try house.account.sendMessage(
      .chat, to: tybalt, from: try JID(House.romeo), payload: "<body>Hi</body>", reveal: true, from: ":1.1")
    #expect(try house.taken().count == 1)
  }

  @Test("After a session its asker finds what anybody finds")
  @LoopActor func afterwards() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    let before = try Self.answers(of: house, to: House.romeo)
    try house.ask(from: "tybalt@shakespeare.lit/library")
    try house.server.say(Self.stanzas(to: House.romeo)[0])
    let inside = try house.taken()
    #expect(inside.count == 2 && inside[1].contains("category='gateway' type='sip' name='nightcloak'"))
    #expect(inside.last?.contains("urn:xmpp:jingle:apps:rtp:1") == true)
    _ = house.account.revoke(nil)
    #expect(try house.taken() == [gone(to: "tybalt@shakespeare.lit/library")])
    #expect(try Self.answers(of: house, to: House.romeo) == before)
  }

  @Test("Who sees one address finds nobody at another")
  @LoopActor func pairs() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.ask(from: "tybalt@shakespeare.lit/library")
    _ = try house.taken()
    let other = "juliet%shakespeare.lit@sip.shakespeare.lit"
    try house.server.say(Self.stanzas(to: other)[0])
    let sent = try house.taken()
    #expect(sent.count == 1 && sent[0].contains("type='error'") && !sent[0].contains("jingle"))
  }
}

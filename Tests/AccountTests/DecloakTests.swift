// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XML
import XMPP

@Suite("Being asked to decloak")
struct DecloakTests {
  private let romeo = "romeo@montague.lit/garden"

  init() { EventLoop.runInBackground() }

  @Test("With the policy off a request leaves no trace: nothing is sent, announced or kept")
  @LoopActor func off() async throws {
    let home = try await Home()
    try await home.connect()
    try home.ask(romeo)
    #expect(try home.server.take().isEmpty)
    #expect(home.announced().isEmpty)
    #expect(home.account.presences.resources(of: try BareJID("romeo@montague.lit")).isEmpty)
  }

  @Test("Nothing is sent before the yes; then bare presence with capabilities goes to the full JID")
  @LoopActor func approved() async throws {
    let home = try await Home()
    try await home.connect()
    home.account.setPresence(show: .dnd, status: "researching", priority: 5)
    _ = try home.server.take()
    try home.account.setPolicy(.ask)
    try home.ask(romeo)
    #expect(try home.server.take().isEmpty)
    let request = try #require(home.announced().first)
    #expect(request.reason == .media)
    try home.account.approve(request.id, full: false, lifetime: nil)
    let sent = try #require(try presences(home.server.take()).first)
    #expect(sent.contains("to='\(romeo)'"))
    #expect(sent.contains("http://jabber.org/protocol/caps"))
    #expect(sent.contains("<x xmlns='vcard-temp:x:update'><photo/></x>"))
    for secret in ["<show", "<status", "<priority", "researching"] { #expect(!sent.contains(secret)) }
  }

  @Test("Three dialects in one stanza are one request, and the specification's reason wins")
  @LoopActor func dialects() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.setPolicy(.ask)
    try home.server.say(
      """
      <presence from='\(romeo)'><temppres xmlns='urn:xmpp:temppres:0' reason='file'/>\
      <decloak xmlns='http://telepathy.freedesktop.org/xmpp/protocol/decloak' reason='text'/>\
      <decloak xmlns='urn:xmpp:decloak:0' reason='media'/></presence>
      """)
    #expect(home.announced().map(\.reason) == [.media])
    #expect(home.announced().first?.namespaces.count == 3)
    #expect(home.account.decloak.pending.count == 1)
  }

  @Test(
    "What a server kept, what comes from a room, from ourselves, or is no available presence is no request",
    arguments: [
      "<presence from='romeo@montague.lit/garden'>\(decloak)<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/></presence>",
      "<presence from='room@muc.lit/romeo'>\(decloak)<x xmlns='http://jabber.org/protocol/muc#user'/></presence>",
      "<presence from='juliet@localhost/other'>\(decloak)</presence>",
      "<presence from='romeo@montague.lit/garden' type='unavailable'>\(decloak)</presence>",
      "<presence from='romeo@montague.lit' type='subscribe'>\(decloak)</presence>",
      "<presence from='romeo@montague.lit/garden' type='foo'>\(decloak)</presence>",
    ])
  @LoopActor func noRequest(_ stanza: String) async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.setPolicy(.allow)
    try home.server.say(stanza)
    #expect(home.announced().isEmpty)
    #expect(try home.server.take().isEmpty)
  }

  @Test("An unanswered request expires in silence, and an approval afterwards sends nothing")
  @LoopActor func expired() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.setPolicy(.ask)
    try home.ask(romeo)
    let request = try #require(home.announced().first)
    home.time.advance(by: .seconds(119))
    #expect(home.resolved().isEmpty)
    home.time.advance(by: .seconds(1))
    #expect(home.resolved() == [.expired])
    #expect(throws: AccountError.self) { try home.account.approve(request.id, full: false, lifetime: nil) }
    #expect(try home.server.take().isEmpty)
    // For an hour repeats are counted in silence.
    home.time.advance(by: .seconds(3599))
    try home.ask(romeo)
    #expect(home.announced().count == 1)
    home.time.advance(by: .seconds(2))
    try home.ask(romeo)
    #expect(home.announced().count == 2)
  }

  @Test("An id that nobody can answer is NoSuchRequest, also while the account is not connected")
  @LoopActor func unknownWhileOffline() async throws {
    let home = try await Home()
    let error = #expect(throws: AccountError.self) {
      try home.account.approve("from-before-1", full: false, lifetime: nil)
    }
    #expect(error?.code == .noSuchRequest)
  }

  @Test("A session ends by itself: the one who saw us is told, and is outside again")
  @LoopActor func lifetime() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.setPolicy(.ask)
    try home.ask(romeo)
    try home.account.approve(try #require(home.announced().first).id, full: false, lifetime: 60)
    _ = try home.server.take()
    home.time.advance(by: .seconds(60))
    let sent = try presences(home.server.take())
    #expect(sent == ["<presence to='\(romeo)' type='unavailable'/>"])
    #expect(home.sessionEnds().contains("romeo@montague.lit they-see-me expired"))
    // Now a question is answered as if nobody were there.
    try home.server.say(
      "<iq from='\(romeo)' to='juliet@localhost/r1' id='q' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    let answer = try home.server.take()
    #expect(answer.count == 1 && answer.first?.contains("service-unavailable") == true)
  }

  @Test("The asker's leaving ends the session")
  @LoopActor func peerLeft() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.setPolicy(.allow)
    try home.ask(romeo)
    #expect(home.announced().first?.isAutomatic == true)
    #expect(home.account.audience.sessions.count == 1)
    try home.server.say("<presence from='\(romeo)' type='unavailable'/>")
    #expect(home.account.audience.sessions.isEmpty)
    #expect(home.sessionEnds().contains("romeo@montague.lit they-see-me peer-left"))
    #expect(home.account.presences.resources(of: try BareJID("romeo@montague.lit")).isEmpty)
  }

  @Test("Going invisible ends sessions with unavailable, withdraws the broadcast, and takes a new resource")
  @LoopActor func hiding() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.setPolicy(.allow)
    try home.ask(romeo)
    let old = try home.server
    _ = old.take()
    try await home.account.setVisibility(.invisible)
    #expect(
      presences(old.take()) == ["<presence to='\(romeo)' type='unavailable'/>", "<presence type='unavailable'/>"])
    #expect(old.isClosed)
    #expect(try home.server !== old)
    #expect(try presences(home.server.take()).isEmpty)
    // "allow" becomes "ask" while we hide.
    try home.ask(romeo)
    #expect(home.account.decloak.pending.count == 1)
    #expect(try home.server.take().isEmpty)
  }
}

@Suite("Asking others to decloak")
struct AskingTests {
  init() { EventLoop.runInBackground() }

  @Test("A request shows capabilities and nothing else; unanswered, our presence is withdrawn after two minutes")
  @LoopActor func unanswered() async throws {
    let home = try await Home()
    try await home.connect()
    let tybalt = try BareJID("tybalt@localhost")
    let asked = try await home.account.requestDecloak(
      tybalt, reason: .media, wait: .zero, lifetime: nil, reveal: false)
    let sent = try #require(try home.server.take().first)
    #expect(sent.contains("to='tybalt@localhost'"))
    for dialect in ["urn:xmpp:decloak:0", "xmpp/protocol/decloak", "urn:xmpp:temppres:0"] {
      #expect(sent.contains(dialect))
    }
    for secret in ["<show", "<status", "<priority"] { #expect(!sent.contains(secret)) }
    // A repeat is the same request.
    let again = try await home.account.requestDecloak(
      tybalt, reason: .media, wait: .zero, lifetime: nil, reveal: false)
    #expect(again.id == asked.id)
    #expect(try home.server.take().isEmpty)
    home.time.advance(by: .seconds(120))
    #expect(try home.server.take() == ["<presence to='tybalt@localhost' type='unavailable'/>"])
  }

  @Test("The one who answers becomes a peer with its verified capabilities; its leaving ends both directions")
  @LoopActor func answered() async throws {
    let home = try await Home()
    try await home.connect()
    let tybalt = try BareJID("tybalt@localhost")
    try home.server.answers["tybalt@localhost/library"] =
      "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='pc'/><feature var='f'/></query>"
    let found = Waiter<[String]>()
    spawn {
      let asked = try? await home.account.requestDecloak(
        tybalt, reason: .media, wait: .seconds(20), lifetime: nil, reveal: false)
      found.finish(asked?.peers.flatMap { [$0.jid.description] + $0.capabilities.features } ?? [])
    }
    await home.sentSomething()
    try home.server.say("<presence from='tybalt@localhost/library'/>")
    #expect(await found.value() == ["tybalt@localhost/library", "f"])
    _ = try home.server.take()
    try home.server.say("<presence from='tybalt@localhost/library' type='unavailable'/>")
    #expect(try home.server.take() == ["<presence to='tybalt@localhost' type='unavailable'/>"])
    #expect(
      home.sessionEnds() == ["tybalt@localhost i-see-them peer-left", "tybalt@localhost they-see-me peer-left"])
  }

  @Test("Capabilities whose hash does not match are not believed")
  @LoopActor func forged() async throws {
    let home = try await Home()
    try await home.connect()
    try home.server.answers["tybalt@localhost/library"] =
      "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='pc'/><feature var='f'/></query>"
    let told = Waiter<[String]>()
    home.onEvent = { if case .peerDecloaked(_, let peer) = $0 { told.finish(peer.capabilities.features) } }
    _ = try await home.account.requestDecloak(
      try BareJID("tybalt@localhost"), reason: .media, wait: .zero, lifetime: nil, reveal: false)
    try home.server.say(
      """
      <presence from='tybalt@localhost/library'>\
      <c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/></presence>
      """)
    #expect(await told.value() == [])
  }

  @Test("While invisible a request needs reveal")
  @LoopActor func invisible() async throws {
    let home = try await Home(mode: .invisible)
    try await home.connect()
    let tybalt = try BareJID("tybalt@localhost")
    await #expect(throws: AccountError.self) {
      _ = try await home.account.requestDecloak(
        tybalt, reason: .media, wait: .zero, lifetime: nil, reveal: false)
    }
    #expect(try home.server.take().isEmpty)
    _ = try await home.account.requestDecloak(tybalt, reason: .media, wait: .zero, lifetime: nil, reveal: true)
    #expect(try home.server.take().count == 1)
  }

  @Test("An IQ result counts only from the one who was asked")
  @LoopActor func wrongSender() async throws {
    let home = try await Home()
    try await home.connect()
    let told = Waiter<Void>()
    home.onEvent = { if case .peerDecloaked = $0 { told.finish(()) } }
    _ = try await home.account.requestDecloak(
      try BareJID("tybalt@localhost"), reason: .media, wait: .zero, lifetime: nil, reveal: false)
    _ = try home.server.take()
    try home.server.say("<presence from='tybalt@localhost/library'/>")
    await home.sentSomething()
    let question = try #require(try home.server.sent.last?.attribute("id"))
    let info = "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='forged'/></query>"
    try home.server.say("<iq type='result' id='\(question)' from='mallory@localhost/m'>\(info)</iq>")
    try home.server.say(
      "<iq type='result' id='\(question)' from='tybalt@localhost/library'>\(info.replacing("forged", with: "real"))</iq>"
    )
    await told.value()
    let peer = try #require(home.account.decloak.peers.values.first)
    #expect(home.account.knownPeers(of: peer.address.account).first?.capabilities.features == ["real"])
  }
}

private let decloak = "<decloak xmlns='urn:xmpp:decloak:0'/>"

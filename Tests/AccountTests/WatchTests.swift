// SPDX-License-Identifier: Apache-2.0

import Audience
import EventLoop
import Testing
import XML
import XMPP

@testable import Account

/// Others' presence while ours is not broadcast.
@Suite("Seeing others while hidden", .timeLimit(.minutes(1)))
struct WatchTests {
  init() { EventLoop.runInBackground() }

  private static let romeo = "<item jid='romeo@localhost' subscription='to'/>"

  @LoopActor private func home(
    _ roster: String = romeo, probes: Bool = true, _ prepare: @escaping @LoopActor (ScriptedServer) -> Void = { _ in }
  ) async throws -> Home {
    let home = try await Home(wish: VisibilityWish(showsOthers: false, probes: probes), roster: roster)
    home.onOpen = prepare
    try await home.account.connect()
    return home
  }

  @LoopActor private func probed(_ home: Home) throws -> [String] {
    try home.server.take().filter { $0.contains("type='probe'") }
      .map { String($0.components("to='")?.prefix { $0 != "'" } ?? "") }
      .filter { !$0.hasPrefix("juliet@") }
  }

  @LoopActor private func roster(of count: Int) -> String {
    (0..<count).map { "<item jid='c\($0)@localhost' subscription='both'/>" }.joined()
  }

  // MARK: Contacts

  @Test("Those whose presence we are subscribed to are probed, and nobody else")
  @LoopActor func whoIsProbed() async throws {
    let items = ["to", "both", "from", "none"].map { "<item jid='\($0)@localhost' subscription='\($0)'/>" }.joined()
    let home = try await home(items)
    #expect(try probed(home) == ["both@localhost", "to@localhost"])
    #expect(home.account.degraded.contains(.probesSent))
  }

  @Test("Nobody is probed where that is not wanted, and while everybody may see us")
  @LoopActor func unwanted() async throws {
    let hidden = try await home(probes: false)
    #expect(try probed(hidden).isEmpty)
    #expect(!hidden.account.degraded.contains(.probesSent))
    #expect(hidden.account.degraded.contains(.noContactPresence))
    let visible = try await Home(roster: Self.romeo)
    try await visible.account.connect()
    #expect(try probed(visible).isEmpty)
  }

  @Test("A change of the wish alone begins it, and ends it")
  @LoopActor func wish() async throws {
    let home = try await home(probes: false)
    try await home.account.setVisibility(VisibilityWish(showsOthers: false, probes: true))
    #expect(try probed(home) == ["romeo@localhost"])
    try await home.account.setVisibility(VisibilityWish(showsOthers: false, probes: false))
    home.time.advance(by: .seconds(3600))
    #expect(try probed(home).isEmpty)
  }

  @Test("The contacts' presence is unknown until one server has answered, also with a no")
  @LoopActor func answered() async throws {
    for answer in ["", " type='unavailable'"] {
      let home = try await home()
      #expect(home.account.degraded.contains(.noContactPresence))
      try home.server.say("<presence from='romeo@localhost'\(answer)/>")
      #expect(!home.account.degraded.contains(.noContactPresence))
    }
  }

  @Test("Who sends us presence by itself, as a request, has not been answered for by its server")
  @LoopActor func requestIsNoAnswer() async throws {
    let home = try await home()
    try home.ask("romeo@localhost/r")
    #expect(home.account.degraded.contains(.noContactPresence))
  }

  @Test("A large roster is probed at a pace; then no timer but the next round's")
  @LoopActor func paced() async throws {
    let home = try await home(roster(of: 1000))
    #expect(try probed(home).count == 50)
    home.time.advance(by: .milliseconds(100))
    #expect(try probed(home).count == 50)
    home.time.advance(by: .milliseconds(1799))
    #expect(try probed(home).count == 850)
    home.time.advance(by: .milliseconds(1))
    #expect(try probed(home).count == 50)
    home.time.advance(by: .seconds(31))
    let resting = home.time.pendingTimers
    home.account.setActive(false)
    #expect(home.time.pendingTimers == resting - 1)
    home.time.advance(by: .seconds(3600))
    #expect(try probed(home).isEmpty)
  }

  @Test("While somebody looks there is a round every ten minutes; whoever looks again has one at once")
  @LoopActor func rounds() async throws {
    let home = try await home()
    #expect(try probed(home).count == 1)
    home.time.advance(by: .seconds(599))
    #expect(try probed(home).isEmpty)
    home.time.advance(by: .seconds(1))
    #expect(try probed(home).count == 1)
    home.account.setActive(false)
    home.time.advance(by: .seconds(3600))
    #expect(try probed(home).isEmpty)
    home.account.setActive(true)
    home.time.advance(by: .zero)
    #expect(try probed(home).count == 1)
  }

  @Test("What a round does not confirm is forgotten, but not what somebody sent us by itself")
  @LoopActor func unconfirmed() async throws {
    let home = try await home()
    let romeo = try BareJID("romeo@localhost")
    func say(_ resources: String...) throws {
      for resource in resources { try home.server.say("<presence from='romeo@localhost/\(resource)'/>") }
    }
    try say("home", "work")
    home.time.advance(by: .seconds(100))
    try say("shared")
    home.time.advance(by: .seconds(500))
    try say("work")
    #expect(home.account.presences.resources(of: romeo).keys.sorted() == ["home", "shared", "work"])
    home.time.advance(by: .seconds(30))
    #expect(home.account.presences.resources(of: romeo).keys.sorted() == ["shared", "work"])
  }

  @Test("Nor is who has answered a request of ours, which its server may not know of")
  @LoopActor func answeredUs() async throws {
    let home = try await home()
    let romeo = try BareJID("romeo@localhost")
    _ = try await home.account.requestDecloak(romeo, reason: .text, wait: .zero, lifetime: nil, reveal: true)
    try home.server.say("<presence from='romeo@localhost/hidden'/>")
    home.time.advance(by: .seconds(640))
    #expect(home.account.presences.resources(of: romeo).keys.sorted() == ["hidden"])
  }

  @Test("Where no server answers, silence makes nobody forgotten")
  @LoopActor func silence() async throws {
    let home = try await home()
    try home.ask("romeo@localhost/r")
    home.time.advance(by: .seconds(630))
    #expect(home.account.presences.resources(of: try BareJID("romeo@localhost")).keys.sorted() == ["r"])
  }

  @Test("A contact that we may see from now on is probed at once; one that we may not see any more, no longer")
  @LoopActor func rosterChanges() async throws {
    let home = try await home()
    _ = try probed(home)
    func push(_ subscription: String) throws {
      try home.server.say(
        """
        <iq type='set' id='p'><query xmlns='jabber:iq:roster'>\
        <item jid='nurse@localhost' subscription='\(subscription)'/></query></iq>
        """)
    }
    try push("none")
    #expect(try probed(home).isEmpty)
    try push("to")
    #expect(try probed(home) == ["nurse@localhost"])
    try push("remove")
    home.time.advance(by: .seconds(600))
    #expect(try probed(home) == ["romeo@localhost"])
  }

  @Test("After a cut the round goes on where it was")
  @LoopActor func cut() async throws {
    let home = try await home(roster(of: 120))
    #expect(try probed(home).count == 50)
    try home.server.cut(time: home.time)
    home.time.advance(by: .seconds(5))
    await home.status(.connected)
    home.time.advance(by: .seconds(5))
    #expect(home.servers.count == 2)
    #expect(try probed(home).count == 70)
  }

  @Test("Probes that are sent back do not fail a change of visibility")
  @LoopActor func sentBack() async throws {
    let home = try await home()
    let server = try home.server
    server.bounces = { [weak server] stanza in
      if stanza.children.first?.namespace == "urn:xmpp:ping" {
        // Somebody to be probed comes on the roster in the middle of the change.
        server?.say(
          """
          <iq type='set' id='p'><query xmlns='jabber:iq:roster'>\
          <item jid='nurse@localhost' subscription='to'/></query></iq>
          """)
      }
      guard stanza.attribute("type") == "probe" else { return nil }
      // Prosody's: it has no address.
      return """
        <presence type='error' id='\(stanza.attribute("id") ?? "")'><error type='modify'>\
        <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        """
    }
    try await home.account.setVisibility(
      VisibilityWish(showsOthers: false, contacts: [BareAddress("nurse@localhost")]))
    #expect(home.account.audience.mode == .only)
    #expect(try probed(home) == ["romeo@localhost", "nurse@localhost"])
  }

  @Test("Where the server tells by itself again, what it does not confirm is forgotten")
  @LoopActor func visibleAgain() async throws {
    let home = try await home("<item jid='romeo@localhost' subscription='both'/>")
    let romeo = try BareJID("romeo@localhost")
    for resource in ["home", "work"] { try home.server.say("<presence from='romeo@localhost/\(resource)'/>") }
    try home.server.bounces = { [weak server = home.server] stanza in
      guard stanza.name == "presence", stanza.attribute("to") == nil, stanza.attribute("type") == nil else {
        return nil
      }
      server?.say("<presence from='romeo@localhost/work'/>")
      return nil
    }
    try await home.account.setVisibility(.visible)
    home.time.advance(by: .seconds(30))
    #expect(home.account.presences.resources(of: romeo).keys.sorted() == ["work"])
    _ = try home.server.take()
    home.time.advance(by: .seconds(3600))
    #expect(try probed(home).isEmpty)
  }

  // MARK: Our own resources

  private static func answering(
    probe: @escaping @LoopActor (String) -> String?, items: String?
  ) -> @LoopActor (ScriptedServer) -> Void {
    { server in
      server.bounces = { stanza in
        let id = stanza.attribute("id") ?? ""
        guard let to = stanza.attribute("to"), to.hasPrefix("juliet@localhost") else { return nil }
        if stanza.attribute("type") == "probe" { return probe(to) }
        guard stanza.children.first?.namespace == "http://jabber.org/protocol/disco#items" else { return nil }
        guard let items else { return "<iq type='error' id='\(id)' from='juliet@localhost'/>" }
        return """
          <iq type='result' id='\(id)' from='juliet@localhost'><query xmlns='http://jabber.org/protocol/disco#items'>\
          \(items)</query></iq>
          """
      }
    }
  }

  /// Waits until all that was begun has gone through the server.
  @LoopActor private func settle(_ home: Home) async throws {
    for _ in 0..<3 { try await home.account.fence() }
  }

  @Test("Another resource is found by its answer, and gone when a later round has none")
  @LoopActor func ownByAnswer() async throws {
    let home = try await home(
      "", Self.answering(probe: { _ in "<presence from='juliet@localhost/phone'/>" }, items: nil))
    try await settle(home)
    #expect(home.account.degraded.contains(.otherResourceVisible))
    #expect(!home.account.degraded.contains(.otherResourcesUnknown))
    try Self.answering(probe: { _ in nil }, items: nil)(home.server)
    home.time.advance(by: .seconds(600))
    try await settle(home)
    #expect(!home.account.degraded.contains(.otherResourceVisible))
    #expect(!home.account.degraded.contains(.otherResourcesUnknown))
  }

  @Test("Where the server lists our resources, each is asked: one that is hidden as well does not count")
  @LoopActor func ownByList() async throws {
    let items = "<item jid='juliet@localhost/r1'/><item jid='juliet@localhost/phone'/><item jid='juliet@localhost/tv'/>"
    for (visible, expected) in [("juliet@localhost/tv", true), ("nobody", false)] {
      let home = try await home(
        "", Self.answering(probe: { $0 == visible ? "<presence from='\($0)'/>" : nil }, items: items))
      try await settle(home)
      #expect(home.account.degraded.contains(.otherResourceVisible) == expected)
      #expect(!home.account.degraded.contains(.otherResourcesUnknown))
    }
  }

  @Test("Where the server neither answers nor lists, it cannot be known; presence that arrives all the same tells")
  @LoopActor func ownUnknown() async throws {
    let home = try await home("", Self.answering(probe: { _ in nil }, items: ""))
    try await settle(home)
    #expect(home.account.degraded.contains(.otherResourcesUnknown))
    try home.server.say("<presence from='juliet@localhost/phone'/>")
    #expect(home.account.degraded.contains(.otherResourceVisible))
    #expect(!home.account.degraded.contains(.otherResourcesUnknown))
    try home.server.say("<presence from='juliet@localhost/phone' type='unavailable'/>")
    #expect(!home.account.degraded.contains(.otherResourceVisible))
  }

  @Test("Where the server broadcasts, it tells of other resources by itself; our own session is none")
  @LoopActor func ownBroadcast() async throws {
    let home = try await Home(mode: .invisible)
    home.onOpen = { $0.disco += "<feature var='presence-invisible'/>" }
    try await home.account.connect()
    #expect(try !home.server.take().contains { $0.contains("type='probe'") })
    #expect(!home.account.degraded.contains(.otherResourcesUnknown))
    try home.server.say("<presence from='juliet@localhost/r1'/>")
    #expect(!home.account.degraded.contains(.otherResourceVisible))
    try home.server.say("<presence from='juliet@localhost/phone'/>")
    #expect(home.account.degraded.contains(.otherResourceVisible))
    try home.server.say("<presence from='juliet@localhost/phone' type='unavailable'/>")
    #expect(!home.account.degraded.contains(.otherResourceVisible))
  }
}

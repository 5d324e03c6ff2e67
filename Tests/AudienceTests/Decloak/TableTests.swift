// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

/// One test for each row of the API's table of events, as far as the core has to do with it; the details have suites of
/// their own.
@Suite("The table of events")
struct TableTests {
  private let street = jid("tybalt@capulet.example/street")
  private let hall = jid("tybalt@capulet.example/hall")

  private func approved(_ mode: Mode = .visible) throws -> World {
    var world = World(mode: mode)
    world.receive("tybalt@capulet.example/street")
    try world.approve(world.pendingID(tybalt))
    return world
  }

  @Test("on the wire: several dialects in one stanza are one request")
  func dialects() {
    var world = World()
    let effects = world.receive(
      "tybalt@capulet.example/street", .media, namespaces: ["urn:xmpp:decloak:0", "urn:xmpp:temppres:0"])
    #expect(effects.announced.map(\.namespaces) == [["urn:xmpp:decloak:0", "urn:xmpp:temppres:0"]])
    #expect(effects.announced.map(\.count) == [1])
  }

  @Test("request and reply: capabilities only, more only when approved with full")
  func capabilitiesOnly() throws {
    for full in [false, true] {
      var world = World()
      world.receive("tybalt@capulet.example/street")
      let effects = try world.approve(world.pendingID(tybalt), full: full)
      #expect(effects.contains(.show(street, full: full)))
      #expect(world.audience.seesAll(street) == full)
    }
    var world = World(.allow)
    #expect(world.receive("tybalt@capulet.example/street").contains(.show(street, full: false)))
    try world.ask(romeo)
    #expect(!world.audience.seesAll(.bare(romeo)))
  }

  @Test("reply goes to: the asker's full JID, and no other of its resources")
  func replyTo() throws {
    let world = try approved()
    #expect(world.audience.shown == [street])
    #expect(!world.sees("tybalt@capulet.example/hall"))
    #expect(!world.sees("tybalt@capulet.example"))
  }

  @Test("accepted as a request: not from our own JID; an unknown reason is other")
  func accepted() {
    for policy in Decloak.Policy.allCases {
      var world = World(policy)
      #expect(world.receive("juliet@capulet.example/balcony").isEmpty)
    }
    #expect(DecloakReason(attribute: "click here") == .other)
  }

  @Test("decides: the contact's rule, else the domain's, else the policy")
  func decides() throws {
    var world = World(.allow)
    try world.setRule("@capulet.example", .deny)
    try world.setRule("tybalt@capulet.example", .ask)
    #expect(world.receive("tybalt@capulet.example/street").announced.map(\.isAutomatic) == [false])
    #expect(world.receive("nurse@capulet.example/hall").resolved.map(\.outcome) == [.denied])
    #expect(world.receive("guard@sub.capulet.example/gate").resolved.map(\.outcome) == [.approved])
  }

  @Test("asking for capabilities: nobody is a peer while it waits, nor after a no")
  func peers() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    #expect(world.decloak.peers.isEmpty)
    try world.deny(world.pendingID(tybalt))
    #expect(world.decloak.peers.isEmpty)
    #expect(try approved().decloak.peers.keys.map(\.description) == ["tybalt@capulet.example/street"])
  }

  @Test("nobody is watching, ask: listed until it expires after 120 s; then nothing is sent")
  func nobodyWatching() {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    #expect(world.wait(119.999).isEmpty)
    #expect(world.decloak.pendingRequests.count == 1)
    let effects = world.wait(0.001)
    #expect(effects.resolved == [Resolution(contact: tybalt, outcome: .expired)])
    #expect(effects.sendNothing)
    #expect(world.decloak.pendingRequests.isEmpty)
  }

  @Test("two clients answer: the first wins, the same again succeeds, a different one does not")
  func twoClients() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    let id = world.pendingID(tybalt)
    try world.deny(id)
    #expect(try world.deny(id).isEmpty)
    #expect(throws: DecloakError.alreadyResolved(id: id, .denied)) { try world.approve(id) }
    #expect(!world.sees("tybalt@capulet.example/street"))
  }

  @Test("Approve after expiry or restart: no such request, and nothing is sent")
  func tooLate() {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    let id = world.pendingID(tybalt)
    world.pass(120)
    #expect(throws: DecloakError.noSuchRequest(id: id)) { try world.approve(id) }
    world.wait(0)
    #expect(throws: DecloakError.noSuchRequest(id: id)) { try world.approve(id) }
    #expect(throws: DecloakError.noSuchRequest(id: "before-1")) { try world.approve("before-1") }
    #expect(world.audience.shown.isEmpty)
  }

  @Test("approve: answers every full JID of the contact that asked and has not left")
  func approve() throws {
    var world = World()
    for resource in ["street", "hall", "market"] { world.receive("tybalt@capulet.example/\(resource)") }
    world.leave("tybalt@capulet.example/market")
    #expect(try world.approve(world.pendingID(tybalt)).shown == [street, hall])
  }

  @Test("asker sends unavailable: that full JID is withdrawn, the request with the last; or its session ends")
  func askerLeaves() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.receive("tybalt@capulet.example/hall")
    #expect(world.leave("tybalt@capulet.example/street").resolved.isEmpty)
    #expect(world.decloak.pending[tybalt]?.requesters == [hall])
    #expect(
      world.leave("tybalt@capulet.example/hall").resolved == [Resolution(contact: tybalt, outcome: .withdrawn)])
    world = try approved()
    #expect(Set(world.leave("tybalt@capulet.example/street").ends.map(\.cause)) == [.peerLeft])
    #expect(!world.sees("tybalt@capulet.example/street"))
  }

  @Test("repeat from the same bare JID: merged, no second announcement, no new deadline; silence for 1 h after")
  func repeats() throws {
    var world = World()
    let first = try #require(world.receive("tybalt@capulet.example/street").announced.first)
    world.pass(60)
    #expect(world.receive("tybalt@capulet.example/hall").announced.isEmpty)
    #expect(world.decloak.pending[tybalt]?.count == 2)
    #expect(world.decloak.pending[tybalt]?.expiresAt == first.expiresAt)
    world.wait(60)
    world.wait(3599.999)
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    #expect(world.decloak.count(of: first.id) == 3)
    world.pass(0.001)
    let second = try #require(world.receive("tybalt@capulet.example/street").announced.first)
    try world.deny(second.id)
    world.pass(3599.999)
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    world.pass(0.001)
    #expect(world.receive("tybalt@capulet.example/street").announced.count == 1)
  }

  @Test("limits: 1 for each bare JID, 8 for each domain, 16 in all of which 4 for the roster; more is counted")
  func limits() {
    var world = World()
    for index in 0..<9 {
      for resource in 0..<3 { world.receive("a\(index)@evil.example/r\(resource)") }
    }
    #expect(world.decloak.pending.count == 8)
    for index in 0..<9 { world.receive("a@d\(index).example/x") }
    #expect(world.decloak.pending.count == 12)
    for index in 0..<9 { world.receive("friend@f\(index).example/x", isInRoster: true) }
    #expect(world.decloak.pending.count == 16)
    #expect(world.decloak.droppedRequests == 3 + 5 + 5)
  }

  @Test("session: of one full JID, for an hour unless given")
  func session() throws {
    var world = try approved()
    #expect(world.audience.sessions.keys.map(\.description) == ["tybalt@capulet.example/street"])
    #expect(world.session("tybalt@capulet.example/street")?.expiresAt == world.now.later(bySeconds: 3600))
    #expect(world.wait(3600).hidden == [street])
    try world.share("tybalt@capulet.example/hall", lifetime: 5)
    #expect(world.wait(5).hidden == [hall])
  }

  @Test("asking side: a session for 120 s without an answer, then as said; nothing is sent where we see the contact")
  func asking() throws {
    var world = World()
    #expect(try world.ask(romeo, isSeen: true).effects.isEmpty)
    try world.ask(romeo)
    #expect(world.wait(119.999).isEmpty)
    #expect(world.wait(0.001).hidden == [.bare(romeo)])
    try world.ask(romeo, lifetime: 600)
    world.appear("romeo@montague.example/orchard")
    #expect(world.wait(599.999).isEmpty)
    #expect(world.wait(0.001).hidden == [.bare(romeo)])
    var hidden = World(mode: .invisible)
    #expect(throws: DecloakError.wouldReveal(romeo)) { try hidden.ask(romeo) }
    #expect(try hidden.ask(romeo, reveal: true).effects.shown == [.bare(romeo)])
  }

  @Test("a full JID that CanSee: sent again, no prompt, once per 10 s; hidden from it is a stranger")
  func canSee() {
    var world = World(subscribers: [romeo])
    #expect(
      world.receive("romeo@montague.example/orchard") == [.show(jid("romeo@montague.example/orchard"), full: true)])
    #expect(world.receive("romeo@montague.example/orchard").isEmpty)
    world.pass(10)
    #expect(world.receive("romeo@montague.example/orchard").count == 1)
    world.setVisibility(Visibility(showsOthers: true, exceptions: [romeo]))
    let asked = world.receive("romeo@montague.example/orchard")
    #expect(asked.announced.map(\.isHiddenFrom) == [true])
    #expect(asked.sendNothing)
  }

  @Test("Mode invisible or only: every allow becomes ask; in except only for Contacts")
  func modes() throws {
    let visibilities: [(Visibility, asksTybalt: Bool, asksRomeo: Bool)] = [
      (.visible, false, false), (.invisible, true, true),
      (Visibility(showsOthers: false, exceptions: [tybalt]), true, true),
      (Visibility(showsOthers: true, exceptions: [tybalt]), true, false),
    ]
    for isRule in [false, true] {
      for (visibility, asksTybalt, asksRomeo) in visibilities {
        var world = World(isRule ? .rules : .allow)
        world.setVisibility(visibility)
        if isRule {
          try world.setRule("tybalt@capulet.example", .allow)
          try world.setRule("@montague.example", .allow)
        }
        #expect(world.receive("tybalt@capulet.example/street").shown.isEmpty == asksTybalt)
        #expect(world.receive("romeo@montague.example/orchard").shown.isEmpty == asksRomeo)
        #expect(world.decloak.pending.count == (asksTybalt ? 1 : 0) + (asksRomeo ? 1 : 0))
      }
    }
  }

  @Test("leaving the audience: those sessions end first, with directed unavailable")
  func leaving() throws {
    var world = try approved()
    #expect(world.setVisibility(Visibility(showsOthers: true, exceptions: [tybalt])).hidden == [street])
    world = try approved()
    #expect(world.setMode(.invisible).hidden == [street])
    world = try approved()
    #expect(world.setPolicy(.off).hidden == [street])
    #expect(world.audience.sessions.isEmpty)
  }

  @Test("session end: unavailable to those shown who are outside now; upgraded and absorbed send nothing")
  func sessionEnd() throws {
    var world = try approved()
    #expect(world.revoke(tybalt).effects.hidden == [street])
    world = try approved()
    try world.upgrade(tybalt)
    let upgraded = world.roster(tybalt, seesUs: true, seen: true)
    #expect(upgraded.sendNothing)
    #expect(Set(upgraded.ends.map(\.cause)) == [.upgraded])
    world = World(mode: .invisible, subscribers: [tybalt])
    world.receive("tybalt@capulet.example/street")
    try world.approve(world.pendingID(tybalt))
    let absorbed = world.setMode(.visible)
    #expect(absorbed.sendNothing)
    #expect(absorbed.ends.map(\.cause) == [.absorbed])
  }

  @Test("Upgrade: asks for both; the session stays until the roster shows both, and goes on when refused")
  func upgrade() throws {
    var world = try approved()
    #expect(try world.upgrade(tybalt) == [.subscribeBothWays(tybalt)])
    for (seesUs, seen) in [(true, false), (false, true), (false, false)] {
      #expect(world.roster(tybalt, seesUs: seesUs, seen: seen).ends.isEmpty)
      #expect(world.audience.sessions[street] != nil)
    }
    #expect(world.roster(tybalt, seesUs: true, seen: true).ends.count == 2)
    #expect(world.audience.why(street) == .subscription)
  }

  @Test("resume: sessions survive, what may be lost is said again; a new stream: they end, nothing is shown again")
  func streams() throws {
    var world = try approved()
    #expect(world.resume().isEmpty)
    #expect(world.resume(unconfirmed: [street]) == [.show(street, full: false)])
    #expect(world.audience.sessions.count == 1)
    let ended = world.disconnect(inOrder: false)
    #expect(ended.sendNothing)
    #expect(Set(ended.ends.map(\.cause)) == [.disconnected])
    #expect(world.wait(1).isEmpty)
    #expect(!world.sees("tybalt@capulet.example/street"))
  }
}

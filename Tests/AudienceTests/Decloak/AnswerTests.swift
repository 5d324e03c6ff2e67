// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("A request to decloak is answered")
struct AnswerTests {
  @Test("A yes answers every full JID that asked and has not left, and no other")
  func approve() throws {
    var world = World()
    for resource in ["street", "hall", "square"] { world.receive("tybalt@capulet.example/\(resource)") }
    world.leave("tybalt@capulet.example/hall")
    let effects = try world.approve(world.pendingID(tybalt))
    #expect(effects.shown == [jid("tybalt@capulet.example/street"), jid("tybalt@capulet.example/square")])
    #expect(effects.resolved == [Resolution(contact: tybalt, outcome: .approved)])
    #expect(world.sees("tybalt@capulet.example/street"))
    #expect(!world.sees("tybalt@capulet.example/hall"))
    #expect(!world.sees("tybalt@capulet.example"))
    #expect(world.decloak.pending.isEmpty)
  }

  @Test("A yes sends capabilities alone, and show and status only where the call says so", arguments: [false, true])
  func full(_ full: Bool) throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    let effects = try world.approve(world.pendingID(tybalt), full: full)
    #expect(effects.first == .show(jid("tybalt@capulet.example/street"), full: full))
    #expect(world.session("tybalt@capulet.example/street")?.full == full)
  }

  @Test("A yes is given while we are invisible, too: to that resource alone")
  func invisible() throws {
    var world = World(.allow, mode: .invisible, subscribers: [romeo])
    world.receive("romeo@montague.example/orchard")
    #expect(try world.approve(world.pendingID(romeo)).shown == [jid("romeo@montague.example/orchard")])
    #expect(!world.sees("romeo@montague.example"))
  }

  @Test("The session lasts as long as the call says, and both sides see each other in it")
  func lifetime() throws {
    var world = World()
    world.pass(3)
    world.receive("tybalt@capulet.example/street")
    try world.approve(world.pendingID(tybalt), lifetime: 60)
    let session = try #require(world.session("tybalt@capulet.example/street"))
    #expect(session.origin == .approved)
    #expect(session.since == world.now)
    #expect(session.expiresAt == world.now.later(bySeconds: 60))
    let peer = try #require(world.decloak.peers(of: tybalt).first)
    #expect(peer.address == jid("tybalt@capulet.example/street"))
    #expect(peer.askID == nil)
    #expect(peer.expiresAt == session.expiresAt)
  }

  @Test("A no sends nothing")
  func deny() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    let effects = try world.deny(world.pendingID(tybalt))
    #expect(effects.resolved == [Resolution(contact: tybalt, outcome: .denied)])
    #expect(effects.sendNothing)
    #expect(!world.sees("tybalt@capulet.example/street"))
  }

  @Test("The same answer again succeeds and does nothing")
  func sameAnswer() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    let yes = world.pendingID(tybalt)
    try world.approve(yes)
    #expect(try world.approve(yes).isEmpty)
    world.receive("romeo@montague.example/orchard")
    let no = world.pendingID(romeo)
    try world.deny(no)
    #expect(try world.deny(no).isEmpty)
  }

  @Test("The second of two different answers is told that it came second")
  func secondAnswer() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    let yes = world.pendingID(tybalt)
    try world.approve(yes)
    #expect(throws: DecloakError.alreadyResolved(id: yes, .approved)) { try world.deny(yes) }
    #expect(world.sees("tybalt@capulet.example/street"))
    world.receive("romeo@montague.example/orchard")
    let no = world.pendingID(romeo)
    try world.deny(no)
    #expect(throws: DecloakError.alreadyResolved(id: no, .denied)) { try world.approve(no) }
    #expect(!world.sees("romeo@montague.example/orchard"))
  }

  @Test("An answer after the deadline finds no request and sends nothing, even when the timer is late")
  func lateAnswer() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    let id = world.pendingID(tybalt)
    world.pass(120)
    #expect(throws: DecloakError.noSuchRequest(id: id)) { try world.approve(id) }
    #expect(throws: DecloakError.noSuchRequest(id: id)) { try world.deny(id) }
    #expect(!world.sees("tybalt@capulet.example/street"))
    world.wait(0)
    #expect(throws: DecloakError.noSuchRequest(id: id)) { try world.approve(id) }
    #expect(throws: DecloakError.noSuchRequest(id: id)) { try world.deny(id) }
  }

  @Test("An answer just before the deadline counts")
  func lastMoment() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.pass(119.999)
    try world.approve(world.pendingID(tybalt))
    #expect(world.sees("tybalt@capulet.example/street"))
  }

  @Test("An id of another run of the program names no request")
  func restart() {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    #expect(throws: DecloakError.noSuchRequest(id: "earlier-1")) { try world.approve("earlier-1") }
    #expect(throws: DecloakError.noSuchRequest(id: "")) { try world.deny("") }
  }

  // MARK: Silence

  @Test("After a no, repeats are counted in silence for an hour")
  func silenceAfterNo() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    try world.deny(world.pendingID(tybalt))
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    world.wait(3599.999)
    #expect(world.receive("tybalt@capulet.example/hall").isEmpty)
    #expect(world.decloak.silencedRequests == 2)
    world.pass(0.001)
    #expect(world.receive("tybalt@capulet.example/street").announced.count == 1)
  }

  @Test("After a request expired, repeats are counted in silence for an hour")
  func silenceAfterExpiry() {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.wait(120)
    world.wait(3599.999)
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    #expect(world.decloak.silencedRequests == 1)
    world.pass(0.001)
    #expect(world.receive("tybalt@capulet.example/street").announced.count == 1)
  }

  @Test("The silence is for that contact alone")
  func silenceOfOne() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    try world.deny(world.pendingID(tybalt))
    #expect(world.receive("nurse@capulet.example/hall").announced.count == 1)
  }

  // MARK: Policy

  @Test("Turning off denies those who wait, without a word to them")
  func offPending() {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    let effects = world.setPolicy(.off)
    #expect(effects.resolved == [Resolution(contact: tybalt, outcome: .denied)])
    #expect(effects.sendNothing)
    #expect(world.decloak.pending.isEmpty)
  }

  @Test("A silence after a no outlasts off, also that of those who waited when it was turned off")
  func offForgets() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    try world.deny(world.pendingID(tybalt))
    world.receive("romeo@montague.example/orchard")
    world.setPolicy(.off)
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    world.setPolicy(.ask)
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    #expect(world.receive("romeo@montague.example/orchard").isEmpty)
    // What came while it was off is not counted either.
    #expect(world.decloak.silencedRequests == 2)
  }

  @Test("Turning off takes back every yes with directed unavailable, and leaves what we began ourselves")
  func offSessions() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    try world.approve(world.pendingID(tybalt))
    try world.share("nurse@capulet.example/hall")
    try world.ask(romeo)
    let effects = world.setPolicy(.off)
    #expect(effects.hidden == [jid("tybalt@capulet.example/street")])
    #expect(
      effects.ends == [
        End(contact: tybalt, direction: .theySeeMe, cause: .revoked),
        End(contact: tybalt, direction: .iSeeThem, cause: .revoked),
      ])
    #expect(!world.sees("tybalt@capulet.example/street"))
    #expect(world.sees("nurse@capulet.example/hall"))
    #expect(world.sees("romeo@montague.example"))
  }

  @Test("The same policy again, and any but off, changes nothing that is there")
  func otherPolicies() throws {
    var world = World(.ask)
    world.receive("tybalt@capulet.example/street")
    #expect(world.setPolicy(.ask).isEmpty)
    #expect(world.setPolicy(.allow).isEmpty)
    #expect(world.decloak.pending.count == 1)
    #expect(!world.sees("tybalt@capulet.example/street"))
  }
}

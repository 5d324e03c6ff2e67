// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("We ask a contact to decloak")
struct AskingTests {
  @Test("Asking shows us to the whole contact at once, for 120 s")
  func ask() throws {
    var world = World()
    world.pass(1)
    let asked = try world.ask(romeo, .media)
    #expect(asked.effects == [.request(romeo, .media)])
    let session = try #require(world.session("romeo@montague.example"))
    #expect(session.origin == .requested)
    #expect(!session.full)
    #expect(session.expiresAt == world.now.later(bySeconds: 120))
    #expect(world.sees("romeo@montague.example/orchard"))
    #expect(world.decloak.asks[romeo]?.id == asked.id)
  }

  @Test("Without an answer our presence is withdrawn from the bare JID after 120 s")
  func unanswered() throws {
    var world = World()
    try world.ask(romeo, lifetime: 7200)
    #expect(world.wait(119.999).isEmpty)
    let effects = world.wait(0.001)
    #expect(effects == [.hide(.bare(romeo)), .sessionEnded(romeo, .theySeeMe, .expired)])
    #expect(world.decloak.asks.isEmpty)
    #expect(world.audience.shown.isEmpty)
  }

  @Test("The answer makes it a session of the lifetime that the call gave")
  func answered() throws {
    var world = World()
    let asked = try world.ask(romeo, lifetime: 600)
    world.pass(100)
    #expect(
      world.appear("romeo@montague.example/orchard")
        == [.peerAppeared(jid("romeo@montague.example/orchard"), id: asked.id)])
    #expect(world.session("romeo@montague.example")?.expiresAt == world.now.later(bySeconds: 600))
    let peer = try #require(world.decloak.peers(of: romeo).first)
    #expect(peer.askID == asked.id)
    #expect(peer.expiresAt == world.now.later(bySeconds: 600))
    #expect(world.wait(599.999).isEmpty)
    let effects = world.wait(0.001)
    #expect(effects.hidden == [.bare(romeo)])
    #expect(
      effects.ends == [
        End(contact: romeo, direction: .theySeeMe, cause: .expired),
        End(contact: romeo, direction: .iSeeThem, cause: .expired),
      ])
  }

  @Test("Several resources may answer; the first one sets the time, each is told of once")
  func severalResources() throws {
    var world = World()
    let asked = try world.ask(romeo, lifetime: 600)
    world.appear("romeo@montague.example/orchard")
    let end = world.now.later(bySeconds: 600)
    world.pass(10)
    #expect(
      world.appear("romeo@montague.example/cell") == [.peerAppeared(jid("romeo@montague.example/cell"), id: asked.id)])
    #expect(world.appear("romeo@montague.example/orchard").isEmpty)
    #expect(world.session("romeo@montague.example")?.expiresAt == end)
    #expect(world.decloak.peers(of: romeo).map(\.expiresAt) == [end, end])
    #expect(
      world.decloak.peers(of: romeo).map(\.address)
        == [jid("romeo@montague.example/cell"), jid("romeo@montague.example/orchard")])
    #expect(world.decloak.peers(of: tybalt).isEmpty)
  }

  @Test("Presence of somebody whom we did not ask is nothing to us")
  func notAsked() throws {
    var world = World()
    try world.ask(romeo)
    #expect(world.appear("tybalt@capulet.example/street").isEmpty)
    #expect(world.decloak.peers.isEmpty)
  }

  @Test("An answer at the deadline is too late, even when the timer is late")
  func lateAnswer() throws {
    var world = World()
    try world.ask(romeo)
    world.pass(120)
    #expect(world.appear("romeo@montague.example/orchard").isEmpty)
    #expect(world.wait(0).hidden == [.bare(romeo)])
  }

  @Test("Once answered it is open as long as the session: a repeat has the same id, more resources may answer")
  func openWhileAnswered() throws {
    var world = World()
    let id = try world.ask(romeo).id
    world.appear("romeo@montague.example/orchard")
    world.wait(1000)
    #expect(try world.ask(romeo) == Decloak.Asked(id: id, effects: []))
    #expect(
      world.appear("romeo@montague.example/cell") == [.peerAppeared(jid("romeo@montague.example/cell"), id: id)])
  }

  @Test("Nobody joins a session that is over, even when the timer is late")
  func lateResource() throws {
    var world = World()
    try world.ask(romeo, lifetime: 60)
    world.appear("romeo@montague.example/orchard")
    world.pass(60)
    #expect(world.appear("romeo@montague.example/cell").isEmpty)
    #expect(world.decloak.peers.count == 1)
  }

  @Test("The session is over when the last resource that answered has left")
  func peersLeft() throws {
    var world = World()
    try world.ask(romeo)
    // One that never answered takes nothing with it.
    #expect(world.leave("romeo@montague.example/market").isEmpty)
    world.appear("romeo@montague.example/orchard")
    world.appear("romeo@montague.example/cell")
    #expect(
      world.leave("romeo@montague.example/orchard").ends
        == [End(contact: romeo, direction: .iSeeThem, cause: .peerLeft)])
    #expect(world.sees("romeo@montague.example"))
    let effects = world.leave("romeo@montague.example/cell")
    #expect(effects.hidden == [.bare(romeo)])
    #expect(Set(effects.ends.map(\.direction)) == [.iSeeThem, .theySeeMe])
    #expect(world.decloak.asks.isEmpty)
  }

  @Test("A request that bounces is over at once")
  func bounced() throws {
    var world = World()
    try world.ask(romeo)
    let effects = world.leave("romeo@montague.example")
    #expect(effects == [.hide(.bare(romeo)), .sessionEnded(romeo, .theySeeMe, .peerLeft)])
    #expect(world.decloak.asks.isEmpty)
  }

  @Test("A repeat while one is open returns the same id and sends nothing")
  func repeated() throws {
    var world = World()
    let first = try world.ask(romeo, .media)
    world.pass(60)
    #expect(try world.ask(romeo, .file) == Decloak.Asked(id: first.id, effects: []))
    #expect(world.session("romeo@montague.example")?.expiresAt == Instant(nanoseconds: 120_000_000_000))
    world.appear("romeo@montague.example/orchard")
    #expect(try world.ask(romeo).id == first.id)
    world.wait(3600)
    #expect(try world.ask(romeo).id != first.id)
  }

  @Test("If we see the contact already, nothing is sent and nobody is shown anything")
  func isSeen() throws {
    var world = World()
    #expect(try world.ask(romeo, isSeen: true).effects.isEmpty)
    #expect(world.audience.sessions.isEmpty)
    #expect(world.decloak.asks.isEmpty)
    // In a session, too.
    world.receive("tybalt@capulet.example/street")
    try world.approve(world.pendingID(tybalt))
    #expect(try world.ask(tybalt).effects.isEmpty)
    #expect(!world.sees("tybalt@capulet.example"))
  }

  @Test("While invisible asking would reveal us, and needs the call to say that it is meant")
  func wouldReveal() throws {
    var world = World(mode: .invisible, subscribers: [romeo])
    #expect(throws: DecloakError.wouldReveal(romeo)) { try world.ask(romeo) }
    #expect(throws: DecloakError.wouldReveal(tybalt)) { try world.ask(tybalt) }
    #expect(world.audience.sessions.isEmpty)
    #expect(world.decloak.asks.isEmpty)
    #expect(try world.ask(tybalt, reveal: true).effects == [.request(tybalt, .media)])
    #expect(world.sees("tybalt@capulet.example"))
    #expect(!world.sees("romeo@montague.example"))
  }

  @Test("While invisible a contact that sees us in a session may be asked")
  func insideWhileInvisible() throws {
    var world = World(mode: .invisible)
    try world.share("tybalt@capulet.example")
    #expect(try world.ask(tybalt).effects == [.request(tybalt, .media)])
  }

  @Test("A session with one resource is no leave to show us to the others")
  func oneResource() throws {
    var world = World(mode: .invisible)
    try world.share("tybalt@capulet.example/street")
    #expect(throws: DecloakError.wouldReveal(tybalt)) { try world.ask(tybalt) }
  }

  @Test("We do not ask ourselves")
  func ourselves() {
    var world = World()
    let us = world.audience.account
    #expect(throws: DecloakError.ourselves) { try world.ask(us) }
    #expect(throws: DecloakError.ourselves) { try world.ask(us, isSeen: true) }
  }

  @Test("An id of our own request cannot be approved or denied")
  func notApprovable() throws {
    var world = World()
    let id = try world.ask(romeo).id
    #expect(throws: DecloakError.noSuchRequest(id: id)) { try world.approve(id) }
    #expect(throws: DecloakError.noSuchRequest(id: id)) { try world.deny(id) }
  }

  @Test("Revoke ends our own request, and a late answer is nothing to us")
  func revoked() throws {
    var world = World()
    try world.ask(romeo)
    let (effects, ended) = world.revoke(romeo)
    #expect(effects == [.hide(.bare(romeo)), .sessionEnded(romeo, .theySeeMe, .revoked)])
    #expect(ended == 1)
    #expect(world.appear("romeo@montague.example/orchard").isEmpty)
  }

  @Test("Two that ask each other see each other without a prompt")
  func mutual() throws {
    var world = World()
    let asked = try world.ask(romeo)
    let appeared = world.appear("romeo@montague.example/orchard")
    #expect(appeared == [.peerAppeared(jid("romeo@montague.example/orchard"), id: asked.id)])
    #expect(
      world.receive("romeo@montague.example/orchard") == [.show(jid("romeo@montague.example/orchard"), full: false)])
  }
}

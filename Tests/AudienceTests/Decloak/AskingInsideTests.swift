// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("We ask somebody who is in other dealings with us")
struct AskingInsideTests {
  private let orchard = jid("romeo@montague.example/orchard")

  @Test("Asking does not cut short what a person shared for longer, nor make less of it")
  func sharedBefore() throws {
    var world = World()
    try world.share("romeo@montague.example", full: true, lifetime: 7200)
    try world.ask(romeo)
    #expect(world.wait(120).isEmpty)
    let session = try #require(world.session("romeo@montague.example"))
    #expect(session.origin == .shared)
    #expect(session.full)
    #expect(session.expiresAt == Instant(nanoseconds: 7_200_000_000_000))
  }

  @Test("Asking lengthens what was shared for less than the answer may take")
  func sharedBriefly() throws {
    var world = World()
    try world.share("romeo@montague.example", lifetime: 10)
    try world.ask(romeo, lifetime: 600)
    #expect(world.wait(119.999).isEmpty)
    world.appear("romeo@montague.example/orchard")
    #expect(world.session("romeo@montague.example")?.expiresAt == world.now.later(bySeconds: 600))
  }

  @Test("An answer does not cut short what a person shared for longer")
  func answerKeepsShare() throws {
    var world = World()
    try world.share("romeo@montague.example", lifetime: 7200)
    try world.ask(romeo, lifetime: 60)
    world.appear("romeo@montague.example/orchard")
    #expect(world.session("romeo@montague.example")?.expiresAt == Instant(nanoseconds: 7_200_000_000_000))
  }

  @Test("Within a longer session a request is still over after 120 s: an answer is too late, and asking again asks")
  func unansweredWithinShare() throws {
    var world = World()
    try world.share("romeo@montague.example", lifetime: 7200)
    let first = try world.ask(romeo)
    world.pass(120)
    #expect(world.appear("romeo@montague.example/orchard").isEmpty)
    let second = try world.ask(romeo)
    #expect(second.effects == [.request(romeo, .media)])
    #expect(second.id != first.id)
    world.wait(120)
    #expect(world.decloak.asks.isEmpty)
    #expect(world.sees("romeo@montague.example"))
  }

  @Test("When the last that answered has left, what a person shared goes on")
  func answeredWithinShare() throws {
    var world = World()
    try world.share("romeo@montague.example", lifetime: 7200)
    try world.ask(romeo)
    world.appear("romeo@montague.example/orchard")
    let effects = world.leave("romeo@montague.example/orchard")
    #expect(effects == [.sessionEnded(romeo, .iSeeThem, .peerLeft)])
    #expect(world.sees("romeo@montague.example"))
    #expect(world.decloak.asks.isEmpty)
  }

  @Test("Asking supersedes the contact's own request: it got to see us another way")
  func supersedes() throws {
    var world = World()
    world.receive("romeo@montague.example/orchard")
    #expect(try world.ask(romeo).effects.resolved == [Resolution(contact: romeo, outcome: .superseded)])
    #expect(world.decloak.pending.isEmpty)
  }

  @Test("When those who may not see us have left, the request of those who may is superseded")
  func supersededByLeaving() throws {
    var world = World()
    world.receive("romeo@montague.example/orchard")
    world.receive("romeo@montague.example/cell")
    try world.share("romeo@montague.example/orchard")
    #expect(
      world.leave("romeo@montague.example/cell").resolved == [Resolution(contact: romeo, outcome: .superseded)])
  }

  @Test("A request that waits for its answer outlives our becoming visible to the contact")
  func notAbsorbedYet() throws {
    var world = World(mode: .invisible, subscribers: [romeo])
    let id = try world.ask(romeo, reveal: true).id
    #expect(world.setMode(.visible).ends.isEmpty)
    #expect(world.appear("romeo@montague.example/orchard") == [.peerAppeared(orchard, id: id)])
    world.setMode(.invisible)
    #expect(!world.sees("romeo@montague.example"))
  }

  @Test("Once answered, it is absorbed when we become visible to the contact")
  func absorbedWhenAnswered() throws {
    var world = World(mode: .invisible, subscribers: [romeo])
    try world.ask(romeo, reveal: true)
    world.appear("romeo@montague.example/orchard")
    #expect(world.setMode(.visible).ends == [End(contact: romeo, direction: .theySeeMe, cause: .absorbed)])
  }

  @Test("A bare JID that leaves takes with it all that answered there")
  func bareLeaves() throws {
    var world = World()
    try world.ask(romeo)
    world.appear("romeo@montague.example/orchard")
    world.appear("romeo@montague.example/cell")
    let effects = world.leave("romeo@montague.example")
    #expect(effects.hidden == [.bare(romeo)])
    #expect(effects.ends.count { $0.direction == .iSeeThem } == 2)
    #expect(world.decloak.peers.isEmpty)
  }

  @Test("Only whom we may send a subscription to can be upgraded to one")
  func upgradePeerOnly() throws {
    var world = World()
    world.receive("romeo@montague.example/orchard")
    try world.approve(world.pendingID(romeo))
    try world.share("romeo@montague.example/orchard", lifetime: 10)
    world.wait(10)
    #expect(world.decloak.peers(of: romeo).count == 1)
    #expect(throws: DecloakError.noSession(romeo)) { try world.upgrade(romeo) }
  }

  @Test("A peer that sees us by its subscription can be upgraded without a session")
  func upgradeSubscriber() throws {
    var world = World(mode: .invisible, subscribers: [romeo])
    try world.ask(romeo, reveal: true)
    world.appear("romeo@montague.example/orchard")
    world.setMode(.visible)
    #expect(world.audience.sessions.isEmpty)
    #expect(try world.upgrade(romeo) == [.subscribeBothWays(romeo)])
  }

  @Test("A subscriber in a session keeps seeing show and status while we are visible")
  func entitled() throws {
    var world = World(subscribers: [romeo])
    #expect(try world.share("romeo@montague.example/orchard") == [.show(orchard, full: true)])
    #expect(world.receive("romeo@montague.example/orchard") == [.show(orchard, full: true)])
    world.setMode(.invisible)
    #expect(try world.share("romeo@montague.example/orchard") == [.show(orchard, full: false)])
  }
}

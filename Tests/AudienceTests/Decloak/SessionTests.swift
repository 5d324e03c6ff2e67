// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("A session")
struct SessionTests {
  private let street = jid("tybalt@capulet.example/street")

  /// A world in which a resource of Tybalt's has been said yes to.
  private func approved(mode: Mode = .visible, subscribers: Set<BareAddress> = []) throws -> World {
    var world = World(mode: mode, subscribers: subscribers)
    world.receive("tybalt@capulet.example/street")
    try world.approve(world.pendingID(tybalt))
    return world
  }

  private func ends(_ cause: SessionEndCause) -> [End] {
    [
      End(contact: tybalt, direction: .theySeeMe, cause: cause),
      End(contact: tybalt, direction: .iSeeThem, cause: cause),
    ]
  }

  @Test("It lasts an hour, and ends with directed unavailable to whom it showed us")
  func expiry() throws {
    var world = try approved()
    #expect(world.decloak.nextDeadline(world.audience) == world.now.later(bySeconds: 3600))
    #expect(world.wait(3599.999).isEmpty)
    let effects = world.wait(0.001)
    #expect(effects.hidden == [street])
    #expect(effects.ends == ends(.expired))
    #expect(!world.sees("tybalt@capulet.example/street"))
    #expect(world.audience.shown.isEmpty)
    #expect(world.decloak.nextDeadline(world.audience) == nil)
  }

  @Test("Revoke ends it in both directions and says how many ended")
  func revoke() throws {
    var world = try approved()
    let (effects, ended) = world.revoke(tybalt)
    #expect(effects.hidden == [street])
    #expect(effects.ends == ends(.revoked))
    #expect(ended == 2)
    #expect(!world.sees("tybalt@capulet.example/street"))
    #expect(world.decloak.peers.isEmpty)
    #expect(world.revoke(tybalt).ended == 0)
    #expect(world.revoke(tybalt).effects.isEmpty)
  }

  @Test("Revoke of one contact leaves the others; of nobody in particular it ends all")
  func revokeAll() throws {
    var world = try approved()
    try world.share("nurse@capulet.example")
    try world.ask(romeo)
    #expect(world.revoke(romeo).effects.hidden == [.bare(romeo)])
    #expect(world.sees("nurse@capulet.example"))
    #expect(Set(world.revoke().effects.hidden) == [street, jid("nurse@capulet.example")])
    #expect(world.audience.sessions.isEmpty)
    #expect(world.audience.shown.isEmpty)
  }

  @Test("It ends when the other side leaves, and only for the resource that left")
  func peerLeft() throws {
    var world = try approved()
    #expect(world.leave("tybalt@capulet.example/hall").isEmpty)
    let effects = world.leave("tybalt@capulet.example/street")
    #expect(effects.ends == ends(.peerLeft))
    #expect(effects.hidden == [street])
    #expect(!world.sees("tybalt@capulet.example/street"))
  }

  @Test("Whoever is inside otherwise is told nothing when a session ends")
  func insideOtherwise() throws {
    var world = World(subscribers: [romeo])
    try world.share("romeo@montague.example/orchard")
    let effects = world.revoke(romeo).effects
    #expect(effects.sendNothing)
    #expect(effects.ends == [End(contact: romeo, direction: .theySeeMe, cause: .revoked)])
    #expect(world.sees("romeo@montague.example/orchard"))
  }

  @Test("A resource whose account is in a session as a whole is told nothing when its own ends")
  func insideByBare() throws {
    var world = World()
    try world.share("tybalt@capulet.example/street", lifetime: 10)
    try world.share("tybalt@capulet.example")
    #expect(world.wait(10).sendNothing)
    #expect(world.sees("tybalt@capulet.example/street"))
  }

  @Test("Once we are invisible a subscriber in a session is told like anybody else")
  func invisibleSubscriber() throws {
    var world = World(mode: .invisible, subscribers: [romeo])
    try world.share("romeo@montague.example/orchard")
    #expect(world.revoke().effects.hidden == [jid("romeo@montague.example/orchard")])
  }

  // MARK: Share

  @Test("Share shows us to an account or to one resource, for as long and as much as it says")
  func share() throws {
    var world = World()
    #expect(try world.share("tybalt@capulet.example/street", full: true, lifetime: 5) == [.show(street, full: true)])
    #expect(try world.share("nurse@capulet.example") == [.show(jid("nurse@capulet.example"), full: false)])
    #expect(world.session("tybalt@capulet.example/street")?.origin == .shared)
    #expect(world.session("nurse@capulet.example")?.expiresAt == world.now.later(bySeconds: 3600))
    #expect(world.wait(5).hidden == [street])
  }

  @Test("Share again renews, and is still one session")
  func shareAgain() throws {
    var world = World()
    try world.share("tybalt@capulet.example/street", lifetime: 5)
    world.pass(4)
    try world.share("tybalt@capulet.example/street", lifetime: 5)
    #expect(world.wait(4.999).isEmpty)
    #expect(world.audience.sessions.count == 1)
    #expect(world.wait(0.001).hidden == [street])
  }

  @Test("The next deadline is that of the first session or peer to end")
  func deadlines() throws {
    var world = try approved()
    try world.share("romeo@montague.example", lifetime: 20)
    #expect(world.decloak.nextDeadline(world.audience) == world.now.later(bySeconds: 20))
    try world.share("tybalt@capulet.example/street", lifetime: 10)
    #expect(world.decloak.nextDeadline(world.audience) == world.now.later(bySeconds: 10))
    world.wait(20)
    // We still see Tybalt, who no longer sees us.
    #expect(world.audience.sessions.isEmpty)
    #expect(world.decloak.nextDeadline(world.audience) == Instant(nanoseconds: 3_600_000_000_000))
    #expect(world.wait(3580) == [.sessionEnded(tybalt, .iSeeThem, .expired)])
  }

  @Test("Share with ourselves is refused")
  func shareOurselves() {
    var world = World()
    #expect(throws: DecloakError.ourselves) { try world.share("juliet@capulet.example/balcony") }
    #expect(throws: DecloakError.ourselves) { try world.share("juliet@capulet.example") }
    #expect(world.audience.sessions.isEmpty)
  }

  @Test("A request is superseded once all that asked got to see us another way")
  func superseded() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.receive("tybalt@capulet.example/hall")
    #expect(try world.share("tybalt@capulet.example/street").resolved.isEmpty)
    #expect(
      try world.share("tybalt@capulet.example/hall").resolved
        == [Resolution(contact: tybalt, outcome: .superseded)])
    #expect(world.decloak.pending.isEmpty)
  }

  @Test("A superseded request cannot be answered any more")
  func answerSuperseded() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    let id = world.pendingID(tybalt)
    try world.share("tybalt@capulet.example")
    #expect(throws: DecloakError.noSuchRequest(id: id)) { try world.deny(id) }
  }

  // MARK: Upgrade

  @Test("Upgrade asks for both subscriptions; the session stays until the roster shows both")
  func upgrade() throws {
    var world = try approved()
    #expect(try world.upgrade(tybalt) == [.subscribeBothWays(tybalt)])
    #expect(world.session("tybalt@capulet.example/street") != nil)
    #expect(world.roster(tybalt, seesUs: true).isEmpty)
    #expect(world.session("tybalt@capulet.example/street") != nil)
    let effects = world.roster(tybalt, seesUs: true, seen: true)
    #expect(effects.sendNothing)
    #expect(effects.ends == ends(.upgraded))
    #expect(world.audience.why(street) == .subscription)
    #expect(world.audience.sessions.isEmpty)
  }

  @Test("A refused upgrade leaves the session as it was")
  func upgradeRefused() throws {
    var world = try approved()
    try world.upgrade(tybalt)
    #expect(world.roster(tybalt, seesUs: false, seen: true).isEmpty)
    #expect(world.sees("tybalt@capulet.example/street"))
    #expect(world.wait(3600).hidden == [street])
  }

  @Test("A subscription that nobody called an upgrade leaves the session running")
  func notUpgrading() throws {
    var world = try approved()
    #expect(world.roster(tybalt, seesUs: true, seen: true).isEmpty)
    #expect(world.session("tybalt@capulet.example/street") != nil)
  }

  @Test("While invisible an upgrade does not end the session: the subscription would not show us")
  func upgradeInvisible() throws {
    var world = try approved(mode: .invisible)
    try world.upgrade(tybalt)
    #expect(world.roster(tybalt, seesUs: true, seen: true).isEmpty)
    #expect(world.sees("tybalt@capulet.example/street"))
  }

  @Test("There is nothing to upgrade without a session")
  func upgradeNothing() throws {
    var world = try approved()
    #expect(throws: DecloakError.noSession(romeo)) { try world.upgrade(romeo) }
  }

  // MARK: The end of the stream

  @Test("A stream that ends in order takes leave of everybody in a session, and drops what waits")
  func disconnectInOrder() throws {
    var world = try approved()
    try world.ask(romeo)
    world.receive("nurse@capulet.example/hall")
    let effects = world.disconnect(inOrder: true)
    #expect(Set(effects.hidden) == [street, .bare(romeo)])
    #expect(effects.resolved == [Resolution(contact: BareAddress("nurse@capulet.example"), outcome: .disconnected)])
    #expect(
      Set(effects.ends) == Set(ends(.disconnected) + [End(contact: romeo, direction: .theySeeMe, cause: .disconnected)])
    )
    #expect(world.audience.sessions.isEmpty)
    #expect(world.decloak.asks.isEmpty)
    #expect(world.decloak.peers.isEmpty)
  }

  @Test("A stream that broke ends all the same, and nothing can be sent")
  func disconnectBroken() throws {
    var world = try approved()
    let effects = world.disconnect(inOrder: false)
    #expect(effects.sendNothing)
    #expect(effects.ends == ends(.disconnected))
    #expect(world.audience.sessions.isEmpty)
  }

  @Test("Nothing is shown again on a new stream until somebody asks, and then at once")
  func newStream() throws {
    var world = World(subscribers: [romeo])
    #expect(world.receive("romeo@montague.example/orchard").count == 1)
    try world.share("tybalt@capulet.example")
    world.disconnect(inOrder: false)
    #expect(world.rosterReplaced([romeo]).isEmpty)
    #expect(world.wait(1).isEmpty)
    #expect(!world.sees("tybalt@capulet.example"))
    #expect(world.receive("romeo@montague.example/orchard").count == 1)
  }

  @Test("A silence outlasts the stream: logging in again is no way round a no")
  func silenceOutlasts() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    try world.deny(world.pendingID(tybalt))
    world.disconnect(inOrder: true)
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Hiding and showing")
struct HidingTests {
  @Test("Hiding ends every session first, with directed unavailable")
  func hide() throws {
    var world = World(subscribers: [romeo])
    world.receive("tybalt@capulet.example/street")
    try world.approve(world.pendingID(tybalt))
    try world.share("nurse@capulet.example")
    let effects = world.decloak.hide(.all, audience: &world.audience)
    #expect(Set(effects.hidden) == [jid("tybalt@capulet.example/street"), jid("nurse@capulet.example")])
    #expect(effects.ends.allSatisfy { $0.cause == .hidden })
    #expect(effects.ends.count == 3)
    // The unavailables come before anything that says that they were sent.
    #expect(effects.firstIndex { if case .hide = $0 { true } else { false } } == 0)
    #expect(world.audience.sessions.isEmpty)
    // The mode follows when what was broadcast has been withdrawn.
    #expect(world.audience.mode == .visible)
    #expect(world.sees("romeo@montague.example"))
  }

  @Test("A subscriber in a session is told by the undirected unavailable, not twice")
  func subscriberOnce() throws {
    var world = World(subscribers: [romeo])
    try world.share("romeo@montague.example/orchard")
    #expect(world.setMode(.invisible).hidden.isEmpty)
    #expect(world.audience.shown.isEmpty)
    #expect(!world.sees("romeo@montague.example/orchard"))
  }

  @Test("Hiding leaves requests waiting, for a person can still say yes")
  func pendingStays() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    #expect(world.setMode(.invisible).resolved.isEmpty)
    #expect(try world.approve(world.pendingID(tybalt)).shown == [jid("tybalt@capulet.example/street")])
  }

  @Test("Showing absorbs the sessions of subscribers without a word and leaves the others")
  func absorbed() throws {
    var world = World(mode: .invisible, subscribers: [romeo])
    try world.share("romeo@montague.example/orchard")
    try world.share("tybalt@capulet.example/street")
    let effects = world.setMode(.visible)
    #expect(effects.sendNothing)
    #expect(effects.ends == [End(contact: romeo, direction: .theySeeMe, cause: .absorbed)])
    #expect(world.audience.why(jid("romeo@montague.example/orchard")) == .subscription)
    #expect(world.audience.why(jid("tybalt@capulet.example/street")) == .session)
  }

  @Test("Showing supersedes the requests of subscribers")
  func supersedes() {
    var world = World(mode: .invisible, subscribers: [romeo])
    world.receive("romeo@montague.example/orchard")
    world.receive("tybalt@capulet.example/street")
    #expect(world.setMode(.visible).resolved == [Resolution(contact: romeo, outcome: .superseded)])
    #expect(world.decloak.pendingRequests.map(\.contact) == [tybalt])
  }

  @Test("A new subscriber's request is superseded while we are visible, and stays while we are not")
  func newSubscriber() {
    var visible = World()
    visible.receive("tybalt@capulet.example/street")
    #expect(visible.roster(tybalt, seesUs: true).resolved == [Resolution(contact: tybalt, outcome: .superseded)])
    var invisible = World(mode: .invisible)
    invisible.receive("tybalt@capulet.example/street")
    #expect(invisible.roster(tybalt, seesUs: true).isEmpty)
    #expect(invisible.decloak.pending.count == 1)
  }

  @Test("A roster that arrives whole supersedes the requests of those subscribed in it")
  func wholeRoster() {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.receive("romeo@montague.example/orchard")
    #expect(world.rosterReplaced([tybalt]).resolved == [Resolution(contact: tybalt, outcome: .superseded)])
    #expect(world.audience.subscribers == [tybalt])
  }

  @Test("Who loses the subscription is outside from then on")
  func unsubscribed() {
    var world = World(subscribers: [romeo])
    world.roster(romeo, seesUs: false)
    #expect(!world.sees("romeo@montague.example"))
  }

  @Test("Repeating the mode does nothing", arguments: [Mode.visible, .invisible])
  func repeated(_ mode: Mode) throws {
    var world = World(mode: mode, subscribers: [romeo])
    try world.share("romeo@montague.example/orchard")
    #expect(
      world.decloak.visibilityChanged(
        to: mode == .visible ? .visible : .invisible, audience: &world.audience
      ).isEmpty)
    #expect(world.audience.sessions.count == 1)
  }
}

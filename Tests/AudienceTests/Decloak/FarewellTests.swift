// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

/// Exactly those who were shown us, and are not otherwise inside, are told that we are gone.
@Suite("Taking leave")
struct FarewellTests {
  private let street = jid("tybalt@capulet.example/street")

  @Test("When a whole account's session ends, resources that were sent presence of their own are told as well")
  func ownCopies() throws {
    var world = World()
    try world.share("tybalt@capulet.example")
    world.receive("tybalt@capulet.example/street")
    #expect(world.revoke(tybalt).effects.hidden == [.bare(tybalt), street])
    #expect(world.audience.shown.isEmpty)
  }

  @Test("A resource whose own session ended within its account's is told when that ends")
  func ownSessionFirst() throws {
    var world = World()
    try world.share("tybalt@capulet.example/street", lifetime: 10)
    try world.share("tybalt@capulet.example", lifetime: 20)
    #expect(world.wait(10).hidden.isEmpty)
    #expect(world.wait(10).hidden == [.bare(tybalt), street])
    #expect(world.audience.shown.isEmpty)
  }

  @Test("A resource that keeps its own session is shown us again when its account's ends")
  func staying() throws {
    var world = World()
    try world.share("tybalt@capulet.example/street", full: true, lifetime: 20)
    try world.share("tybalt@capulet.example", lifetime: 10)
    #expect(
      world.wait(10) == [
        .hide(.bare(tybalt)), .show(street, full: true), .sessionEnded(tybalt, .theySeeMe, .expired),
      ])
    #expect(world.audience.shown == [street])
    #expect(world.wait(10).hidden == [street])
  }

  @Test("When both end together each is told once, and nobody is shown us in between")
  func together() throws {
    for end in [
      { $0.revoke(tybalt).effects }, { $0.wait(10) }, { $0.setMode(.invisible) }, { $0.disconnect(inOrder: true) },
    ] as [(inout World) -> [DecloakEffect]] {
      var world = World()
      try world.share("tybalt@capulet.example/street", lifetime: 10)
      try world.share("tybalt@capulet.example", lifetime: 10)
      let effects = end(&world)
      #expect(effects.hidden == [.bare(tybalt), street])
      #expect(effects.shown.isEmpty)
      #expect(effects.ends.count == 2)
    }
  }

  @Test("A subscriber that was sent presence of its own is told when it loses the subscription")
  func unsubscribed() {
    var world = World(subscribers: [tybalt, romeo])
    world.receive("tybalt@capulet.example/street")
    world.receive("romeo@montague.example/orchard")
    #expect(world.roster(tybalt, seesUs: false) == [.hide(street)])
    #expect(world.rosterReplaced([]) == [.hide(jid("romeo@montague.example/orchard"))])
    #expect(world.audience.shown.isEmpty)
  }

  @Test("Losing the subscription takes nothing from those in a session")
  func unsubscribedInSession() throws {
    var world = World(subscribers: [tybalt])
    try world.share("tybalt@capulet.example/street")
    #expect(world.roster(tybalt, seesUs: false).isEmpty)
    #expect(world.sees("tybalt@capulet.example/street"))
  }

  @Test("Hiding without anything withdrawn before tells subscribers that were sent presence of their own")
  func nothingWithdrawn() throws {
    var world = World(subscribers: [tybalt])
    world.receive("tybalt@capulet.example/street")
    let effects = world.decloak.visibilityChanged(to: .invisible, audience: &world.audience)
    #expect(effects.hidden == [street])
  }
}

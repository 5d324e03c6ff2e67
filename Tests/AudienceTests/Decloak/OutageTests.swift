// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

/// What is sent when a stream comes back with its session.
@Suite("Decloak across an outage")
struct OutageTests {
  private let phone = jid("tybalt@capulet.example/phone")

  private func resumed(
    _ world: World, unconfirmed: Set<Address> = [], hasNewPresence: Bool = false
  ) -> [DecloakEffect] {
    world.decloak.resumed(unconfirmed: unconfirmed, hasNewPresence: hasNewPresence, audience: world.audience)
  }

  @Test("Where all had arrived, nothing is sent")
  func nothing() throws {
    var world = World()
    _ = try world.share("\(phone)")
    #expect(resumed(world).isEmpty)
  }

  @Test("Whoever may not have had our presence and still may see us is shown it")
  func shownAgain() throws {
    var world = World()
    _ = try world.share("\(phone)")
    _ = try world.share("romeo@montague.example/r")
    #expect(resumed(world, unconfirmed: [phone]) == [.show(phone, full: false)])
  }

  @Test("Whoever may not see us any more is told so, whether or not our presence had arrived")
  func owedFarewell() throws {
    var world = World()
    _ = try world.share("\(phone)")
    world.audience.end(phone)
    #expect(resumed(world, unconfirmed: [phone]) == [.hide(phone)])
    #expect(resumed(world) == [.hide(phone)])
  }

  @Test("A goodbye that was lost is said again, unless the one whom it was for may see us again")
  func lostFarewell() throws {
    var world = World()
    _ = try world.share("\(phone)")
    _ = world.revoke(tybalt)
    #expect(resumed(world).isEmpty)
    world.audience.noteLostFarewell(to: phone)
    #expect(resumed(world) == [.hide(phone)])
    _ = try world.share("\(phone)")
    #expect(resumed(world).isEmpty)
  }

  @Test("A request that was lost is asked again; one that was answered is presence")
  func request() throws {
    var world = World()
    _ = try world.ask(tybalt)
    #expect(resumed(world, unconfirmed: [.bare(tybalt)]) == [.request(tybalt, .media)])
    _ = world.appear("\(phone)")
    #expect(resumed(world, unconfirmed: [.bare(tybalt)]) == [.show(.bare(tybalt), full: false)])
  }

  @Test("News of what we do goes to those in sessions that show it")
  func news() throws {
    var world = World()
    _ = try world.share("\(phone)", full: true)
    _ = try world.share("romeo@montague.example/r")
    #expect(resumed(world, hasNewPresence: true) == [.show(phone, full: true)])
  }

  @Test("The goodbyes of an earlier session go to those whom it was shown to, and to nobody else")
  func inherited() {
    var world = World(mode: .invisible, subscribers: [romeo])
    world.audience.inherit(shown: [phone, .bare(romeo)])
    #expect(world.decloak.owedFarewells(world.audience) == [.hide(.bare(romeo)), .hide(phone)])
  }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("What is exchanged in a session")
struct ExchangeTests {
  private let street = "tybalt@capulet.example/street"

  private func approved(lifetime: UInt32) throws -> World {
    var world = World()
    world.receive(street)
    try world.approve(world.pendingID(tybalt), lifetime: lifetime)
    return world
  }

  private func exchange(_ world: inout World, with address: String) {
    let effects = world.decloak.exchanged(with: jid(address), audience: &world.audience, now: world.now)
    #expect(effects.isEmpty)
  }

  @Test("Each stanza makes the session last as long again, in both directions, and no longer")
  func renewal() throws {
    var world = try approved(lifetime: 60)
    for _ in 1...3 {
      world.wait(50)
      exchange(&world, with: street)
    }
    #expect(world.session(street)?.expiresAt == world.now.later(bySeconds: 60))
    #expect(world.decloak.peers[jid(street)]?.expiresAt == world.now.later(bySeconds: 60))
    #expect(world.wait(59).isEmpty)
    #expect(world.wait(1).hidden == [jid(street)])
  }

  @Test("Another resource's stanzas do nothing for a session, nor does one that comes too late")
  func others() throws {
    var world = try approved(lifetime: 60)
    let end = world.session(street)?.expiresAt
    world.pass(30)
    exchange(&world, with: "tybalt@capulet.example/hall")
    exchange(&world, with: "romeo@montague.example/x")
    #expect(world.session(street)?.expiresAt == end)
    world.pass(30)
    exchange(&world, with: street)
    #expect(world.session(street)?.expiresAt == end)
  }

  @Test("While our own request waits for its answer, time runs whatever is said")
  func asking() throws {
    var world = World()
    try world.ask(tybalt)
    world.pass(100)
    exchange(&world, with: street)
    #expect(world.wait(20).hidden == [.bare(tybalt)])
    try world.ask(tybalt, lifetime: 600)
    world.appear(street)
    world.wait(500)
    exchange(&world, with: street)
    #expect(world.wait(500).isEmpty)
    #expect(world.decloak.peers[jid(street)] != nil)
  }

  @Test("A session that we asked for is renewed by its lifetime, without the time that the answer took")
  func asked() throws {
    var world = World()
    try world.ask(tybalt, lifetime: 600)
    world.wait(100)
    world.appear(street)
    world.wait(100)
    exchange(&world, with: street)
    #expect(world.session("\(tybalt)")?.expiresAt == world.now.later(bySeconds: 600))
  }

  /// What comes of the ends of calls, one after the other.
  private func end(
    _ ends: [(id: String, address: String)], _ calls: inout JingleCalls, _ world: inout World
  ) -> [[DecloakEffect]?] {
    ends.map { id, address in
      calls.ended(id, with: jid(address)).map {
        world.decloak.callEnded(with: jid(address), $0, audience: &world.audience)
      }
    }
  }

  @Test("A session ends with the last call in it, and not before")
  func lastCall() throws {
    var world = try approved(lifetime: 3600)
    var calls = JingleCalls()
    for id in ["a", "b"] { calls.began(id, with: jid(street)) }
    let before = end([("a", "tybalt@capulet.example/hall"), ("a", street)], &calls, &world)
    #expect(before == [nil, []])
    #expect(world.sees(street))
    let after = end([("b", street), ("b", street)], &calls, &world)
    #expect(after[0]?.hidden == [jid(street)])
    #expect(after[0]?.ends.map(\.direction) == [.theySeeMe, .iSeeThem])
    #expect(after[1] == nil)
  }

  @Test("A session with a whole account ends with the last call that any of its resources has")
  func wholeAccount() throws {
    var world = World()
    try world.ask(tybalt)
    let hall = "tybalt@capulet.example/hall"
    var calls = JingleCalls()
    for address in [hall, street] {
      world.appear(address)
      calls.began("c", with: jid(address))
    }
    let ended = end([("c", hall), ("c", street)], &calls, &world)
    #expect(ended[0] == [])
    #expect(ended[1]?.hidden == [.bare(tybalt)])
    #expect(world.decloak.peers.isEmpty)
  }

  @Test("Calls are counted up to a limit, and those with people outside are forgotten")
  func limits() {
    var calls = JingleCalls()
    for id in 1...Limits.callsPerContact + 1 { calls.began("\(id)", with: jid(street)) }
    for caller in 1...Limits.callers { calls.began("c", with: jid("\(caller)@verona.example/x")) }
    // One too many was not counted: its end is the end of nothing.
    let tooMany = calls.ended("\(Limits.callsPerContact + 1)", with: jid(street))
    #expect(tooMany == nil)
    calls.forgetOutside(tybalt, World().audience)
    let last = [
      calls.ended("c", with: jid("\(Limits.callers)@verona.example/x")), calls.ended("1", with: jid(street)),
      calls.ended("c", with: jid("1@verona.example/x")),
    ]
    #expect(last == [nil, nil, .init(ofAddress: true, ofAccount: true)])
  }
}

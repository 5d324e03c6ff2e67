// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("A storm of requests")
struct StormTests {
  @Test(
    "What is answered by a rule or the policy keeps its place for 120 s", arguments: [Decloak.Policy.rules, .allow])
  func automaticPlaces(_ policy: Decloak.Policy) {
    var world = World(policy)
    var announced = 0
    for index in 0..<1000 { announced += world.receive("a\(index)@d\(index).example/x").announced.count }
    #expect(announced == 12)
    #expect(world.decloak.droppedRequests == 988)
    for index in 0..<10 {
      announced += world.receive("f\(index)@f\(index).example/x", isInRoster: true).announced.count
    }
    #expect(announced == 16)
    world.pass(119.999)
    #expect(world.receive("late@late.example/x", isInRoster: true).isEmpty)
    world.pass(0.001)
    #expect(world.receive("late@late.example/x").announced.count == 1)
  }

  @Test("Of one domain 8 automatic answers are told")
  func perDomain() {
    var world = World(.rules)
    let announced = (0..<20).map { world.receive("a\($0)@evil.example/x", isInRoster: true).announced.count }
    #expect(announced.reduce(0, +) == 8)
    #expect(world.receive("a@other.example/x").announced.count == 1)
  }

  @Test("Nobody is shown us by a rule without having been told of")
  func nobodyUntold() {
    var world = World(.allow)
    for index in 0..<100 {
      let effects = world.receive("a\(index)@d\(index).example/x")
      #expect(effects.shown.map(\.account) == effects.announced.map(\.contact))
    }
    #expect(world.audience.sessions.count == 12)
  }

  @Test("Whoever was announced too often to be so again is not shown us either")
  func tooOftenToBeTold() {
    var world = World(.allow, mode: .invisible)
    for _ in 1...Limits.announcementsPerContact {
      #expect(world.receiveAndLeave("tybalt@capulet.example/street").announced.map(\.isAutomatic) == [false])
    }
    world.setMode(.visible)
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    #expect(world.decloak.droppedRequests == 1)
    world.wait(120)
    #expect(world.receive("tybalt@capulet.example/street").shown.count == 1)
  }

  @Test("Whoever was allowed is answered again, and told of once in 120 s")
  func allowedAgain() {
    var world = World(.allow)
    #expect(world.receive("tybalt@capulet.example/street").announced.count == 1)
    for _ in 0..<10 {
      #expect(world.leave("tybalt@capulet.example/street").ends.count == 2)
      let again = world.receive("tybalt@capulet.example/street")
      #expect(again == [.show(jid("tybalt@capulet.example/street"), full: false)])
    }
    world.leave("tybalt@capulet.example/street")
    world.pass(120)
    #expect(world.receive("tybalt@capulet.example/street").announced.count == 1)
  }

  @Test("Whoever was allowed is answered 256 times in 120 s at most")
  func allowedTooOften() {
    var world = World(.allow)
    for _ in 0..<256 {
      #expect(world.receive("tybalt@capulet.example/street").shown.count == 1)
      world.leave("tybalt@capulet.example/street")
    }
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    #expect(world.decloak.droppedRequests == 1)
    world.pass(120)
    #expect(world.receive("tybalt@capulet.example/street").shown.count == 1)
  }

  @Test("Who asks and leaves at once keeps its place, and is told of three times within 120 s")
  func withdrawing() {
    var world = World()
    let announced = (0..<10).map { _ in world.receiveAndLeave("tybalt@capulet.example/street").announced.count }
    #expect(announced.reduce(0, +) == 3)
    #expect(world.decloak.droppedRequests == 7)
    world.wait(120)
    #expect(world.receive("tybalt@capulet.example/street").announced.count == 1)
  }

  @Test("Those who ask and leave at once cannot be told of without end by being many")
  func withdrawingCrowd() {
    var world = World()
    let announced = (0..<1000).map {
      world.receiveAndLeave("a\($0)@d\($0).example/x").announced.count
    }
    #expect(announced.reduce(0, +) == 12)
    #expect(world.decloak.pending.isEmpty)
    #expect(world.decloak.places.count == 12)
  }

  @Test("What a person answers frees its place at once")
  func answered() throws {
    var world = World()
    for index in 0..<100 {
      let asker = BareAddress("a\(index)@evil.example")
      #expect(world.receive("\(asker)/x").announced.count == 1)
      let id = world.pendingID(asker)
      if index.isMultiple(of: 2) { try world.deny(id) } else { try world.approve(id) }
    }
    #expect(world.decloak.places.count == 0)
  }

  @Test("A person's new rule or policy frees the places that it concerns")
  func freed() throws {
    var world = World()
    for _ in 0..<4 { _ = world.receiveAndLeave("tybalt@capulet.example/street") }
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    try world.setRule("romeo@montague.example", .allow)
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    try world.setRule("tybalt@capulet.example", .allow)
    #expect(world.receive("tybalt@capulet.example/street").shown.count == 1)
    world.setPolicy(.rules)
    #expect(world.decloak.places.count == 0)
  }

  @Test("A question is told of although the contact's place is held by an automatic answer")
  func questionAfterAnswer() {
    var world = World(.allow)
    world.receive("tybalt@capulet.example/street")
    world.setMode(.invisible)
    #expect(world.receive("tybalt@capulet.example/street").announced.map(\.isAutomatic) == [false])
    #expect(world.decloak.places.count == 0)
  }

  @Test(
    "100,000 requests from 10,000 JIDs in 1,000 domains leave nothing behind that grows",
    arguments: Decloak.Policy.allCases)
  func flood(_ policy: Decloak.Policy) {
    var world = World(policy, subscribers: [romeo])
    var announced = 0
    for index in 0..<100_000 {
      let contact = index % 10_000
      announced += world.receive("a\(contact)@d\(contact % 1000).example/x\(index % 7)").announced.count
      if index.isMultiple(of: 1667) { world.wait(1) }
    }
    #expect(announced <= 16)
    #expect(world.decloak.pending.count <= 16)
    #expect(world.decloak.places.count <= 16)
    #expect(world.decloak.silences.count <= 16)
    #expect(world.audience.sessions.count <= 16 * 16)
  }
}

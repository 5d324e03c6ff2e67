// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Silence after a no")
struct SilenceTests {
  private func denied(_ judge: String = "person") throws -> (World, id: String) {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.receive("tybalt@capulet.example/street")
    let id = world.pendingID(tybalt)
    switch judge {
    case "person": try world.deny(id)
    case "rule": try world.setRule("tybalt@capulet.example", .deny)
    default: world.wait(120)
    }
    world.receive("tybalt@capulet.example/street")
    return (world, id)
  }

  // MARK: What is counted

  @Test("Repeats in the silence add to the count of the request that was answered")
  func count() throws {
    let (world, id) = try denied()
    #expect(world.decloak.count(of: id) == 3)
    #expect(world.decloak.count(of: "boot-99") == nil)
  }

  @Test("When it ends the count is written down, if it grew, and then forgotten")
  func recountAtEnd() throws {
    var (world, id) = try denied()
    #expect(world.wait(3599).recounts.isEmpty)
    #expect(world.wait(1).recounts == [id: 3])
    #expect(world.decloak.count(of: id) == nil)
    world.receive("tybalt@capulet.example/street")
    try world.deny(world.pendingID(tybalt))
    #expect(world.wait(3600).recounts.isEmpty)
  }

  @Test("When the stream ends the count is written down, once")
  func recountAtDisconnect() throws {
    var (world, id) = try denied()
    #expect(world.disconnect(inOrder: false).recounts == [id: 3])
    #expect(world.disconnect(inOrder: true).recounts.isEmpty)
    world.receive("tybalt@capulet.example/street")
    #expect(world.disconnect(inOrder: true).recounts == [id: 4])
  }

  @Test("When the next request comes after its end, before any timer, the count is written down")
  func recountAtNext() throws {
    var (world, id) = try denied()
    world.pass(3600)
    let effects = world.receive("tybalt@capulet.example/street")
    #expect(effects.recounts == [id: 3])
    #expect(effects.announced.count == 1)
  }

  @Test("When a silence gives way to others the count is written down")
  func recountAtEviction() throws {
    var (world, id) = try denied()
    var recounts: [String: UInt32] = [:]
    for index in 0..<4096 {
      world.pass(0.001)
      world.receive("a\(index)@d.example/x")
      recounts.merge(try world.deny(world.pendingID(BareAddress("a\(index)@d.example"))).recounts) { $1 }
    }
    #expect(recounts == [id: 3])
    #expect(world.decloak.silences.count == 4096)
  }

  // MARK: What ends it

  @Test("A rule that allows or asks about the contact ends it", arguments: [RuleDecision.allow, .ask])
  func endedByRule(_ decision: RuleDecision) throws {
    for judge in ["person", "rule", "nobody"] {
      var (world, id) = try denied(judge)
      #expect(try world.setRule("tybalt@capulet.example", decision).recounts == [id: 3])
      #expect(world.receive("tybalt@capulet.example/street").announced.count == 1)
    }
  }

  @Test("A yes to its domain does not take back a person's no to the contact")
  func domainAllows() throws {
    var (world, _) = try denied()
    try world.setRule("@capulet.example", .allow)
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    #expect(world.receive("nurse@capulet.example/hall").shown.count == 1)
    world.wait(3600)
    #expect(world.receive("tybalt@capulet.example/street").shown.count == 1)
  }

  @Test("With the rule that said no goes its silence; that of a person's no stays")
  func ruleRemoved() throws {
    var (byRule, _) = try denied("rule")
    try byRule.setRule("tybalt@capulet.example", nil)
    #expect(byRule.receive("tybalt@capulet.example/street").announced.count == 1)
    var (byPerson, _) = try denied()
    try byPerson.setRule("tybalt@capulet.example", nil)
    #expect(byPerson.receive("tybalt@capulet.example/street").isEmpty)
  }

  @Test("With the policy that refused goes its silence; that of a person's no stays")
  func policyChanged() throws {
    var byPolicy = World(.rules)
    byPolicy.receive("tybalt@capulet.example/street")
    #expect(byPolicy.receive("tybalt@capulet.example/street").isEmpty)
    byPolicy.setPolicy(.ask)
    #expect(byPolicy.receive("tybalt@capulet.example/street").announced.count == 1)
    var (byPerson, _) = try denied()
    byPerson.setPolicy(.allow)
    #expect(byPerson.receive("tybalt@capulet.example/street").isEmpty)
  }

  @Test("Where nobody said anything, a yes given beforehand is no way round anybody")
  func expiredThenAllowed() throws {
    var (world, id) = try denied("nobody")
    world.setPolicy(.allow)
    let effects = world.receive("tybalt@capulet.example/street")
    #expect(effects.shown.count == 1)
    #expect(effects.recounts == [id: 3])
  }
}

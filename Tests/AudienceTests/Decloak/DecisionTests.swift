// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("What was decided is written down")
struct DecisionTests {
  private func asked(_ policy: Decloak.Policy = .ask) -> World {
    var world = World(policy)
    world.receive("tybalt@capulet.example/street")
    world.receive("tybalt@capulet.example/hall")
    return world
  }

  private func expect(
    _ effects: [DecloakEffect], _ outcome: RequestOutcome, _ judge: DecloakDecision.Judge,
    at location: SourceLocation = #_sourceLocation
  ) {
    #expect(effects.decisions.map(\.outcome) == [outcome], sourceLocation: location)
    #expect(effects.judges == [judge], sourceLocation: location)
    #expect(effects.decisions.map(\.request.contact) == [tybalt], sourceLocation: location)
    #expect(effects.decisions.map(\.request.count) == [2], sourceLocation: location)
  }

  @Test("Whatever becomes of a request, with who decided")
  func everyOutcome() throws {
    var world = asked()
    expect(try world.approve(world.pendingID(tybalt)), .approved, .person)
    world = asked()
    expect(try world.deny(world.pendingID(tybalt)), .denied, .person)
    world = asked()
    expect(try world.setRule("@capulet.example", .deny), .denied, .rule(.domain("capulet.example")))
    world = asked()
    expect(world.setPolicy(.off), .denied, .person)
    world = asked()
    expect(world.wait(120), .expired, .nobody)
    world = asked()
    expect(
      world.leave("tybalt@capulet.example/street") + world.leave("tybalt@capulet.example/hall"),
      .withdrawn, .nobody)
    world = asked()
    expect(try world.share("tybalt@capulet.example"), .superseded, .nobody)
    world = asked()
    expect(world.disconnect(inOrder: false), .disconnected, .nobody)
  }

  @Test("What a rule or the policy answered, too, for a person who was not there")
  func automatic() throws {
    var world = World(.rules)
    let refused = world.receive("tybalt@capulet.example/street")
    #expect(refused.judges == [.policy])
    #expect(refused.resolved == [Resolution(contact: tybalt, outcome: .denied)])
    #expect(refused.announced.map(\.isAutomatic) == [true])
    #expect(refused.sendNothing)
    try world.setRule("romeo@montague.example", .allow)
    #expect(world.receive("romeo@montague.example/orchard").judges == [.rule(.contact(romeo))])
  }

  @Test("An automatic answer can be told from a wrong id afterwards")
  func automaticAnswer() throws {
    var world = World(.allow)
    let id = try #require(world.receive("tybalt@capulet.example/street").announced.first?.id)
    #expect(try world.approve(id).isEmpty)
    #expect(throws: DecloakError.alreadyResolved(id: id, .approved)) { try world.deny(id) }
  }

  @Test("With policy off nothing is")
  func off() {
    var world = World(.off)
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    #expect(world.wait(3600).isEmpty)
    #expect(world.disconnect(inOrder: true).isEmpty)
  }
}

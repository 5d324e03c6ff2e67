// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("What people say at a gateway")
struct GatewayAnswerTests {
  private let paris = BareAddress("paris%shakespeare.lit@\(sip)")
  private let balcony = jid("juliet@capulet.example/balcony")

  @Test("Of two who answer the first wins, and the second learns how")
  func twice() throws {
    var world = GatewayWorld(.ask)
    world.receive()
    let id = world.pendingID()
    #expect(try world.gateway.decision(on: id, .denied, scope: .once, now: world.now)?.judge == .person)
    #expect(try world.deny(id).sent.isEmpty)
    #expect(try world.deny(id).isEmpty)
    #expect(try world.gateway.decision(on: id, .denied, scope: .once, now: world.now) == nil)
    #expect(throws: DecloakError.alreadyResolved(id: id, .denied)) { try world.approve(id) }
    #expect(world.receive().isEmpty)
    #expect(world.gateway.count(of: id) == 2)
  }

  @Test("A yes to a contact is a rule at all addresses, and answers what the contact asked of the others")
  func scope() throws {
    var world = GatewayWorld(.ask)
    world.receive()
    world.receive(at: paris)
    world.receive("nurse@capulet.example/hall", at: paris)
    #expect(world.gateway.subject(of: world.pendingID(), .contact) == .contact(juliet))
    let effects = try world.approve(world.pendingID(), .contact)
    #expect(
      effects.sent == [
        .decloak(romeoAtSip, .show(balcony, full: false)), .decloak(paris, .show(balcony, full: false)),
      ])
    #expect(world.gateway.rules[.contact(juliet)] == .allow)
    #expect(world.gateway.pendingCount == 1)
    #expect(try world.deny(world.pendingID(BareAddress("nurse@capulet.example"), at: paris), .domain).sent.isEmpty)
    #expect(world.gateway.rules[.domain("capulet.example")] == .deny)
    #expect(world.sees("juliet@capulet.example/balcony"))
  }

  @Test("A no to a contact takes back what it was shown of any address")
  func takingBack() throws {
    var world = GatewayWorld(.allow)
    world.receive()
    world.receive(at: paris)
    world.receive("nurse@capulet.example/hall", at: paris)
    let effects = try world.setRule("juliet@capulet.example", .deny)
    #expect(Set(effects.sent) == [.decloak(romeoAtSip, .hide(balcony)), .decloak(paris, .hide(balcony))])
    #expect(world.sees("nurse@capulet.example/hall", paris))
    #expect(world.gateway.sessionCount == 1)
  }

  @Test("An address that a rule hides takes back everything, shared sessions and subscriptions as well")
  func hiding() throws {
    var world = GatewayWorld(.allow)
    world.receive()
    world.subscribe(BareAddress("nurse@capulet.example"))
    try world.share("paris@a.example")
    world.receive(at: paris)
    // Allowing one address hides all others.
    let effects = try world.setRule("to:\(paris)", .allow)
    #expect(
      Set(effects.sent) == [
        .decloak(romeoAtSip, .hide(balcony)), .decloak(romeoAtSip, .hide(jid("paris@a.example"))),
        .decloak(romeoAtSip, .hide(jid("nurse@capulet.example"))),
      ])
    #expect(world.gateway.targets.sorted().filter { $0 != paris }.allSatisfy(world.gateway.isHidden))
    #expect(world.sees("juliet@capulet.example/balcony", paris))
    #expect(world.receive("nurse@capulet.example/hall").isEmpty)
    // The rule goes, and with it what it hid: who is subscribed is shown again.
    #expect(
      try world.setRule("to:\(paris)", nil).sent == [
        .decloak(romeoAtSip, .show(jid("nurse@capulet.example"), full: true))
      ])
    #expect(world.receive().sent.count == 1)
  }

  @Test("A rule about an address answers who waits at it, unless the asker has one of its own")
  func answeringByTarget() throws {
    var world = GatewayWorld(.rules, rules: ["to:*": .ask, "nurse@capulet.example": .ask])
    world.receive()
    world.receive("nurse@capulet.example/hall")
    #expect(world.gateway.pendingCount == 2)
    let effects = try world.setRule("to:\(romeoAtSip)", .allow)
    #expect(effects.sent == [.decloak(romeoAtSip, .show(balcony, full: false))])
    #expect(world.gateway.pendingCount == 1)
    let closed = try world.setRule("to:\(romeoAtSip)", .deny)
    #expect(closed.sent == [.decloak(romeoAtSip, .hide(balcony))])
    #expect(closed.decloak.resolved.map(\.outcome) == [.denied])
    #expect(world.gateway.pendingCount == 0)
  }

  @Test("A rule that lets an address be seen is no yes where the policy asks a person")
  func gateOnly() throws {
    var world = GatewayWorld(.ask, rules: ["to:*": .ask])
    world.receive()
    #expect(try world.setRule("to:*", .allow).isEmpty)
    #expect(world.gateway.pendingCount == 1)
  }

  @Test("Whoever was refused by the policy is heard again after a new rule about the address; a person's no stands")
  func heardAgain() throws {
    var world = GatewayWorld(.rules)
    world.receive()
    world.receive("nurse@capulet.example/hall")
    #expect(world.receive().isEmpty)
    try world.setRule("nurse@capulet.example", .deny)
    try world.setRule("to:*", .allow)
    #expect(world.receive().sent.count == 1)
    #expect(world.receive("nurse@capulet.example/hall").isEmpty)
  }

  @Test("Policy off takes back every yes at all addresses")
  func off() {
    var world = GatewayWorld(.allow)
    world.receive()
    world.receive(at: paris)
    #expect(world.setPolicy(.off).sent.count == 2)
    #expect(world.gateway.sessionCount == 0)
  }

  @Test("Revoke ends the sessions of all addresses with one contact, or all")
  func revoke() throws {
    var world = GatewayWorld(.allow)
    for target in [romeoAtSip, paris] {
      world.receive(at: target)
      world.receive("nurse@capulet.example/hall", at: target)
    }
    #expect(Set(world.revoke(juliet).sent) == [.decloak(romeoAtSip, .hide(balcony)), .decloak(paris, .hide(balcony))])
    #expect(world.revoke().sent.count == 2)
    #expect(world.gateway.sessionCount == 0)
  }

  @Test("An address that asks shows itself by it, and what answers is its peer")
  func asking() throws {
    var world = GatewayWorld(.off)
    let asked = try world.gateway.ask(
      juliet, from: romeoAtSip, reason: .media, lifetime: 60, reveal: false, now: world.now)
    world.sending(asked.effects)
    #expect(asked.effects == [.decloak(romeoAtSip, .request(juliet, .media))])
    #expect(world.gateway.appeared(balcony, at: paris, now: world.now).isEmpty)
    let answered = world.gateway.appeared(balcony, at: romeoAtSip, now: world.now)
    #expect(answered == [.decloak(romeoAtSip, .peerAppeared(balcony, id: asked.id))])
    #expect(world.gateway.peers.map(\.target) == [romeoAtSip])
    #expect(world.wait(59.9).isEmpty)
    #expect(world.wait(0.1).sent == [.decloak(romeoAtSip, .hide(.bare(juliet)))])
    #expect(world.gateway.targets.isEmpty)
    // A deadline that is void waits for its time.
    #expect(world.wait(60).isEmpty)
    #expect(world.gateway.nextDeadline == nil)
  }
}

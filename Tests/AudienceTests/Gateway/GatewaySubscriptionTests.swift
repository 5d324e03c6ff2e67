// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Subscriptions to a gateway's addresses")
struct GatewaySubscriptionTests {
  private let mine = GatewaySubscription(contact: juliet, target: romeoAtSip)
  private let presence = GatewayEffect.decloak(romeoAtSip, .show(.bare(juliet), full: true))
  private let unavailable = GatewayEffect.decloak(romeoAtSip, .hide(.bare(juliet)))

  @Test("What allows a request grants a subscription: kept, told, and shown at once")
  func allowed() {
    var world = GatewayWorld(.allow)
    #expect(world.subscribe() == [.keep(mine), .subscribed(mine), presence])
    #expect(world.refused.isEmpty)
    #expect(world.gateway.shows(romeoAtSip, to: jid("juliet@capulet.example/any")))
    #expect(world.gateway.audience(of: romeoAtSip).seesAll(jid("juliet@capulet.example/any")))
    // Its server has forgotten, and is told again.
    #expect(world.subscribe() == [.subscribed(mine), presence])
  }

  @Test(
    "What asks lists it, what refuses is silent",
    arguments: [
      (Decloak.Policy.ask, [:], 1), (.rules, [:], 0), (.rules, ["to:*": .ask], 1), (.allow, ["to:*": .ask], 1),
      (.allow, ["juliet@capulet.example": .deny], 0), (.rules, ["@capulet.example": .ask], 1),
    ] as [(Decloak.Policy, [String: RuleDecision], Int)])
  func judged(_ policy: Decloak.Policy, _ rules: [String: RuleDecision], _ listed: Int) {
    var world = GatewayWorld(policy, rules: rules)
    let effects = world.subscribe()
    #expect(effects.sent.isEmpty)
    #expect(effects.announcedSubscriptions == Array(repeating: mine, count: listed))
    #expect(world.gateway.subscriptions.requests.map(\.subscription) == effects.announcedSubscriptions)
    #expect(world.subscribe().isEmpty)
    #expect(world.gateway.subscriptions.requests.map(\.count) == Array(repeating: 2, count: listed))
    #expect(world.gateway.targets.isEmpty)
  }

  @Test("A person's yes grants it, a person's no is silence")
  func answered() throws {
    var world = GatewayWorld(.ask)
    world.subscribe()
    #expect(try world.authorize(romeo) == nil)
    #expect(try world.authorize(to: romeoAtSip) == [.keep(mine), .subscribed(mine), presence])
    #expect(world.gateway.subscriptions.requests.isEmpty)
    world.subscribe(romeo)
    #expect(world.refuseSubscription(romeo) == true)
    #expect(world.refuseSubscription(romeo) == false)
    #expect(!world.gateway.shows(romeoAtSip, to: .bare(romeo)))
  }

  @Test("Whoever has a session beside the subscription is shown what that lets see, when the subscription is over")
  func sessionBeside() throws {
    var world = GatewayWorld(.allow)
    world.subscribe()
    try world.share("juliet@capulet.example", full: false)
    let less = GatewayEffect.decloak(romeoAtSip, .show(.bare(juliet), full: false))
    #expect(world.unsubscribe() == [.drop(mine), .unsubscribed(mine), less])
    world.subscribe()
    #expect(try world.setRule("juliet@capulet.example", .deny).sent == [less])
    #expect(try world.setRule("juliet@capulet.example", nil).sent == [presence])
  }

  @Test("While hidden, a yes must be meant")
  func reveal() throws {
    var world = GatewayWorld(.allow, visibility: .invisible)
    #expect(world.subscribe().announcedSubscriptions == [mine])
    #expect(throws: DecloakError.wouldReveal(juliet)) { try world.authorize() }
    #expect(try world.authorize(reveal: true) == [.keep(mine), .subscribed(mine)])
  }

  @Test("A yes that has not left is not told after a rule that takes it back")
  func overtaken() throws {
    var world = GatewayWorld(.ask)
    world.subscribe()
    world.disconnect(inOrder: false)
    #expect(try world.authorize() == [.keep(mine), .subscribed(mine), presence])
    #expect(world.gateway.verdict(.subscription, from: romeoAtSip, to: .bare(juliet)) == .send)
    try world.setRule("to:*", .deny)
    #expect(world.gateway.verdict(.subscription, from: romeoAtSip, to: .bare(juliet)) != .send)
    #expect(world.connect().isEmpty)
    #expect(try world.setRule("to:*", nil).sent == [presence])
    world.disconnect(inOrder: false)
    #expect(world.connect() == [.subscribed(mine), presence])
  }

  @Test("A later rule answers who waits")
  func laterRule() throws {
    var world = GatewayWorld(.ask)
    world.subscribe()
    world.subscribe(romeo)
    #expect(try world.setRule("juliet@capulet.example", .allow) == [.keep(mine), .subscribed(mine), presence])
    #expect(try world.setRule("@montague.example", .deny).isEmpty)
    #expect(world.gateway.subscriptions.requests.isEmpty)
    world.subscribe(BareAddress("nurse@capulet.example"))
    #expect(try world.setRule("to:paris@\(sip)", .allow).sent == [unavailable])
    #expect(world.gateway.subscriptions.requests.isEmpty)
  }

  @Test("A rule answers nobody whom another one is about")
  func otherRule() throws {
    var world = GatewayWorld(.ask, rules: ["juliet@capulet.example": .allow], visibility: .invisible)
    world.subscribe()
    world.setVisibility(.visible)
    #expect(try world.setRule("@capulet.example", .deny).isEmpty)
    #expect(try world.setRule("to:*", .allow).isEmpty)
    #expect(world.gateway.subscriptions.requests.count == 1)
    #expect(try world.setRule("juliet@capulet.example", .allow).sent.count == 2)
  }

  @Test("Whoever unsubscribes is told so and sees nothing more")
  func unsubscribing() {
    var world = GatewayWorld(.allow)
    world.subscribe()
    #expect(world.unsubscribe() == [.drop(mine), .unsubscribed(mine), unavailable])
    #expect(world.refused.isEmpty)
    #expect(world.gateway.owedAnswers.isEmpty)
    #expect(world.gateway.targets.isEmpty)
    #expect(world.unsubscribe().isEmpty)
    world.setPolicy(.ask)
    world.subscribe()
    #expect(world.unsubscribe().isEmpty)
    #expect(world.gateway.subscriptions.requests.isEmpty)
  }

  @Test("Whom an address hides from is not told that it unsubscribed")
  func unsubscribingHidden() throws {
    var world = GatewayWorld(.allow)
    world.subscribe()
    world.setVisibility(.invisible)
    #expect(world.unsubscribe() == [.drop(mine)])
    world.setVisibility(.visible)
    world.subscribe()
    try world.setRule("to:*", .deny)
    #expect(world.unsubscribe() == [.drop(mine)])
    #expect(world.kept.isEmpty)
  }

  @Test("A subscription can be taken back")
  func cancelled() {
    var world = GatewayWorld(.allow)
    world.subscribe()
    let effects = world.gateway.cancelSubscription(juliet, to: nil, now: world.now)
    #expect(world.sending(effects) == [.drop(mine), .unsubscribed(mine), unavailable])
  }

  @Test("A session stays when a subscription ends, and is shown again after the unavailable")
  func sessionStays() {
    var world = GatewayWorld(.allow)
    world.receive()
    world.subscribe()
    #expect(
      world.unsubscribe().sent.last == .decloak(romeoAtSip, .show(jid("juliet@capulet.example/balcony"), full: false)))
    #expect(world.gateway.shows(romeoAtSip, to: jid("juliet@capulet.example/balcony")))
  }

  @Test("A rule against the asker, or no policy, makes a subscription dormant; it comes back with them")
  func dormant() throws {
    var world = GatewayWorld(.allow)
    world.subscribe()
    #expect(try world.setRule("juliet@capulet.example", .deny).sent == [unavailable])
    #expect(world.probe("juliet@capulet.example").isEmpty)
    #expect(world.subscribe().isEmpty)
    #expect(try world.setRule("juliet@capulet.example", nil).sent == [presence])
    #expect(world.setPolicy(.off).sent == [unavailable])
    #expect(world.setPolicy(.rules).sent == [presence])
    #expect(world.kept == [mine])
  }

  @Test("Whose session ends together with its subscription is told once")
  func goodbyeOnce() throws {
    for subject in ["juliet@capulet.example", "@capulet.example", "to:*", nil] {
      var world = GatewayWorld(.allow)
      world.subscribe()
      world.setVisibility(Visibility(showsOthers: true, exceptions: [juliet]))
      world.receive("juliet@capulet.example/balcony")
      try world.approve(world.pendingID())
      let effects = try subject.map { try world.setRule($0, .deny) } ?? world.setPolicy(.off)
      #expect(effects.sent == [.decloak(romeoAtSip, .hide(jid("juliet@capulet.example/balcony")))])
    }
  }

  @Test("A probe is answered for those who see the address, and for nobody else")
  func probes() throws {
    var world = GatewayWorld(.allow)
    #expect(world.probe("juliet@capulet.example").isEmpty)
    world.receive()
    #expect(world.probe("juliet@capulet.example").isEmpty)
    let balcony = jid("juliet@capulet.example/balcony")
    #expect(world.probe("\(balcony)") == [.decloak(romeoAtSip, .show(balcony, full: false))])
    world.subscribe()
    for _ in 0..<3 { #expect(world.probe("juliet@capulet.example") == [presence]) }
    #expect(world.probe("nurse@capulet.example").isEmpty)
    #expect(world.probe("juliet@capulet.example", at: BareAddress("paris@\(sip)")).isEmpty)
    world.setVisibility(.invisible)
    #expect(world.probe("juliet@capulet.example").isEmpty)
  }

  @Test("Whoever shares the domain with others takes no subscriptions")
  func balanced() {
    var world = GatewayWorld(.allow, subscriptions: [mine], isBalanced: true)
    #expect(world.connect().isEmpty)
    #expect(world.subscribe(romeo).isEmpty)
    #expect(world.probe("juliet@capulet.example").isEmpty)
    #expect(world.unsubscribe() == [.drop(mine)])
    world.setPolicy(.ask)
    #expect(world.subscribe(romeo).isEmpty)
    #expect(world.receive().sent.isEmpty)
  }

  @Test("What was kept is in force again, and shown once the stream is up")
  func restored() {
    var world = GatewayWorld(.allow, subscriptions: [mine])
    #expect(world.gateway.subscriptions.count == 1)
    #expect(world.connect() == [presence])
    var off = GatewayWorld(.off, subscriptions: [mine])
    #expect(off.connect().isEmpty)
    #expect(off.setPolicy(.ask).sent == [presence])
  }

  @Test("A person's no to a request is one to a subscription as well, for as long")
  func refusedBefore() throws {
    var world = GatewayWorld(.ask)
    world.receive()
    try world.deny(world.pendingID())
    world.setPolicy(.allow)
    #expect(world.subscribe().isEmpty)
    world.wait(3600)
    #expect(world.subscribe().sent.count == 2)
  }

  @Test("A request waits for a day")
  func waits() {
    var world = GatewayWorld(.ask)
    world.subscribe()
    world.wait(86_399)
    #expect(world.gateway.subscriptions.requests.count == 1)
    #expect(world.gateway.nextDeadline == Instant(nanoseconds: 86_400_000_000_000))
    world.wait(1)
    #expect(world.gateway.subscriptions.requests.isEmpty)
  }
}

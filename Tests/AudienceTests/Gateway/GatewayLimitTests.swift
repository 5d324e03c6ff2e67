// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("What a gateway's addresses may grow to")
struct GatewayLimitTests {
  private func target(_ index: Int) -> BareAddress { BareAddress("+\(1_000_000 + index)@\(sip)") }

  @Test("Above 20,000 sessions the one that was silent longest gives way, with unavailable")
  func sessions() {
    var world = GatewayWorld(.allow)
    for index in 0..<20_000 { world.receive("a@d\(index / 50).example/x\(index)", at: target(index % 64)) }
    #expect(world.gateway.sessionCount == 20_000)
    // The first has been talked to since.
    world.pass(1)
    #expect(world.gateway.exchanged(with: jid("a@d0.example/x0"), at: target(0), now: world.now).isEmpty)
    let effects = world.receive()
    #expect(
      effects.sent == [
        .decloak(romeoAtSip, .show(jid("juliet@capulet.example/balcony"), full: false)),
        .decloak(target(1), .hide(jid("a@d0.example/x1"))),
      ])
    #expect(effects.decloak.ends.map(\.cause) == [.expired, .expired])
    #expect(world.gateway.sessionCount == 20_000)
    #expect(world.gateway.counts.displaced == 1)
    #expect(world.shows(target(0), to: "a@d0.example/x0"))
  }

  @Test("A domain with more than a quarter of them makes its own give way")
  func sessionsPerDomain() throws {
    var world = GatewayWorld(.allow)
    for index in 0..<15_000 { world.receive("a@d\(index / 10).example/x\(index)", at: target(index % 64)) }
    for index in 0..<5000 { world.receive("a\(index)@evil.example/x", at: target(index % 64)) }
    for index in 5000..<6000 {
      let effects = world.receive("a\(index)@evil.example/x", at: target(0))
      #expect(effects.decloak.ends.map(\.contact.domain) == ["evil.example", "evil.example"])
    }
    #expect(world.gateway.sessionCount == 20_000)
    #expect(world.shows(target(0), to: "a@d0.example/x0"))
  }

  @Test("One asker sees 64 addresses by itself; a person may show it more")
  func addressesPerAsker() throws {
    var world = GatewayWorld(.allow)
    for index in 0..<100 { world.receive(at: target(index)) }
    #expect(world.gateway.sessionCount == 64)
    #expect(world.gateway.counts.dropped == 36)
    #expect(world.receive("juliet@capulet.example/chamber", at: target(63)).sent.count == 1)
    #expect(world.receive("juliet@capulet.example/chamber", at: target(64)).isEmpty)
    try world.share("juliet@capulet.example", from: target(64))
    #expect(world.receive("juliet@capulet.example/chamber", at: target(64)).sent.count == 1)
    world.leave("juliet@capulet.example/balcony", from: target(0))
    world.leave("juliet@capulet.example/balcony", from: target(1))
    #expect(world.receive(at: target(65)).sent.count == 1)
    #expect(world.receive(at: target(66)).isEmpty)
  }

  @Test("16 resources of one asker see an address")
  func resources() {
    var world = GatewayWorld(.allow)
    for index in 0..<20 { world.receive("juliet@capulet.example/\(index)") }
    #expect(world.gateway.sessionCount == 16)
    #expect(world.gateway.counts.dropped == 4)
  }

  @Test("256 requests wait, 64 of one domain, 4 of one asker")
  func pending() throws {
    var world = GatewayWorld(.ask)
    for index in 0..<6 { world.receive(at: target(index)) }
    #expect(world.gateway.pendingCount == 4)
    for index in 0..<100 { world.receive("a\(index)@evil.example/x", at: target(index)) }
    #expect(world.gateway.pendingCount == 68)
    for index in 0..<300 { world.receive("a@d\(index).example/x", at: target(index)) }
    #expect(world.gateway.pendingCount == 256)
    #expect(world.gateway.counts.dropped == 2 + 36 + 112)
    try world.deny(world.pendingID(at: target(0)))
    #expect(world.receive(at: target(5)).decloak.announced.count == 1)
  }

  @Test("Who asks and leaves at once keeps its place until the request would have expired")
  func withdrawing() {
    var world = GatewayWorld(.ask)
    var announced = 0
    for _ in 0..<10 {
      announced += world.receive().decloak.announced.count
      world.leave("juliet@capulet.example/balcony")
    }
    #expect(announced == 4)
    for index in 0..<1000 {
      announced += world.receive("a@d\(index).example/x").decloak.announced.count
      world.leave("a@d\(index).example/x")
    }
    #expect(announced == 256)
    #expect(world.gateway.pendingCount == 0)
    #expect(world.gateway.places.count == 256)
    world.wait(120)
    #expect(world.receive().decloak.announced.count == 1)
    world.leave("juliet@capulet.example/balcony")
    for _ in 0..<5 {
      world.receive()
      world.leave("juliet@capulet.example/balcony")
    }
    #expect(world.receive().isEmpty)
    world.setPolicy(.rules)
    world.setPolicy(.ask)
    #expect(world.receive().decloak.announced.count == 1)
  }

  @Test("16 automatic answers are told at once and 4 more each second; all are answered, and the others counted")
  func announcements() {
    var world = GatewayWorld(.allow)
    func storm(_ world: inout GatewayWorld, _ name: String) -> (told: Int, answered: Int) {
      let effects = (0..<100).flatMap { world.receive("a\($0)@\(name).example/x") }
      #expect(effects.decloak.announced.count == effects.decloak.resolved.count)
      return (effects.decloak.announced.count, effects.decloak.shown.count)
    }
    #expect(storm(&world, "a") == (16, 100))
    #expect(world.gateway.counts.untold == 84)
    #expect(storm(&world, "b") == (0, 100))
    world.pass(1)
    #expect(storm(&world, "c") == (4, 100))
    world.pass(0.25)
    #expect(storm(&world, "d") == (1, 100))
    world.pass(3600)
    #expect(storm(&world, "e") == (16, 100))
  }

  @Test("What is refused without being told leaves nothing behind")
  func refusals() {
    var world = GatewayWorld(.rules)
    let effects = (0..<1000).flatMap { world.receive("a\($0)@d\($0).example/x") }
    #expect(effects.decloak.announced.count == 16)
    #expect(world.gateway.silenced.count == 16)
    #expect(world.gateway.counts.dropped == 984)
    #expect(world.gateway.targets.count == 1)
    world.wait(3600)
    #expect(world.gateway.silenced.count == 0)
  }

  @Test("Above 16,384 who are not heard, the first is heard again")
  func silences() throws {
    var world = GatewayWorld(.ask)
    for index in 0..<16_400 {
      try world.deny(world.receive("a@d\(index).example/x", at: target(index)).decloak.announced[0].id)
    }
    #expect(world.gateway.silenced.count == 16_384)
    #expect(world.receive("a@d15.example/x", at: target(15)).decloak.announced.count == 1)
    #expect(world.receive("a@d16.example/x", at: target(16)).isEmpty)
  }

  @Test("1,024 answers are remembered")
  func answers() throws {
    var world = GatewayWorld(.ask)
    var first = ""
    for index in 0..<1025 {
      let id = world.receive("a@d\(index).example/x", at: target(index)).decloak.announced[0].id
      if index == 0 { first = id } else if index == 1 { #expect(try world.deny(first).isEmpty) }
      try world.deny(id)
    }
    #expect(world.gateway.remembered.count == 1024)
    #expect(throws: DecloakError.noSuchRequest(id: first)) { try world.deny(first) }
  }

  @Test("One asker has 256 subscriptions, one domain a quarter of 100,000")
  func subscriptions() {
    var world = GatewayWorld(.allow)
    for index in 0..<300 { world.subscribe(to: target(index)) }
    #expect(world.gateway.subscriptions.count == 256)
    #expect(world.gateway.counts.dropped == 44)
    for index in 0..<25_100 { world.subscribe(BareAddress("a\(index)@evil.example"), to: target(0)) }
    #expect(world.gateway.subscriptions.count == 256 + 25_000)
    for index in 0..<80_000 { world.subscribe(BareAddress("a\(index)@d\(index % 100).example"), to: target(0)) }
    #expect(world.gateway.subscriptions.count == 100_000)
    world.unsubscribe(from: target(0))
    #expect(world.subscribe(romeo).sent.count == 2)
  }

  @Test("256 subscription requests wait, 64 of one domain, 4 of one asker")
  func subscriptionRequests() {
    var world = GatewayWorld(.ask)
    for index in 0..<6 { world.subscribe(to: target(index)) }
    #expect(world.gateway.subscriptions.requests.count == 4)
    for index in 0..<100 { world.subscribe(BareAddress("a\(index)@evil.example")) }
    #expect(world.gateway.subscriptions.requests.count == 68)
    for index in 0..<300 { world.subscribe(BareAddress("a@d\(index).example")) }
    #expect(world.gateway.subscriptions.requests.count == 256)
  }

  @Test("Who asks to subscribe and takes it back at once is told of four times in two minutes")
  func subscribingAndLeaving() {
    var world = GatewayWorld(.ask)
    func storm(_ contact: BareAddress) -> Int {
      (0..<10).reduce(0) { told, _ in
        defer { world.unsubscribe(contact) }
        return told + world.subscribe(contact).announcedSubscriptions.count
      }
    }
    #expect(storm(juliet) == 4)
    #expect((0..<100).reduce(0) { $0 + storm(BareAddress("a\($1)@evil.example")) } == 64)
    #expect((0..<1000).reduce(0) { $0 + storm(BareAddress("a@d\($1).example")) } == 256 - 68)
    #expect(world.gateway.subscriptions.requests.isEmpty)
    world.wait(119.9)
    #expect(storm(juliet) == 0)
    world.wait(0.1)
    #expect(storm(juliet) == 4)
    world.setPolicy(.off)
    world.setPolicy(.ask)
    #expect(storm(juliet) == 4)
  }

  @Test("What was sent again lately is not remembered beyond the session")
  func resent() throws {
    var world = GatewayWorld(.allow)
    // Somebody keeps the address.
    world.receive()
    for index in 0..<100 {
      let asker = "a\(index)@d.example/x"
      world.receive(asker)
      #expect(world.receive(asker).sent.count == 1)
      world.revoke(BareAddress("a\(index)@d.example"))
      world.subscribe(BareAddress("b\(index)@d.example"))
      #expect(world.receive("b\(index)@d.example/x").sent.count == 1)
      world.unsubscribe(BareAddress("b\(index)@d.example"))
    }
    #expect(world.gateway.hosts[romeoAtSip]?.decloak.resentAt.count == 0)
    // Whoever still sees us is not sent it again at once.
    world.receive("juliet@capulet.example/chamber")
    #expect(world.receive("juliet@capulet.example/chamber").sent.count == 1)
    world.leave("juliet@capulet.example/balcony")
    #expect(world.receive("juliet@capulet.example/chamber").isEmpty)
  }

  @Test("The calls of somebody who sees us no longer are forgotten")
  func calls() {
    var world = GatewayWorld(.allow)
    world.receive()
    for index in 0..<256 {
      let caller = "a\(index)@d.example"
      world.subscribe(BareAddress(caller))
      world.gateway.callBegan("a", with: jid("\(caller)/x"), at: romeoAtSip)
      world.unsubscribe(BareAddress(caller))
    }
    let balcony = jid("juliet@capulet.example/balcony")
    world.gateway.callBegan("b", with: balcony, at: romeoAtSip)
    let effects = world.gateway.callEnded("b", with: balcony, at: romeoAtSip, now: world.now)
    #expect(effects.sent == [.decloak(romeoAtSip, .hide(balcony))])
  }

  @Test("Where one address does not hear many, the books know of no more of them than it does")
  func silencesOfOne() throws {
    var world = GatewayWorld(.ask)
    for index in 0..<5000 {
      try world.deny(world.receive("a@d\(index).example/x").decloak.announced[0].id)
    }
    #expect(world.gateway.silenced.count == world.gateway.hosts[romeoAtSip]?.decloak.silences.count)
    #expect(world.receive("a@d0.example/x").isEmpty)
  }

  @Test("No domain takes more than a quarter of the copies, and those who come first are never too many")
  func copiesOfDomain() {
    var world = GatewayWorld(.allow)
    for index in 0..<5000 {
      world.subscribe(BareAddress("a\(index)@evil.example"))
      for resource in 0..<16 { world.probe("a\(index)@evil.example/\(resource)") }
    }
    // Each of them has the first one in any case.
    #expect((Limits.gatewayShownPerDomain..<(Limits.gatewayShownPerDomain + 5000)).contains(world.gateway.shownCount))
    world.subscribe(BareAddress("a@evil.example"))
    #expect(world.sees("a@evil.example"))
    #expect(world.receive("b@evil.example/x").sent.count == 1)
    world.subscribe()
    #expect(world.probe("juliet@capulet.example/balcony").sent.count == 1)
  }

  @Test("What concerns one contact costs the same among 4,000 as among 20")
  func costOfOne() throws {
    // The fastest of ten.
    func cost(_ count: Int) throws -> Duration {
      var world = GatewayWorld(.allow)
      for index in 0..<count {
        world.receive("a@d\(index).example/x", at: target(index))
        try world.gateway.rules.set(.ask, for: .contact(BareAddress("b\(index)@b.example")))
      }
      let clock = ContinuousClock()
      return try (0..<10).map { index in
        let contact = "a@d\(index).example"
        return try clock.measure {
          #expect(try world.setRule(contact, .deny).sent.count == 1)
          #expect(world.receive("\(contact)/y", at: target(index)).sent.isEmpty)
          try world.setRule(contact, nil)
          var visibility = world.gateway.visibility
          for other in 0..<100 { visibility.hide(BareAddress("c\(index * 100 + other)@c.example")) }
          world.setVisibility(visibility)
          _ = world.gateway.why(jid("\(contact)/x"))
        }
      }.min() ?? .zero
    }
    let (few, many) = (try cost(20), try cost(4000))
    #expect(many < few * 20, "\(few) with 20, \(many) with 4,000")
  }

  @Test("A subscriber that asks with ever more resources is sent 16 copies")
  func copies() {
    var world = GatewayWorld(.allow)
    world.subscribe()
    for index in 0..<100 {
      world.receive("juliet@capulet.example/\(index)")
      world.probe("juliet@capulet.example/p\(index)")
    }
    #expect(world.gateway.shownCount == 16)
  }

  @Test("Of 250,000 copies 120,000 are for those who do not see us yet, and the last is no further one")
  func allCopies() {
    var world = GatewayWorld(.allow)
    world.subscribe()
    world.gateway.shownCount = Limits.gatewayShownFurther
    #expect(world.receive().isEmpty)
    #expect(world.probe("juliet@capulet.example/balcony").isEmpty)
    #expect(world.probe("juliet@capulet.example").sent.count == 1)
    #expect(world.gateway.counts.dropped == 1)
    #expect(world.receive("nurse@capulet.example/hall").sent.count == 1)
    #expect(world.receive("nurse@capulet.example/hall").sent.count == 1)
    world.gateway.shownCount = Limits.gatewayShown
    #expect(world.receive("paris@a.example/x").isEmpty)
    world.gateway.inherit(shown: [(romeoAtSip, jid("paris@a.example/x"))])
    #expect(world.gateway.shownCount == Limits.gatewayShown)
    world.gateway.shownCount = Limits.gatewayShownFurther - 1
    #expect(world.receive().sent.count == 1)
  }

  @Test("100,000 who have not been told that their subscription is over are remembered")
  func owedAnswers() {
    var world = GatewayWorld(.allow)
    world.subscribe()
    for index in 0..<100_000 {
      world.gateway.owedAnswers[GatewaySubscription(contact: BareAddress("a\(index)@d.example"), target: romeoAtSip)] =
        .ended
    }
    #expect(world.unsubscribe().sent == [.decloak(romeoAtSip, .hide(.bare(juliet)))])
    #expect(world.gateway.owedAnswers.count == 100_000)
  }

  @Test("Those who come and go leave no deadlines behind")
  func deadlines() {
    var world = GatewayWorld(.allow)
    for index in 0..<20_000 {
      world.receive("a@d\(index % 100).example/x\(index)", at: target(index % 500))
      world.leave("a@d\(index % 100).example/x\(index)", from: target(index % 500))
    }
    #expect(world.gateway.deadlines.count <= 1025)
    #expect(world.gateway.pairCount == 0)
    #expect(world.gateway.sessionCount == 0)
    #expect(world.gateway.shownCount == 0)
  }
}

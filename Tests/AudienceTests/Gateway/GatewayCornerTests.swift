// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Where two things meet at a gateway")
struct GatewayCornerTests {
  private let balcony = jid("juliet@capulet.example/balcony")
  private let mine = GatewaySubscription(contact: juliet, target: romeoAtSip)
  private let goodbye = GatewayEffect.decloak(romeoAtSip, .hide(jid("juliet@capulet.example/balcony")))

  @Test("Who is subscribed and does not see us is told as such when it asks")
  func subscribedAsks() {
    var world = GatewayWorld(.allow)
    world.subscribe()
    world.setVisibility(.invisible)
    #expect(world.receive().decloak.announced.map(\.isInRoster) == [true])
    #expect(world.receive("nurse@capulet.example/hall").decloak.announced.map(\.isInRoster) == [false])
    // Its request is pointless once it sees us.
    #expect(world.setVisibility(.visible).decloak.resolved.map(\.outcome) == [.superseded])
  }

  @Test("A call that began before we were seen is none that a session is for")
  func earlyCall() {
    var world = GatewayWorld(.allow)
    world.receive("nurse@capulet.example/hall")
    world.gateway.callBegan("a", with: balcony, at: romeoAtSip)
    world.receive()
    #expect(world.gateway.callEnded("a", with: balcony, at: romeoAtSip, now: world.now).isEmpty)
    #expect(world.shows(to: "\(balcony)"))
  }

  @Test("Our own addresses are neither shown to each other nor asked")
  func ourselves() {
    var world = GatewayWorld(.allow)
    #expect(throws: DecloakError.ourselves) { try world.share("paris@\(sip)/x") }
    #expect(throws: DecloakError.ourselves) {
      try world.gateway.ask(
        BareAddress("paris@\(sip)"), from: romeoAtSip, reason: .media, lifetime: 60, reveal: true, now: world.now)
    }
  }

  @Test("Revoke counts the sessions of both directions")
  func revoked() {
    var world = GatewayWorld(.allow)
    world.receive()
    world.receive("nurse@capulet.example/hall")
    #expect(world.gateway.revoke(juliet, now: world.now).ended == 2)
    #expect(world.gateway.revoke(nil, now: world.now).ended == 2)
    #expect(world.gateway.revoke(nil, now: world.now).ended == 0)
  }

  @Test("A request that nobody answered is no no to a subscription")
  func nobodyAnswered() {
    var world = GatewayWorld(.ask)
    world.receive()
    world.wait(120)
    #expect(world.subscribe().announcedSubscriptions == [mine])
  }

  @Test("A person cannot grant more than the limit either")
  func authorizedAboveLimit() throws {
    var world = GatewayWorld(.allow)
    for index in 0..<Limits.gatewaySubscriptionsPerAsker { world.subscribe(to: BareAddress("+1\(index)@\(sip)")) }
    world.setPolicy(.ask)
    world.subscribe()
    #expect(throws: DecloakError.self) { try world.authorize() }
    #expect(world.gateway.subscriptions.requests.count == 1)
  }

  @Test("A yes that was meant although we hide is not told against a rule that came after it")
  func revealOvertaken() throws {
    var world = GatewayWorld(.ask, visibility: .invisible)
    world.subscribe()
    world.disconnect(inOrder: false)
    #expect(try world.authorize(reveal: true)?.isEmpty == false)
    try world.setRule("juliet@capulet.example", .deny)
    #expect(world.connect().isEmpty)
    try world.setRule("juliet@capulet.example", nil)
    world.disconnect(inOrder: false)
    #expect(world.connect() == [.subscribed(mine)])
  }

  @Test("A yes that has not left is not told once we hide")
  func grantedThenHidden() {
    var world = GatewayWorld(.allow)
    _ = world.gateway.subscribe(juliet, to: romeoAtSip, now: world.now)
    world.disconnect(inOrder: false)
    world.setVisibility(.invisible)
    #expect(world.connect().isEmpty)
  }

  @Test("The next deadline is the first of all")
  func deadlines() {
    var world = GatewayWorld(.ask)
    world.subscribe()
    world.wait(86_390)
    world.receive("nurse@capulet.example/hall")
    #expect(world.gateway.nextDeadline == Instant(nanoseconds: 86_400_000_000_000))
  }

  @Test("From some to nobody ends the sessions of those as well whom a person let in beside them")
  func fromOnlyToNobody() throws {
    var world = GatewayWorld(.allow, visibility: Visibility(showsOthers: false, exceptions: [romeo]))
    try world.share("\(balcony)")
    #expect(world.setVisibility(.invisible).sent == [goodbye])
  }

  @Test(
    "Who sees us by subscription now needs no session, but in one that waits for an answer; who did before keeps it")
  func absorbed() throws {
    for isAsked in [false, true] {
      var world = GatewayWorld(.allow)
      world.subscribe()
      world.setVisibility(Visibility(showsOthers: true, exceptions: [juliet]))
      if isAsked {
        let asked = try world.gateway.ask(
          juliet, from: romeoAtSip, reason: .media, lifetime: 60, reveal: true, now: world.now)
        world.sending(asked.effects)
      } else {
        try world.share("\(juliet)")
      }
      world.setVisibility(Visibility(showsOthers: true, exceptions: [romeo]))
      #expect(world.gateway.sessionCount == (isAsked ? 1 : 0))
    }
    var world = GatewayWorld(.allow)
    world.receive()
    world.subscribe()
    world.setVisibility(Visibility(showsOthers: false, exceptions: [juliet]))
    #expect(world.gateway.sessionCount == 0)
    try world.share("\(juliet)")
    world.setVisibility(Visibility(showsOthers: true, exceptions: [romeo]))
    #expect(world.gateway.sessionCount == 1)
  }

  @Test("Whom we saw in a session that is needed no longer is forgotten in time")
  func peerAlone() throws {
    var world = GatewayWorld(.ask)
    world.receive()
    try world.approve(world.pendingID(), lifetime: 60)
    world.setVisibility(Visibility(showsOthers: true, exceptions: [juliet]))
    world.setVisibility(.visible)
    world.receive()
    try world.approve(world.pendingID(), lifetime: 60)
    world.subscribe()
    try world.authorize()
    world.gateway.hosts[romeoAtSip]?.audience.end(balcony)
    world.gateway.settle(romeoAtSip, juliet)
    #expect(world.gateway.peers.count == 1)
    world.wait(60)
    #expect(world.gateway.peers.isEmpty)
  }

  @Test("An ask that nobody answered stops a session of its own no longer from living on")
  func askOver() throws {
    var world = GatewayWorld(.off)
    try world.share("\(juliet)", lifetime: 300)
    let asked = try world.gateway.ask(
      juliet, from: romeoAtSip, reason: .media, lifetime: 60, reveal: true, now: world.now)
    world.sending(asked.effects)
    world.wait(120)
    _ = world.gateway.exchanged(with: .bare(juliet), at: romeoAtSip, now: world.now)
    world.wait(299)
    #expect(world.shows(to: "\(juliet)"))
    world.wait(1)
    #expect(!world.shows(to: "\(juliet)"))
  }

  @Test("A new rule about an address takes back no person's no, and answers nobody for another rule")
  func rulesAboutAddresses() throws {
    var world = GatewayWorld(.rules, rules: ["to:*": .ask])
    world.receive()
    try world.deny(world.pendingID())
    try world.setRule("to:romeo*", .allow)
    #expect(world.receive().isEmpty)
    // What comes of a rule that goes is the older one's doing: who waits goes on waiting.
    var other = GatewayWorld(.rules, rules: ["to:*": .allow, "to:romeo*": .ask])
    other.receive()
    #expect(try other.setRule("to:romeo*", nil).sent.isEmpty)
    #expect(other.gateway.pendingCount == 1)
  }

  @Test("Of two rules that say the same of an address, always the same one is named")
  func sameRule() throws {
    for patterns in [["*ab@\(sip)", "a*b@\(sip)"], ["a*b@\(sip)", "*ab@\(sip)"]] {
      var rules = TargetRules()
      for pattern in patterns { rules.set(.allow, for: try TargetPattern(pattern)) }
      let expected = TargetRule(pattern: try TargetPattern("*ab@\(sip)"), decision: .allow)
      #expect(rules.verdict(on: "ab@\(sip)") == .shown(expected))
    }
  }
}

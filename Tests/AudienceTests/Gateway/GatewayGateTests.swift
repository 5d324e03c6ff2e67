// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Which addresses of a gateway there are to be seen")
struct GatewayGateTests {
  private let balcony = jid("juliet@capulet.example/balcony")

  @Test("With policy allow Romeo's address is shown at once, and a person is told (XEP-0276 listings 4 and 5)")
  func allow() {
    var world = GatewayWorld(.allow)
    let effects = world.receive()
    #expect(effects.sent == [.decloak(romeoAtSip, .show(balcony, full: false))])
    #expect(effects.decloak.announced.map(\.isAutomatic) == [true])
    #expect(effects.decloak.resolved.map(\.outcome) == [.approved])
    #expect(world.gateway.shows(romeoAtSip, to: balcony))
    #expect(!world.gateway.shows(romeoAtSip, to: jid("juliet@capulet.example/chamber")))
    #expect(!world.gateway.shows(BareAddress("paris%shakespeare.lit@\(sip)"), to: balcony))
  }

  @Test("While the policy is off nothing is recorded and nothing is sent")
  func off() {
    var world = GatewayWorld(.off, rules: ["juliet@capulet.example": .allow, "to:*": .allow])
    #expect(world.receive().isEmpty)
    #expect(world.subscribe().isEmpty)
    #expect(world.gateway.targets.isEmpty)
  }

  @Test(
    "The domain itself, addresses that stand for nobody, and those of others are asked in vain",
    arguments: [
      sip, "ro\\20meo@\(sip)", "romeo%h%h@\(sip)", "romeo%shakespeare.lit@shakespeare.lit", "shakespeare.lit",
      "romeo%shakespeare.lit@conference.\(sip)", "@\(sip)",
    ])
  func nobody(_ target: String) {
    var world = GatewayWorld(.allow, rules: ["juliet@capulet.example": .allow])
    let target = BareAddress(target)
    #expect(world.receive(at: target).isEmpty)
    #expect(world.subscribe(to: target).isEmpty)
    #expect(world.probe("juliet@capulet.example", at: target).isEmpty)
    #expect(world.gateway.isHidden(target))
    #expect(world.gateway.targets.isEmpty)
  }

  @Test("Whoever asks from our own domain is not heard")
  func ourselves() {
    var world = GatewayWorld(.allow)
    #expect(world.receive("paris%shakespeare.lit@\(sip)/x").isEmpty)
    #expect(world.receive(sip).isEmpty)
    #expect(world.subscribe(BareAddress("paris@\(sip)")).isEmpty)
    #expect(throws: DecloakError.ourselves) { try world.share(romeoAtSip.text) }
  }

  @Test("Once there is a rule about addresses, one without an allowing rule is hidden, whatever the asker's rule says")
  func hidden() throws {
    for decision in RuleDecision.allCases {
      var world = GatewayWorld(
        .allow,
        rules: [
          "juliet@capulet.example": .allow, "@capulet.example": .allow, "to:paris%shakespeare.lit@\(sip)": decision,
        ])
      #expect(world.receive().isEmpty)
      #expect(world.subscribe().isEmpty)
      #expect(world.gateway.targets.isEmpty)
      #expect(throws: DecloakError.hiddenAddress(romeoAtSip)) { try world.share("juliet@capulet.example") }
      #expect(throws: DecloakError.hiddenAddress(romeoAtSip)) {
        try world.gateway.ask(
          juliet, from: romeoAtSip, reason: .media, lifetime: 60, reveal: true, now: world.now)
      }
      #expect(world.gateway.counts.hidden == 2)
    }
  }

  @Test(
    "First the rule about the address, then the contact's, then the domain's, then the policy",
    arguments: [
      // Policy, rules, and what becomes of a request: shown, asked about, refused or not even heard.
      (Decloak.Policy.allow, [:], "allow"), (.ask, [:], "ask"), (.rules, [:], "deny"),
      (.rules, ["to:*": .allow], "allow"), (.rules, ["to:*": .ask], "ask"), (.rules, ["to:*": .deny], "hidden"),
      (.ask, ["to:*": .allow], "ask"), (.allow, ["to:*": .allow], "allow"), (.allow, ["to:*": .ask], "ask"),
      (.allow, ["to:*": .deny], "hidden"), (.allow, ["to:*": .allow, "to:romeo*": .deny], "hidden"),
      (.allow, ["to:*": .deny, "to:romeo*": .allow], "allow"),
      (.rules, ["to:*": .allow, "juliet@capulet.example": .deny], "deny"),
      (.rules, ["to:*": .allow, "juliet@capulet.example": .ask], "ask"),
      (.rules, ["to:*": .allow, "@capulet.example": .deny], "deny"),
      (.rules, ["to:*": .ask, "juliet@capulet.example": .allow], "ask"),
      (.allow, ["to:*": .ask, "@capulet.example": .allow], "ask"),
      (.rules, ["to:*": .ask, "juliet@capulet.example": .deny], "deny"),
      (.rules, ["juliet@capulet.example": .allow, "@capulet.example": .deny], "allow"),
      (.allow, ["juliet@capulet.example": .deny, "@capulet.example": .allow], "deny"),
      (.allow, ["to:*": .deny, "juliet@capulet.example": .allow], "hidden"),
      (.off, ["to:*": .allow, "juliet@capulet.example": .allow], "hidden"),
    ] as [(Decloak.Policy, [String: RuleDecision], String)])
  func order(_ policy: Decloak.Policy, _ rules: [String: RuleDecision], _ outcome: String) {
    var world = GatewayWorld(policy, rules: rules)
    let effects = world.receive()
    #expect(effects.decloak.shown.isEmpty == (outcome != "allow"))
    #expect((world.gateway.pendingCount == 1) == (outcome == "ask"))
    #expect(effects.decloak.resolved.map(\.outcome).contains(.denied) == (outcome == "deny"))
    #expect(effects.isEmpty == (outcome == "hidden"))
  }

  @Test("An address does not slip past a no by another spelling")
  func spellings() throws {
    var world = GatewayWorld(.allow, rules: ["to:*": .allow, "to:romeo%shakespeare.lit@\(sip)": .deny])
    for local in ["romeo%shakespeare.lit", "romeo\\40shakespeare.lit", "romeo%shakespeare.lit."] {
      #expect(world.receive(at: BareAddress("\(local)@\(sip)")).isEmpty)
    }
    try world.setRule("to:+1900*", .deny)
    for local in ["+19001234", "+1-900-1234", "+1\\20900\\201234", "+1(900)1234"] {
      #expect(world.receive(at: BareAddress("\(local)@\(sip)")).isEmpty)
    }
    #expect(world.receive(at: BareAddress("+18001234@\(sip)")).sent.count == 1)
  }

  @Test("What was asked of one address is asked of it alone, and its answers come from it")
  func apart() throws {
    var world = GatewayWorld(.ask)
    let paris = BareAddress("paris%shakespeare.lit@\(sip)")
    world.receive()
    world.receive(at: paris)
    #expect(world.gateway.pendingRequests.map(\.target) == [paris, romeoAtSip])
    #expect(world.pendingID(at: paris) != world.pendingID())
    #expect(try world.approve(world.pendingID(at: paris)).sent == [.decloak(paris, .show(balcony, full: false))])
    #expect(world.gateway.pendingRequests.map(\.target) == [romeoAtSip])
    #expect(!world.sees("juliet@capulet.example/balcony"))
  }

  @Test("Ids are never used again, also when an address was forgotten meanwhile")
  func ids() throws {
    var world = GatewayWorld(.ask)
    var ids: Set<String> = []
    for _ in 0..<10 {
      world.receive()
      let id = world.pendingID()
      #expect(ids.insert(id).inserted)
      world.leave("juliet@capulet.example/balcony")
      #expect(world.gateway.targets.isEmpty)
      #expect(throws: DecloakError.noSuchRequest(id: id)) { try world.approve(id) }
      world.wait(120)
    }
    for id in ["", "boot", "boot.1", "boot.1-", "other.1-1", "boot.x-1", "boot.99-1"] {
      #expect(throws: DecloakError.noSuchRequest(id: id)) { try world.deny(id) }
    }
  }
}

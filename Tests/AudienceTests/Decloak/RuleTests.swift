// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Rules")
struct RuleTests {
  private let street = jid("tybalt@capulet.example/street")
  private let nurse = BareAddress("nurse@capulet.example")
  private let domain = DecloakDecision.Judge.rule(.domain("capulet.example"))
  private let contact = DecloakDecision.Judge.rule(.contact(tybalt))

  // MARK: Which rule decides

  @Test(
    "The contact's rule decides, else its domain's, else the policy",
    arguments: [
      (.allow, .deny, .ask, .approved), (.deny, .allow, .allow, .denied), (.ask, .allow, .allow, nil),
      (nil, .allow, .ask, .approved), (nil, .deny, .allow, .denied), (nil, .ask, .allow, nil),
      (nil, nil, .allow, .approved), (nil, nil, .rules, .denied), (nil, nil, .ask, nil),
      (.allow, nil, .rules, .approved), (nil, .ask, .rules, nil),
    ] as [(RuleDecision?, RuleDecision?, Decloak.Policy, RequestOutcome?)])
  func order(_ own: RuleDecision?, _ domain: RuleDecision?, _ policy: Decloak.Policy, _ outcome: RequestOutcome?) throws
  {
    var world = World(policy)
    try world.setRule("tybalt@capulet.example", own)
    try world.setRule("@capulet.example", domain)
    let effects = world.receive("tybalt@capulet.example/street")
    #expect(effects.resolved.map(\.outcome) == (outcome.map { [$0] } ?? []))
    #expect(effects.announced.map(\.isAutomatic) == [outcome != nil])
    #expect(effects.shown == (outcome == .approved ? [street] : []))
    #expect(world.decloak.pending.isEmpty == (outcome != nil))
    let judge = own != nil ? contact : domain != nil ? self.domain : .policy
    #expect(effects.judges == (outcome == nil ? [] : [judge]))
  }

  @Test("A domain's rule is for exactly that domain, and for the domain itself")
  func exactDomain() throws {
    var world = World(.rules)
    try world.setRule("@capulet.example", .allow)
    #expect(world.receive("tybalt@house.capulet.example/street").shown.isEmpty)
    #expect(world.receive("tybalt@example/street").shown.isEmpty)
    #expect(world.receive("capulet.example").shown == [jid("capulet.example")])
  }

  @Test("While the policy is off rules are dormant: nothing is recorded and nothing is sent")
  func dormant() throws {
    var world = World(.off)
    #expect(try world.setRule("tybalt@capulet.example", .allow).isEmpty)
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    #expect(world.decloak.rules.count == 1)
    world.setPolicy(.rules)
    #expect(world.receive("tybalt@capulet.example/street").shown == [street])
  }

  @Test("A machine begins with the policy and the rules that it is given")
  func given() {
    let rules = DecloakRules([.contact(tybalt): .deny])
    let decloak = Decloak(nonce: "boot", policy: .rules, rules: rules)
    #expect(decloak.policy == .rules)
    #expect(decloak.rules == rules)
  }

  @Test("While we hide, a rule that allows is a question to a person")
  func hidden() throws {
    for visibility in [Visibility.invisible, Visibility(showsOthers: false, exceptions: [tybalt])] {
      var world = World(.rules)
      world.setVisibility(visibility)
      try world.setRule("tybalt@capulet.example", .allow)
      let effects = world.receive("tybalt@capulet.example/street")
      #expect(effects.announced.map(\.isAutomatic) == [false])
      #expect(effects.sendNothing)
    }
    var world = World(.rules)
    world.setVisibility(Visibility(showsOthers: true, exceptions: [nurse]))
    try world.setRule("@capulet.example", .allow)
    #expect(world.receive("nurse@capulet.example/hall").shown.isEmpty)
    #expect(world.decloak.pending[nurse] != nil)
    #expect(world.receive("tybalt@capulet.example/street").shown == [street])
  }

  // MARK: A rule answers who waits

  @Test("A yes to a domain answers those of it who wait, and nobody else")
  func allowWaiting() throws {
    var world = World()
    for asker in ["tybalt@capulet.example/street", "nurse@capulet.example/hall", "romeo@montague.example/orchard"] {
      world.receive(asker)
    }
    let effects = try world.setRule("@capulet.example", .allow)
    #expect(Set(effects.shown) == [street, jid("nurse@capulet.example/hall")])
    #expect(effects.resolved.map(\.outcome) == [.approved, .approved])
    #expect(effects.judges == [domain, domain])
    #expect(world.decloak.pendingRequests.map(\.contact) == [romeo])
  }

  @Test("Who has a rule of its own is not answered by its domain's")
  func ownRule() throws {
    var world = World()
    try world.setRule("tybalt@capulet.example", .ask)
    world.receive("tybalt@capulet.example/street")
    #expect(try world.setRule("@capulet.example", .allow).isEmpty)
    #expect(try world.setRule("@capulet.example", .deny).isEmpty)
    #expect(world.decloak.pending[tybalt] != nil)
  }

  @Test("While we hide, a yes to a domain leaves waiting who waits")
  func allowWaitingHidden() throws {
    var world = World(mode: .invisible)
    world.receive("tybalt@capulet.example/street")
    #expect(try world.setRule("@capulet.example", .allow).isEmpty)
    #expect(world.decloak.pending[tybalt] != nil)
  }

  @Test("A rule does not answer a request whose time is over, even when the timer is late")
  func lateRule() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.pass(120)
    #expect(try world.setRule("tybalt@capulet.example", .allow).isEmpty)
    #expect(!world.sees("tybalt@capulet.example/street"))
  }

  @Test("A no denies who waits and takes back what a yes to a request began, in both directions")
  func denyTakesBack() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    try world.approve(world.pendingID(tybalt))
    world.receive("tybalt@capulet.example/hall")
    try world.share("nurse@capulet.example")
    world.receive("romeo@montague.example/orchard")
    try world.approve(world.pendingID(romeo))
    let effects = try world.setRule("@capulet.example", .deny)
    #expect(effects.hidden == [street])
    #expect(effects.resolved == [Resolution(contact: tybalt, outcome: .denied)])
    #expect(effects.judges == [domain])
    #expect(Set(effects.ends.map(\.cause)) == [.revoked])
    #expect(effects.ends.count == 2)
    // What a person began unasked, and others, stay.
    #expect(world.sees("nurse@capulet.example"))
    #expect(world.sees("romeo@montague.example/orchard"))
  }

  @Test("A no to a domain leaves alone who has a rule of its own")
  func denyOthers() throws {
    var world = World(.rules)
    try world.setRule("tybalt@capulet.example", .allow)
    world.receive("tybalt@capulet.example/street")
    #expect(try world.setRule("@capulet.example", .deny).isEmpty)
    #expect(world.sees("tybalt@capulet.example/street"))
  }

  @Test("To be asked, and no rule any more, leave who waits and who sees us as they are")
  func askAndNone() throws {
    var world = World()
    world.receive("nurse@capulet.example/hall")
    try world.approve(world.pendingID(nurse))
    world.receive("tybalt@capulet.example/street")
    for decision in [RuleDecision.ask, nil] {
      #expect(try world.setRule("@capulet.example", decision).isEmpty)
      #expect(world.decloak.pending[tybalt] != nil)
      #expect(world.sees("nurse@capulet.example/hall"))
    }
    #expect(world.decloak.rules.count == 0)
  }

  // MARK: Answers that become rules

  @Test("A yes with a scope answers now and from now on", arguments: [AnswerScope.contact, .domain])
  func approveScope(_ scope: AnswerScope) throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.receive("nurse@capulet.example/hall")
    let effects = try world.approve(world.pendingID(tybalt), scope, full: true, lifetime: 60)
    let others = scope == .domain ? [jid("nurse@capulet.example/hall")] : []
    #expect(effects.shown == [street] + others)
    #expect(effects.judges == (scope == .domain ? [.person, domain] : [.person]))
    #expect(world.session("tybalt@capulet.example/street")?.full == true)
    #expect(world.session("tybalt@capulet.example/street")?.expiresAt == world.now.later(bySeconds: 60))
    if scope == .domain {
      // The others get what a rule gives: no more than capabilities, for an hour.
      #expect(world.session("nurse@capulet.example/hall")?.full == false)
      #expect(world.session("nurse@capulet.example/hall")?.expiresAt == world.now.later(bySeconds: 3600))
    }
    #expect(world.decloak.rules.count == 1)
    world.revoke()
    #expect(world.receive("tybalt@capulet.example/hall").shown == [jid("tybalt@capulet.example/hall")])
  }

  @Test("A yes for this once makes no rule")
  func once() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    try world.approve(world.pendingID(tybalt))
    #expect(world.decloak.rules.count == 0)
    world.revoke()
    #expect(world.receive("tybalt@capulet.example/street").announced.map(\.isAutomatic) == [false])
  }

  @Test("While we hide, a yes to a domain shows us to the one that it answers alone")
  func approveDomainHidden() throws {
    var world = World(mode: .invisible)
    world.receive("tybalt@capulet.example/street")
    world.receive("nurse@capulet.example/hall")
    #expect(try world.approve(world.pendingID(tybalt), .domain).shown == [street])
    #expect(world.decloak.pendingRequests.map(\.contact) == [nurse])
  }

  @Test("A no with a scope refuses now and from now on, and the others of the domain alike")
  func denyScope() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.receive("nurse@capulet.example/hall")
    let effects = try world.deny(world.pendingID(tybalt), .domain)
    #expect(effects.resolved.map(\.outcome) == [.denied, .denied])
    #expect(effects.judges == [.person, domain])
    #expect(effects.sendNothing)
    #expect(world.decloak.rules[.domain("capulet.example")] == .deny)
    world.wait(3600)
    #expect(world.receive("tybalt@capulet.example/street").judges == [domain])
  }

  @Test("The same answer again with a scope makes the rule all the same")
  func scopeLater() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    let id = world.pendingID(tybalt)
    try world.approve(id)
    #expect(world.decloak.subject(of: id, .contact) == .contact(tybalt))
    #expect(try world.approve(id, .contact).isEmpty)
    #expect(world.decloak.rules[.contact(tybalt)] == .allow)
    #expect(throws: DecloakError.alreadyResolved(id: id, .approved)) { try world.deny(id, .contact) }
    #expect(world.decloak.rules[.contact(tybalt)] == .allow)
  }

  @Test("Whom an answer is about follows from its id; an answer for once, and an unknown id, are about nobody")
  func subjects() {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    let id = world.pendingID(tybalt)
    #expect(world.decloak.subject(of: id, .once) == nil)
    #expect(world.decloak.subject(of: id, .contact) == .contact(tybalt))
    #expect(world.decloak.subject(of: id, .domain) == .domain("capulet.example"))
    #expect(world.decloak.subject(of: "boot-99", .domain) == nil)
  }

  // MARK: The limit

  @Test("Of 10,000 rules one more is refused with what to do, and nothing has changed; a change of one is not")
  func limit() throws {
    var rules: [RuleSubject: RuleDecision] = [:]
    for index in 0..<Limits.rules { rules[.contact(BareAddress("a\(index)@d.example"))] = .deny }
    var world = World()
    world.decloak.rules = DecloakRules(rules)
    world.receive("tybalt@capulet.example/street")
    let id = world.pendingID(tybalt)
    let limit = DecloakError.limitExceeded(
      "rules (10000): remove some with SetRule SUBJECT \"\", or make one for a domain")
    #expect(throws: limit) { try world.setRule("tybalt@capulet.example", .allow) }
    #expect(throws: limit) { try world.approve(id, .contact) }
    #expect(throws: limit) { try world.deny(id, .domain) }
    #expect(throws: limit) {
      try world.decloak.checkAnswer(id, .approved, scope: .contact, world.audience, now: world.now)
    }
    #expect(world.decloak.pending[tybalt] != nil)
    #expect(!world.sees("tybalt@capulet.example/street"))
    try world.setRule("a0@d.example", .allow)
    try world.setRule("a0@d.example", nil)
    try world.approve(id, .contact)
    #expect(world.decloak.rules.count == 10_000)
  }
}

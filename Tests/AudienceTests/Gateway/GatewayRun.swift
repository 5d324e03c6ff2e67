// SPDX-License-Identifier: Apache-2.0

@testable import Audience

/// One random sequence, carried out on a gateway and on the model.
struct GatewayRun {
  private(set) var world: GatewayWorld
  var model: GatewayMayKnow
  /// What was wrong first.
  private(set) var wrong: String?
  private var random: SplitMix64
  /// Whether presence now and then waits for its turn.
  private let isPacing: Bool

  private static let contacts = [juliet, romeo, BareAddress("nurse@capulet.example")]
  static let everybody = contacts.flatMap { [.bare($0), jid("\($0)/one"), jid("\($0)/two")] }
  private static let meant = [
    "romeo%h.lit@\(sip)": "romeo%h.lit@\(sip)", "romeo\\40h.lit@\(sip)": "romeo%h.lit@\(sip)",
    "paris%h.lit@\(sip)": "paris%h.lit@\(sip)", "+1-555@\(sip)": "+1555@\(sip)",
  ]
  static let targets = (Array(meant.keys).sorted() + [sip, "sip\\3aromeo%h.lit@\(sip)"]).map { BareAddress($0) }
  private static let subjects = contacts.map(\.text) + ["@capulet.example", "@montague.example"]
  private static let patterns = [
    "to:*", "to:*@\(sip)", "to:romeo*", "to:*%h.lit@\(sip)", "to:romeo%h.lit@\(sip)", "to:+1*@\(sip)",
  ]

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    isPacing = seed.isMultiple(of: 3)
    let policy = Decloak.Policy.allCases[Int.random(in: 1..<4, using: &random)]
    world = GatewayWorld(policy)
    model = GatewayMayKnow(meant: Dictionary(uniqueKeysWithValues: Self.meant.map { (BareAddress($0), $1) }))
    model.policy = policy
  }

  /// Takes a random event and checks everything after it.
  mutating func step() -> String {
    let address = Self.everybody.randomElement(using: &random) ?? .bare(juliet)
    let target = Self.targets.randomElement(using: &random) ?? romeoAtSip
    let lifetime = UInt32.random(in: 1...300, using: &random)
    let event = Int.random(in: world.isConnected ? 0..<28 : 16..<28, using: &random)
    if isPacing, world.isConnected { world.isPaced = Bool.random(using: &random) }
    // The timer may be late.
    if Int.random(in: 0..<4, using: &random) == 0 { world.pass(Double.random(in: 0..<40, using: &random)) }
    switch event {
    case 0..<5: receive(address, target)
    case 5: leave(address, target)
    case 6: share(address, target, lifetime)
    case 7, 8: subscribe(address.account, target)
    case 9: unsubscribe(address.account, target)
    case 10: probe(address, target)
    case 11:
      check(world.sending(world.gateway.exchanged(with: address, at: target, now: world.now)))
      model.exchanged(address, target, now: world.now)
    case 12: ask(address.account, target, lifetime)
    case 13: appear(address, target)
    case 14: withdraw(address, target)
    case 15: call(address, target)
    case 16, 17: approve(lifetime)
    case 18: deny()
    case 19: revoke(Bool.random(using: &random) ? nil : address.account)
    case 20: authorize(address.account)
    case 21: setVisibility(address.account)
    case 22: setPolicy(Decloak.Policy.allCases.randomElement(using: &random) ?? .off)
    case 23: setRule(Self.subjects.randomElement(using: &random) ?? "@capulet.example")
    case 24: setRule(Self.patterns.randomElement(using: &random) ?? "to:*")
    case 25: if world.isConnected { disconnect() } else { connect() }
    case 26: cancel(address.account, target)
    default: wait(Double(lifetime) * [0.1, 0.5, 20][Int.random(in: 0..<3, using: &random)])
    }
    if world.isConnected, !world.isPaced || Bool.random(using: &random) { world.takeTurns() }
    model.forgetCalls()
    compare()
    return "event \(event) with \(address) and \(target)"
  }

  /// Ends everything: nobody who was shown an address is left untold.
  mutating func finish() {
    if !world.isConnected { connect() }
    // Whatever waits for its turn.
    if isPacing { world.isPaced = true }
    if Bool.random(using: &random) { revoke(nil) }
    disconnect(inOrder: true)
    if !world.seen.isEmpty { fail("\(world.seen) were never told") }
    for subscription in model.subscriptions { unsubscribe(subscription.contact, subscription.target) }
    setPolicy(.rules)
    wait(90_000)
    let gateway = world.gateway
    let sizes = [
      gateway.sessionCount, gateway.pairCount, gateway.shownCount, gateway.silenced.count, gateway.pendingCount,
      gateway.subscriptions.count, gateway.deadlines.count,
    ]
    if sizes.contains(where: { $0 != 0 }) { fail("\(sizes) were left behind") }
    if gateway.targets.count > gateway.remembered.count { fail("addresses were left behind") }
  }

  mutating func fail(_ what: String) { wrong = wrong ?? what }

  // MARK: What arrives

  private mutating func receive(_ address: Address, _ target: BareAddress) {
    let contact = address.account
    let session = GatewaySession(target: target, address: address)
    let wasInside = model.contains(address, target)
    let mustAnswer = model.isAllowed(contact, target) && !wasInside && isHeard(contact, target)
    let effects = world.receive("\(address)", at: target)
    if model.policy == .off || model.gate(target) == nil {
      if !effects.isEmpty { fail("\(target) was heard of") }
      return
    }
    if !wasInside {
      model.asking[session] = world.now
      for shown in effects.shown {
        if shown != session || !model.isAllowed(contact, target) { fail("\(shown) was shown though not allowed") }
        model.grant(session, Limits.sessionLifetime, isAnswer: true, now: world.now)
      }
      if mustAnswer, effects.shown.isEmpty { fail("\(session) was not answered though allowed") }
    } else if effects.shown.contains(where: { $0 != session }) {
      fail("others than \(session) were sent something again")
    }
    check(effects)
  }

  /// Whether neither a question nor a silence stands in the way of an answer.
  private func isHeard(_ contact: BareAddress, _ target: BareAddress) -> Bool {
    guard let decloak = world.gateway.hosts[target]?.decloak else { return true }
    return decloak.pending[contact] == nil
      && decloak.silences[contact].map { $0.until <= world.now || $0.judge == .nobody } ?? true
      && model.grants.keys.count { $0.target == target && $0.address.account == contact } < 16
  }

  private mutating func leave(_ address: Address, _ target: BareAddress) {
    let effects = world.leave("\(address)", from: target)
    let session = GatewaySession(target: target, address: address)
    model.asking[session] = nil
    model.end { other, _ in other == session }
    // What was asked of all of them is over with the last one who answered.
    let asked = GatewaySession(target: target, address: .bare(address.account))
    if model.asks[asked]?.isAnswered == true, world.gateway.peers(of: address.account, at: target).isEmpty {
      model.asks[asked] = nil
      model.end { other, grant in other == asked && grant.isAsking }
    }
    if effects.hidden.contains(session) { fail("\(session) was told though it had left") }
    world.forget(session)
    check(effects)
  }

  private mutating func subscribe(_ contact: BareAddress, _ target: BareAddress) {
    let subscription = GatewaySubscription(contact: contact, target: target)
    let mustGrant = model.isAllowed(contact, target) && isHeard(contact, target)
    let effects = world.subscribe(contact, to: target)
    if model.policy == .off || model.gate(target) == nil, !effects.isEmpty { fail("\(target) was heard of") }
    if effects.contains(.keep(subscription)), !model.isAllowed(contact, target) { fail("\(subscription) was granted") }
    take(effects)
    if mustGrant, !model.subscriptions.contains(subscription) { fail("\(subscription) was not granted though allowed") }
    check(effects)
  }

  private mutating func unsubscribe(_ contact: BareAddress, _ target: BareAddress) {
    model.subscriptions.remove(GatewaySubscription(contact: contact, target: target))
    check(world.unsubscribe(contact, from: target))
  }

  private mutating func probe(_ address: Address, _ target: BareAddress) {
    let effects = world.probe("\(address)", at: target)
    let session = GatewaySession(target: target, address: address)
    if effects.shown != (model.contains(address, target) ? [session] : []) { fail("\(session) probed in vain, or not") }
    check(effects)
  }

  private mutating func withdraw(_ address: Address, _ target: BareAddress) {
    model.asking[GatewaySession(target: target, address: address)] = nil
    let effects = world.sending(world.gateway.withdrawn(address, at: target, now: world.now))
    if !effects.sent.isEmpty { fail("\(address) was sent something for taking back what it asked") }
  }

  private mutating func appear(_ address: Address, _ target: BareAddress) {
    let isAsked = model.isAsked(address.account, target, now: world.now)
    let effects = world.sending(world.gateway.appeared(address, at: target, now: world.now))
    if !isAsked, !effects.isEmpty { fail("\(address) appeared though nobody asked it") }
    model.appeared(address, target, now: world.now)
  }

  /// A call begins, or is over: with the last one the sessions end that were for it.
  private mutating func call(_ address: Address, _ target: BareAddress) {
    let session = GatewaySession(target: target, address: address)
    let call = GatewayMayKnow.Call(session: session, id: ["a", "b"].randomElement(using: &random) ?? "a")
    guard Bool.random(using: &random) else {
      world.gateway.callBegan(call.id, with: address, at: target)
      model.calls.insert(call)
      return
    }
    let effects = world.sending(world.gateway.callEnded(call.id, with: address, at: target, now: world.now))
    if model.calls.remove(call) != nil {
      let left = model.calls.filter { $0.session.target == target && $0.session.address.account == address.account }
      let isLast = !left.contains { $0.session.address == address }
      let bare = GatewaySession(target: target, address: .bare(address.account))
      model.end { other, _ in isLast && other == session || left.isEmpty && other == bare }
    } else if !effects.isEmpty {
      fail("\(call) ended though it had not begun")
    }
    check(effects)
  }

  // MARK: What people say

  private mutating func ask(_ contact: BareAddress, _ target: BareAddress, _ lifetime: UInt32) {
    let reveal = Bool.random(using: &random)
    let isSeen = !world.gateway.peers(of: contact, at: target).isEmpty
    let mayBeShown = model.showsOthers && !model.exceptions.contains(contact)
    let asked = try? world.gateway.ask(
      contact, from: target, reason: .media, lifetime: lifetime, reveal: reveal, now: world.now)
    let isOpen = model.isAsked(contact, target, now: world.now) || isSeen
    let mayAsk =
      model.gate(target) != nil
      && (isOpen || mayBeShown || reveal || model.contains(.bare(contact), target))
    if (asked != nil) != mayAsk { fail("\(target) asked \(contact), or not") }
    guard let asked else { return }
    let sent = asked.effects.sent == [.decloak(target, .request(contact, .media))]
    if sent == isOpen { fail("\(contact) was asked twice, or not") }
    world.sending(asked.effects)
    if !isOpen { model.ask(contact, target, lifetime, now: world.now) }
    check(asked.effects)
  }

  private mutating func approve(_ lifetime: UInt32) {
    guard let (target, request) = world.gateway.pendingRequests.randomElement(using: &random),
      let scope = AnswerScope.allCases.randomElement(using: &random),
      let effects = try? world.approve(request.id, scope, lifetime: lifetime)
    else { return }
    made(.allow, world.gateway.subject(of: request.id, scope)?.description)
    take(effects)
    for session in effects.answered {
      let isMeant = session.target == target && session.address.account == request.contact
      answered(session, isMeant ? lifetime : nil)
    }
    check(effects)
  }

  /// Somebody was shown an address for having asked.
  /// - Parameter lifetime: what a person said; `nil` where a rule said yes.
  private mutating func answered(_ session: GatewaySession, _ lifetime: UInt32?) {
    if !waits(session) { fail("\(session) was answered though it did not ask") }
    if lifetime == nil, !model.isAllowed(session.address.account, session.target) {
      fail("\(session) was answered though not allowed")
    }
    model.grant(session, lifetime ?? Limits.sessionLifetime, isAnswer: true, now: world.now)
  }

  private func waits(_ session: GatewaySession) -> Bool {
    model.asking[session].map { $0.later(bySeconds: Limits.requestLifetime) > world.now } ?? false
  }

  private mutating func deny() {
    guard let (_, request) = world.gateway.pendingRequests.randomElement(using: &random),
      let scope = AnswerScope.allCases.randomElement(using: &random),
      let effects = try? world.deny(request.id, scope)
    else { return }
    made(.deny, world.gateway.subject(of: request.id, scope)?.description)
    check(effects)
  }

  private mutating func setRule(_ subject: String) {
    let decision = [RuleDecision.allow, .deny, .ask, nil][Int.random(in: 0..<4, using: &random)]
    let effects = (try? world.setRule(subject, decision)) ?? []
    made(decision, subject)
    for kept in effects.kept where !model.isAllowed(kept.contact, kept.target) { fail("\(kept) was granted") }
    take(effects)
    for session in effects.answered { answered(session, nil) }
    check(effects)
  }

  /// A person made a rule.
  private mutating func made(_ decision: RuleDecision?, _ subject: String?) {
    guard let subject else { return }
    model.rules[subject] = decision
    let model = model
    self.model.end { session, grant in
      model.gate(session.target) == nil
        || grant.isAnswer && decision == .deny && model.policy != .off
          && model.rule(for: session.address.account) == subject
    }
  }

  private mutating func authorize(_ contact: BareAddress) {
    let reveal = Bool.random(using: &random)
    let effects = (try? world.authorize(contact, reveal: reveal)) ?? []
    take(effects)
    if reveal { model.revealed.formUnion(effects.kept) }
    check(effects)
  }

  private mutating func cancel(_ contact: BareAddress, _ target: BareAddress) {
    let effects = world.sending(world.gateway.cancelSubscription(contact, to: target, now: world.now))
    model.subscriptions.remove(GatewaySubscription(contact: contact, target: target))
    check(effects)
  }

  private mutating func share(_ address: Address, _ target: BareAddress, _ lifetime: UInt32) {
    let effects = try? world.share("\(address)", from: target, lifetime: lifetime)
    if (effects == nil) != (model.gate(target) == nil) { fail("\(target) was shared, or not") }
    guard let effects else { return }
    model.grant(GatewaySession(target: target, address: address), lifetime, isAnswer: false, now: world.now)
    check(effects)
  }

  private mutating func revoke(_ contact: BareAddress?) {
    let effects = world.revoke(contact)
    model.end { session, _ in contact == nil || session.address.account == contact }
    check(effects)
  }

  private mutating func setPolicy(_ policy: Decloak.Policy) {
    let effects = world.setPolicy(policy)
    if policy == .off, model.policy != .off { model.end { _, grant in grant.isAnswer } }
    model.policy = policy
    check(effects)
  }

  private mutating func setVisibility(_ contact: BareAddress) {
    let old = world.gateway.visibility
    var new = old
    switch Int.random(in: 0..<4, using: &random) {
    case 0: new = .visible
    case 1: new = .invisible
    case 2: new = Visibility(showsOthers: Bool.random(using: &random), exceptions: [contact])
    default: if old.shows(contact) { new.hide(contact) } else { new.show(contact) }
    }
    let effects = world.setVisibility(new)
    if new != old {
      let isAll = new.mode == .invisible || (old.showsOthers && !new.showsOthers)
      let concerned = Self.contacts.filter { contact in
        !new.shows(contact)
          && (old.showsOthers == new.showsOthers
            ? old.exceptions.contains(contact) != new.exceptions.contains(contact) : new.exceptions.contains(contact))
      }
      model.showsOthers = new.showsOthers
      model.exceptions = Set(new.exceptions)
      let model = model
      self.model.end { session, _ in
        let contact = session.address.account
        return isAll || concerned.contains(contact)
          || !old.shows(contact) && model.isSubscribed(contact, session.target)
            && model.asks[GatewaySession(target: session.target, address: .bare(contact))]?.isAnswered != false
      }
    }
    check(effects)
  }

  // MARK: The stream and time

  private mutating func disconnect(inOrder: Bool? = nil) {
    let inOrder = inOrder ?? Bool.random(using: &random)
    let effects = world.disconnect(inOrder: inOrder)
    model.end { _, _ in true }
    model.asking.removeAll()
    if inOrder, !world.seen.isEmpty { fail("\(world.seen) were not told before we left") }
    check(effects.filter { effect in if case .decloak(_, .hide) = effect { false } else { true } })
  }

  private mutating func connect() {
    check(world.connect())
    for contact in Self.contacts {
      for target in Self.targets where model.isSubscribed(contact, target) && !world.sees(contact.text, target) {
        fail("\(contact) was not shown \(target) again")
      }
    }
    let untold = world.gateway.owedAnswers.keys.filter(world.gateway.mayBeAnswered)
    if !untold.isEmpty { fail("\(untold) have not been answered") }
  }

  private mutating func wait(_ seconds: Double) {
    let effects = world.wait(seconds)
    let now = world.now
    model.end { _, grant in grant.until <= now }
    model.asks = model.asks.filter { $0.value.isAnswered || $0.value.until > now }
    if let next = world.gateway.nextDeadline, next <= now { fail("something was not done in time") }
    check(effects)
  }
}

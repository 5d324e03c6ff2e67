// SPDX-License-Identifier: Apache-2.0

@testable import Audience

/// One random sequence, carried out on the core and on the model.
struct RandomRun {
  var world: World
  var model = MayKnow()
  /// What was wrong first.
  private(set) var wrong: String?
  private var random: SplitMix64

  private static let contacts = [tybalt, romeo, BareAddress("nurse@capulet.example")]
  private static let everybody = contacts.flatMap { [.bare($0), jid("\($0)/one"), jid("\($0)/two")] }
  private static let subjects = contacts.map(\.text) + ["@capulet.example", "@montague.example"]
  private static let policies: [Decloak.Policy] = [.off, .rules, .ask, .allow]

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    let policy = Self.policies[Int.random(in: 1..<4, using: &random)]
    world = World(policy)
    model.policy = policy
  }

  /// Takes a random event and checks everything after it.
  mutating func step() -> String {
    let address = Self.everybody.randomElement(using: &random) ?? .bare(tybalt)
    let contact = address.account
    let lifetime = UInt32.random(in: 1...300, using: &random)
    let start = world.now
    switch Int.random(in: 0..<25, using: &random) {
    case 0, 1, 2, 3: receive(address)
    case 4, 5: approve(lifetime)
    case 6: deny()
    case 7: leave(address)
    case 8: ask(contact, lifetime)
    case 9:
      let effects = world.appear("\(address)")
      model.appeared(contact, now: world.now)
      check(effects)
    case 10: share(address, lifetime)
    case 11:
      let whom = Bool.random(using: &random) ? nil : contact
      let effects = world.revoke(whom).effects
      model.end { address, _ in whom == nil || address.account == whom }
      check(effects)
    case 12:
      let effects = (try? world.upgrade(contact)) ?? []
      model.upgrading.formUnion(model.grants.keys.filter { $0.account == contact })
      check(effects)
    case 13: subscribe(contact)
    case 14: setVisibility(world.audience.visibility.showsOthers ? .invisible : .visible)
    case 15:
      var visibility = world.audience.visibility
      if visibility.shows(contact) { visibility.hide(contact) } else { visibility.show(contact) }
      setVisibility(visibility)
    case 16: setPolicy(Self.policies.randomElement(using: &random) ?? .off)
    case 17, 18: setRule(Self.subjects.randomElement(using: &random) ?? "@capulet.example")
    case 19: disconnect()
    case 20: resume()
    case 21, 22:
      check(world.exchange(with: address))
      model.exchanged(with: address, now: world.now)
    case 23: endCall(address)
    default: wait(Double(lifetime) * [0.1, 0.5, 20][Int.random(in: 0..<3, using: &random)])
    }
    return "an event with \(address) at \(start.nanoseconds / 1_000_000) ms"
  }

  /// Ends everything: nobody who was shown us is left untold.
  mutating func finish() {
    setVisibility(.invisible)
    let effects = world.revoke().effects
    model.end { _, _ in true }
    check(effects)
    if !model.told.isEmpty { fail("\(model.told) were never told") }
    if !world.audience.shown.isEmpty { fail("\(world.audience.shown) were not noted as told") }
  }

  private mutating func fail(_ what: String) { wrong = wrong ?? what }

  // MARK: Requests

  private mutating func receive(_ address: Address) {
    let contact = address.account
    let wasInside = model.contains(address)
    let effects = world.receive("\(address)", isInRoster: Bool.random(using: &random))
    if model.policy == .off, !effects.isEmpty { fail("\(address) was heard though off") }
    if wasInside {
      if effects.shown.contains(where: { $0 != address }) { fail("others than \(address) were sent something again") }
    } else {
      if let end = model.refused[contact], end > world.now, !effects.announced.isEmpty || !effects.shown.isEmpty {
        fail("\(contact) was heard within an hour of a no")
      }
      answered(effects.shown.filter { $0 != address }, by: "nothing")
      for shown in effects.shown where shown == address {
        if !model.isAllowed(contact) { fail("\(address) was shown us though nobody allowed it") }
        model.grant(address, Limits.sessionLifetime, isAnswer: true, now: world.now)
      }
      if model.policy != .off { model.asking[address] = world.now }
    }
    check(effects)
  }

  private mutating func approve(_ lifetime: UInt32) {
    guard let request = world.decloak.pendingRequests.randomElement(using: &random),
      let scope = AnswerScope.allCases.randomElement(using: &random)
    else { return }
    let isFull = Bool.random(using: &random)
    guard let effects = try? world.approve(request.id, scope, full: isFull, lifetime: lifetime) else {
      return check([])
    }
    if let subject = subject(request.contact, scope) { made(.allow, subject) }
    for address in effects.shown {
      if !model.waits(address, world.now) { fail("\(address) was answered though it did not ask") }
      let isMeant = address.account == request.contact
      if !isMeant { mayBeAnswered(address, by: subject(request.contact, scope)) }
      model.grant(address, isMeant ? lifetime : Limits.sessionLifetime, isAnswer: true, now: world.now)
    }
    check(effects)
  }

  private mutating func deny() {
    guard let request = world.decloak.pendingRequests.randomElement(using: &random),
      let scope = AnswerScope.allCases.randomElement(using: &random),
      let effects = try? world.deny(request.id, scope)
    else { return check([]) }
    let subject = subject(request.contact, scope)
    if let subject { made(.deny, subject) }
    model.refused[request.contact] = world.now.later(bySeconds: Limits.silence)
    check(effects)
  }

  private mutating func setRule(_ subject: String) {
    let decision = [RuleDecision.allow, .deny, .ask, nil][Int.random(in: 0..<4, using: &random)]
    let effects = (try? world.setRule(subject, decision)) ?? []
    made(decision, subject)
    // After a no, whoever stays is shown us again where an unavailable reached it, too: that is no answer.
    if decision == .allow { answered(effects.shown, by: subject) }
    check(effects)
  }

  /// A person made a rule.
  private mutating func made(_ decision: RuleDecision?, _ subject: String) {
    model.rules[subject] = decision
    if decision != .deny { model.refused[BareAddress(subject)] = nil }
    let model = model
    if decision == .deny, model.policy != .off {
      self.model.end { address, grant in grant.isAnswer && model.rule(for: address.account) == subject }
    }
  }

  /// Some were shown us because of a rule.
  private mutating func answered(_ addresses: [Address], by subject: String) {
    for address in addresses {
      if !model.waits(address, world.now) { fail("\(address) was answered though it did not ask") }
      mayBeAnswered(address, by: subject)
      model.grant(address, Limits.sessionLifetime, isAnswer: true, now: world.now)
    }
  }

  private mutating func mayBeAnswered(_ address: Address, by subject: String?) {
    if subject == nil || model.rule(for: address.account) != subject || !model.isAllowed(address.account) {
      fail("\(address) was answered by \(subject ?? "nothing"), which does not allow it")
    }
  }

  private func subject(_ contact: BareAddress, _ scope: AnswerScope) -> String? {
    switch scope {
    case .once: nil
    case .contact: contact.text
    case .domain: "@\(contact.domain)"
    }
  }

  private mutating func setPolicy(_ policy: Decloak.Policy) {
    let effects = world.setPolicy(policy)
    if policy == .off, model.policy != .off {
      model.end { _, grant in grant.isAnswer }
      model.asking.removeAll()
    }
    model.policy = policy
    check(effects)
  }

  private mutating func leave(_ address: Address) {
    let contact = address.account
    let effects = world.leave("\(address)")
    model.asking[address] = nil
    model.end { other, _ in other == address }
    // The last peer takes with it what our request began.
    if let ask = model.asks[contact], ask.isAnswered, world.decloak.peers(of: contact).isEmpty {
      model.asks[contact] = nil
      if ask.began { model.end { other, _ in other == .bare(contact) } }
    }
    check(effects)
  }

  // MARK: What we do unasked

  private mutating func ask(_ contact: BareAddress, _ lifetime: UInt32) {
    let reveal = Bool.random(using: &random)
    let isMeant =
      reveal || model.contains(.bare(contact)) || (model.showsOthers && !model.exceptions.contains(contact))
    let effects = (try? world.ask(contact, lifetime: lifetime, reveal: reveal))?.effects ?? []
    if !effects.shown.isEmpty { model.ask(contact, lifetime: lifetime, now: world.now) }
    if !isMeant, !effects.shown.isEmpty { fail("asked though hidden") }
    check(effects)
  }

  private mutating func share(_ address: Address, _ lifetime: UInt32) {
    let contact = address.account
    let isFull = Bool.random(using: &random)
    let effects = (try? world.share("\(address)", full: isFull, lifetime: lifetime)) ?? []
    model.grant(address, lifetime, now: world.now)
    if let ask = model.asks[contact], address == .bare(contact) {
      model.asks[contact] = (ask.until, ask.lifetime, began: false, ask.isAnswered)
    }
    check(effects)
  }

  // MARK: What happens around us

  private mutating func subscribe(_ contact: BareAddress) {
    let seesUs = Bool.random(using: &random)
    let seen = Bool.random(using: &random)
    let effects = world.roster(contact, seesUs: seesUs, seen: seen)
    if seesUs { model.subscribers.insert(contact) } else { model.subscribers.remove(contact) }
    if seen { model.upgraded(contact) }
    check(effects)
  }

  private mutating func setVisibility(_ new: Visibility) {
    let old = world.audience.visibility
    guard new != old else { return }
    let effects = world.setVisibility(new)
    let withdraws = old.showsOthers && !new.showsOthers
    let leaving = Self.contacts.filter { old.exceptions.contains($0) != new.exceptions.contains($0) && old.shows($0) }
    model.end { address, _ in withdraws || (old.showsOthers == new.showsOthers && leaving.contains(address.account)) }
    model.showsOthers = new.showsOthers
    model.exceptions = Set(new.exceptions)
    model.absorb()
    check(effects)
    // The undirected unavailable, sent before the mode changes, tells all the rest.
    if withdraws { model.told.removeAll() }
  }

  private mutating func disconnect() {
    let inOrder = Bool.random(using: &random)
    let effects = world.disconnect(inOrder: inOrder)
    model.end { _, _ in true }
    model.asking.removeAll()
    if !inOrder { model.told.removeAll() }
    check(effects)
    model.told.removeAll()
  }

  /// The stream is lost and resumed: any of what was sent may not have arrived.
  private mutating func resume() {
    let unconfirmed = Set(Self.everybody.filter { _ in Bool.random(using: &random) })
    check(world.resume(unconfirmed: unconfirmed, hasNewPresence: Bool.random(using: &random)))
  }

  /// The last call with an address is over, and maybe with its account.
  private mutating func endCall(_ address: Address) {
    let last = JingleCalls.Last(ofAddress: true, ofAccount: Bool.random(using: &random))
    let effects = world.endCall(address, last)
    model.end { who, _ in who == address || last.ofAccount && who == .bare(address.account) }
    check(effects)
  }

  private mutating func wait(_ seconds: Double) {
    let effects = world.wait(seconds)
    let now = world.now
    model.end { _, grant in grant.until <= now }
    model.asks = model.asks.filter { $0.value.isAnswered || $0.value.until > now }
    check(effects)
  }

  // MARK: What must hold

  private mutating func check(_ effects: [DecloakEffect]) {
    for effect in effects {
      switch effect {
      case .show, .request:
        for address in [effect].shown {
          if !model.contains(address) { fail("\(address) was shown us from outside") }
          model.told.insert(address)
        }
      case .hide(let address):
        if model.contains(address) { fail("\(address) was told unavailable though inside") }
        if model.told.remove(address) == nil { fail("\(address) was told unavailable without having been shown") }
      default: break
      }
    }
    if Set(effects.resolved.map(\.contact)).count != effects.decisions.count {
      fail("what was resolved and what was decided differ")
    }
    for address in Self.everybody where model.contains(address) != world.audience.contains(address) {
      fail("\(address) is inside: the model says \(model.contains(address))")
    }
    if let stale = model.told.first(where: { !model.contains($0) }),
      model.showsOthers == world.audience.visibility.showsOthers,
      world.audience.shown.contains(stale)
    {
      fail("\(stale) is outside and was not told")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

// What people decide beforehand. Rules about the asker say whom we answer; rules about the address that is asked say
// what there is to be seen at all.

extension Gateway {
  /// Sets the policy. Going `off` is a no to everybody who waits, takes back every yes given to a request, and shows
  /// nobody who is subscribed.
  public mutating func setPolicy(_ new: Decloak.Policy, now: Instant) -> [GatewayEffect] {
    let old = policy
    guard new != old else { return [] }
    policy = new
    places.freeWithdrawn { _ in true }
    if new == .off { subscriptions.forgetRequests() }
    let effects = changeAll(now: now) { host in host.decloak.setPolicy(new, audience: &host.audience, now: now) }
    // Only "off" decides about those who are subscribed already.
    guard new == .off || old == .off else { return effects }
    return (effects + enforce(Array(subscriptions.all), now: now)).withGoodbyesOnce
  }

  /// Makes a rule, or removes it, and answers by it whoever waits and is covered by no rule that comes first. A no also
  /// takes back what it is about. While the policy is `off` rules are dormant.
  /// - Parameters:
  ///   - decision: what from now on; `nil` removes the rule.
  ///   - subject: whom it is about, or which of our addresses.
  /// - Throws: ``DecloakError/limitExceeded(_:)``; nothing has changed then.
  public mutating func setRule(
    _ decision: RuleDecision?, for subject: RuleSubject, now: Instant
  ) throws(DecloakError) -> [GatewayEffect] {
    let hadTargets = !rules.targets.isEmpty
    try rules.set(decision, for: subject)
    let rules = rules
    places.freeWithdrawn { rules.rule(for: $0)?.subject == subject }
    switch subject {
    case .contact(let contact):
      let effects = apply(decision, subject, to: [contact], now: now)
      return
        (effects + reconsider(subscriptions.subscriptions(of: contact), subject, now: now) { $0.contact == contact })
        .withGoodbyesOnce
    case .domain(let domain):
      let contacts = pairs.keys.filter { $0.domain == domain }.sorted()
      let effects = apply(decision, subject, to: contacts, now: now)
      let concerned = subscriptions.all.filter { $0.contact.domain == domain }
      return (effects + reconsider(concerned, subject, now: now) { $0.contact.domain == domain }).withGoodbyesOnce
    case .target(let pattern):
      let isGeneral = hadTargets == rules.targets.isEmpty
      return targetsChanged(pattern, isGeneral: isGeneral, now: now)
    }
  }

  private mutating func apply(
    _ decision: RuleDecision?, _ subject: RuleSubject, to contacts: [BareAddress], now: Instant
  ) -> [GatewayEffect] {
    var effects: [GatewayEffect] = []
    for contact in contacts {
      for target in targets(of: contact) {
        effects += change(target, with: contact, now: now) { host in
          host.decloak.apply(decision, for: subject, to: contact, audience: &host.audience, now: now)
        }
      }
    }
    return effects
  }

  /// The rules say something else about addresses.
  /// - Parameter isGeneral: whether about others than the pattern matches.
  private mutating func targetsChanged(
    _ pattern: TargetPattern, isGeneral: Bool, now: Instant
  ) -> [GatewayEffect] {
    let domain = domain
    func isMeant(_ canonical: String?) -> Bool {
      canonical.map { isGeneral || pattern.matches(Array($0.utf8)) } ?? false
    }
    var changed: [BareAddress: TargetRules.Verdict] = [:]
    for (target, host) in hosts where isMeant(host.canonical) {
      // Where a more particular rule shows the address, this one says nothing.
      if case .shown(let rule) = host.verdict, rule.pattern.literalLength > pattern.literalLength { continue }
      let verdict = host.canonical.map(rules.targets.verdict) ?? .hidden
      if verdict != host.verdict { changed[target] = verdict }
    }
    let effects = changeAll(Array(changed.keys), now: now) { host in
      changed[host.audience.account].map { host.targetChanged(to: $0, by: pattern, now: now) } ?? []
    }
    // An address that was hidden has no host, whoever is subscribed to it.
    let concerned = subscriptions.all.filter {
      changed[$0.target] != nil || hosts[$0.target] == nil && isMeant(Self.canonical($0.target, in: domain))
    }
    let again = reconsider(concerned, .target(pattern), now: now) {
      changed[$0.target] != nil || isMeant(Self.canonical($0.target, in: domain))
    }
    return (effects + again).withGoodbyesOnce
  }

  /// Considers subscriptions again, and those that wait for an answer, after something was said that may decide about
  /// them.
  private mutating func reconsider(
    _ subscriptions: [GatewaySubscription], _ subject: RuleSubject, now: Instant,
    waiting isMeant: (GatewaySubscription) -> Bool
  ) -> [GatewayEffect] {
    let effects = enforce(subscriptions, now: now)
    return effects + answer(self.subscriptions.requests.map(\.subscription).filter(isMeant), by: subject, now: now)
  }
}

extension [GatewayEffect] {
  /// Without the goodbyes that are said already and not followed by anything that would take them back: where a session ends
  /// and a subscription with it, each speaks for itself.
  fileprivate var withGoodbyesOnce: [GatewayEffect] {
    var told: Set<GatewaySession> = []
    return filter { effect in
      guard case .decloak(let target, let effect) = effect else { return true }
      switch effect {
      case .hide(let address): return told.insert(GatewaySession(target: target, address: address)).inserted
      case .show(let address, _): told.remove(GatewaySession(target: target, address: address))
      default: break
      }
      return true
    }
  }
}

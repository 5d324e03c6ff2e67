// SPDX-License-Identifier: Apache-2.0

// What people decide beforehand. Rules about the asker say whom we answer; rules about the address that is asked say
// what there is to be seen at all.

extension Gateway {
  /// Sets the policy. Going `off` is a no to everybody who waits, takes back every yes given to a request, and shows
  /// nobody who is subscribed.
  public mutating func setPolicy(_ new: Decloak.Policy, now: Instant) -> [GatewayEffect] {
    guard new != policy else { return [] }
    policy = new
    places.freeWithdrawn { _ in true }
    if new == .off { subscriptions.forgetRequests { _ in true } }
    return changeAll(now: now) { host in host.decloak.setPolicy(new, audience: &host.audience, now: now) }
      + refreshSubscriptions(now: now) { _ in true }
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
    for index in hosts.values.indices { hosts.values[index].decloak.rules = rules }
    places.freeWithdrawn { rules.rule(for: $0)?.subject == subject }
    switch subject {
    case .contact(let contact):
      var effects: [GatewayEffect] = []
      for target in (pairs[contact] ?? [:]).keys.sorted() {
        effects += change(target, with: contact, now: now) { host in
          host.decloak.apply(decision, for: subject, audience: &host.audience, now: now)
        }
      }
      return effects + reconsider(now: now) { $0.contact == contact }
    case .domain(let domain):
      let contacts = pairs.keys.filter { $0.domain == domain }
      let targets = Set(contacts.flatMap { pairs[$0]?.keys.map { $0 } ?? [] })
      return changeAll(targets, of: contacts, now: now) { host in
        host.decloak.apply(decision, for: subject, audience: &host.audience, now: now)
      } + reconsider(now: now) { $0.contact.domain == domain }
    case .target(let pattern):
      let isGeneral = hadTargets == rules.targets.isEmpty
      return targetsChanged(pattern, isGeneral: isGeneral, now: now)
    }
  }

  /// The rules say something else about addresses.
  /// - Parameter isGeneral: whether about others than the pattern matches.
  private mutating func targetsChanged(
    _ pattern: TargetPattern, isGeneral: Bool, now: Instant
  ) -> [GatewayEffect] {
    let known = Set(hosts.keys)
    var changed: [BareAddress: TargetRules.Verdict] = [:]
    for (target, host) in hosts {
      guard let canonical = canonical(target), isGeneral || pattern.matches(Array(canonical.utf8)) else { continue }
      let verdict = rules.targets.verdict(on: canonical)
      if verdict != host.verdict { changed[target] = verdict }
    }
    let effects = changeAll(Set(changed.keys), now: now) { host in
      changed[host.audience.account].map { host.targetChanged(to: $0, by: pattern, now: now) } ?? []
    }
    // An address that was hidden has no host, whoever is subscribed to it.
    return effects + reconsider(now: now) { changed[$0.target] != nil || !known.contains($0.target) }
  }

  /// Considers subscriptions again, after something was said that may decide about them.
  private mutating func reconsider(
    now: Instant, where isMeant: (GatewaySubscription) -> Bool
  ) -> [GatewayEffect] {
    refreshSubscriptions(now: now, where: isMeant) + answerSubscriptions(now: now, where: isMeant)
  }
}

// SPDX-License-Identifier: Apache-2.0

// Subscriptions to our addresses (RFC 6121 §3). There is no roster at a gateway: we keep them ourselves, and the same
// judge decides about them as about requests.

/// What somebody is to be told about a subscription.
enum OwedAnswer: Hashable, Sendable {
  /// It was granted; a person may have meant it although the contact does not see us.
  case granted(reveal: Bool)
  /// It is over.
  case ended
}

extension Gateway {
  /// A subscription request arrived.
  public mutating func subscribe(
    _ contact: BareAddress, to target: BareAddress, now: Instant
  ) -> [GatewayEffect] {
    let subscription = GatewaySubscription(contact: contact, target: target)
    guard !isBalanced, let verdict = verdict(on: target, for: contact) else { return [] }
    if subscriptions.contains(subscription) {
      // Its server has forgotten. Whoever we hide from is told nothing.
      guard isShown(subscription) else { return [] }
      owedAnswers[subscription] = .granted(reveal: false)
      return [.subscribed(subscription), .decloak(target, .show(.bare(contact), full: true))]
    }
    if let silence = hosts[target]?.decloak.silences[contact], silence.until > now, silence.judge != .nobody {
      counts.silenced += 1
      return []
    }
    switch judge(subscription, verdict).decision {
    case .deny: return []
    case .allow: return grant(subscription, now: now)
    case .ask:
      subscriptions.timePassed(now)
      return subscriptions.received(subscription, now: now).map { [.announceSubscription($0)] } ?? []
    }
  }

  /// Somebody wants to see one of our addresses no longer.
  public mutating func unsubscribe(
    _ contact: BareAddress, from target: BareAddress, now: Instant
  ) -> [GatewayEffect] {
    let subscription = GatewaySubscription(contact: contact, target: target)
    subscriptions.withdraw(subscription, now: now)
    return end(subscription, now: now)
  }

  // MARK: What people say

  /// Says yes to subscription requests.
  /// - Parameters:
  ///   - contact: who asks.
  ///   - target: for which of our addresses; `nil` for all that it asks for.
  ///   - reveal: that this is meant although the contact may not see us at present.
  /// - Returns: what is to be done; `nil` where no such request waits.
  /// - Throws: ``DecloakError/wouldReveal(_:)``, or ``DecloakError/limitExceeded(_:)``; nothing has changed then.
  public mutating func authorizeSubscription(
    _ contact: BareAddress, to target: BareAddress?, reveal: Bool, now: Instant
  ) throws(DecloakError) -> [GatewayEffect]? {
    let waiting = waiting(contact, target)
    guard !waiting.isEmpty else { return nil }
    guard reveal || visibility.shows(contact) else { throw .wouldReveal(contact) }
    guard subscriptions.hasRoom(for: contact) else {
      throw .limitExceeded(
        "subscriptions (\(Limits.gatewaySubscriptions), \(Limits.gatewaySubscriptionsPerAsker) of one contact)")
    }
    return waiting.flatMap { grant($0, reveal: reveal, now: now) }
  }

  /// Says no to subscription requests. The other side learns nothing.
  /// - Parameters:
  ///   - contact: who asks.
  ///   - target: for which of our addresses; `nil` for all that it asks for.
  /// - Returns: whether such a request waited.
  public mutating func denySubscription(_ contact: BareAddress, to target: BareAddress?) -> Bool {
    let waiting = waiting(contact, target)
    for subscription in waiting { subscriptions.forget(subscription) }
    return !waiting.isEmpty
  }

  /// Takes subscriptions back that were granted.
  /// - Parameters:
  ///   - contact: whose.
  ///   - target: to which of our addresses; `nil` for all.
  public mutating func cancelSubscription(
    _ contact: BareAddress, to target: BareAddress?, now: Instant
  ) -> [GatewayEffect] {
    let targets = target.map { [$0] } ?? subscriptions.targets(of: contact).sorted()
    return targets.flatMap { end(GatewaySubscription(contact: contact, target: $0), now: now) }
  }

  private func waiting(_ contact: BareAddress, _ target: BareAddress?) -> [GatewaySubscription] {
    subscriptions.requests.map(\.subscription).filter { $0.contact == contact && (target ?? $0.target) == $0.target }
  }

  // MARK: Steps

  /// Takes up a subscription that was kept.
  mutating func restore(_ subscription: GatewaySubscription) {
    guard subscriptions.insert(subscription), isInForce(subscription) else { return }
    addHost(subscription.target)
    hosts[subscription.target]?.audience.setSubscriber(subscription.contact, true)
    settle(subscription.target, subscription.contact)
  }

  /// Takes up whom an earlier run, or a lost stream, has left untold that a subscription is over.
  public mutating func owe(ended: some Sequence<GatewaySubscription>) {
    for subscription in ended
    where owedAnswers[subscription] == nil && !subscriptions.contains(subscription)
      && owedAnswers.count < Limits.gatewaySubscriptions
    {
      owedAnswers[subscription] = .ended
    }
  }

  private mutating func grant(
    _ subscription: GatewaySubscription, reveal: Bool = false, now: Instant
  ) -> [GatewayEffect] {
    guard subscriptions.hasRoom(for: subscription.contact), subscriptions.insert(subscription) else {
      counts.dropped += 1
      return []
    }
    owedAnswers[subscription] = .granted(reveal: reveal)
    return [.keep(subscription), .subscribed(subscription)]
      + (isInForce(subscription) ? enforce(subscription, true, now: now) : [])
  }

  private mutating func end(_ subscription: GatewaySubscription, now: Instant) -> [GatewayEffect] {
    guard subscriptions.remove(subscription) else { return [] }
    owedAnswers[subscription] = nil
    // Whom we hide from is not told either that there was something to see.
    guard isShown(subscription), owedAnswers.count < Limits.gatewaySubscriptions else {
      return [.drop(subscription)] + enforce(subscription, false, now: now)
    }
    owedAnswers[subscription] = .ended
    return [.drop(subscription), .unsubscribed(subscription)] + enforce(subscription, false, now: now)
  }

  /// Whether what is owed may leave: a rule that came in between takes a yes back.
  func mayBeAnswered(_ subscription: GatewaySubscription) -> Bool {
    switch owedAnswers[subscription] {
    case .granted(let reveal): isInForce(subscription) && (reveal || isShown(subscription))
    case .ended: true
    case nil: false
    }
  }

  /// - Parameter verdict: what the rules say about the address, where that is known.
  private func judge(
    _ subscription: GatewaySubscription, _ verdict: TargetRules.Verdict? = nil
  ) -> (decision: RuleDecision, judge: DecloakDecision.Judge) {
    // A host that is held while it changes would be copied.
    var host = hosts[subscription.target] ?? makeHost(subscription.target, verdict)
    host.decloak.rules = rules
    return host.decloak.verdict(on: subscription.contact, host.audience)
  }

  private func isShown(_ subscription: GatewaySubscription) -> Bool {
    hosts[subscription.target]?.audience.isShownBySubscription(subscription.contact) == true
  }

  /// Whether somebody who is subscribed sees an address by it, unless ``Visibility`` keeps it hidden: rules that came
  /// later make the subscription dormant, and it comes back with them.
  private func isInForce(_ subscription: GatewaySubscription) -> Bool {
    !isBalanced && policy != .off && subscriptions.contains(subscription)
      && rules.rule(for: subscription.contact)?.decision != .deny && !isHidden(subscription.target)
  }

  private mutating func enforce(
    _ subscription: GatewaySubscription, _ isInForce: Bool, now: Instant
  ) -> [GatewayEffect] {
    let contact = subscription.contact
    guard hosts[subscription.target]?.audience.subscribers.contains(contact) ?? false != isInForce else { return [] }
    return change(subscription.target, with: contact, now: now) { host in host.setSubscriber(contact, isInForce) }
  }

  /// Finds out which of some subscriptions are in force now.
  mutating func enforce(_ subscriptions: [GatewaySubscription], now: Instant) -> [GatewayEffect] {
    subscriptions.flatMap { enforce($0, isInForce($0), now: now) }
  }

  /// Answers by a rule those of some requests that no other rule decides about.
  mutating func answer(
    _ requests: [GatewaySubscription], by subject: RuleSubject, now: Instant
  ) -> [GatewayEffect] {
    guard policy != .off else { return [] }
    var effects: [GatewayEffect] = []
    for subscription in requests {
      guard !isHidden(subscription.target) else {
        subscriptions.forget(subscription)
        continue
      }
      let (decision, judge) = judge(subscription)
      guard judge == .rule(subject) else { continue }
      switch decision {
      case .allow: effects += grant(subscription, now: now)
      case .deny: subscriptions.forget(subscription)
      case .ask: break
      }
    }
    return effects
  }
}

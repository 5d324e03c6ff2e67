// SPDX-License-Identifier: Apache-2.0

// What people, and programs that act for them, say about one request or one contact.

extension Gateway {
  /// Says yes to a request. The same answer again succeeds and shows nothing more.
  /// - Parameters:
  ///   - id: the request's.
  ///   - scope: how far the yes reaches; beyond this once it becomes a rule about the asker, at all of our addresses.
  ///   - full: whether show and status are sent too.
  ///   - lifetime: seconds that the session lasts.
  /// - Throws: ``DecloakError``; nothing has changed then.
  public mutating func approve(
    _ id: String, scope: AnswerScope, full: Bool, lifetime: UInt32, now: Instant
  ) throws(DecloakError) -> [GatewayEffect] {
    try answer(id, .approved, scope, .allow, now: now) { host throws(DecloakError) in
      try host.decloak.approve(
        id, scope: .once, full: full, lifetime: lifetime, audience: &host.audience, now: now)
    }
  }

  /// Says no to a request. The other side learns nothing; its repeats are counted in silence for a while.
  /// - Parameters:
  ///   - id: the request's.
  ///   - scope: how far the no reaches; beyond this once it becomes a rule about the asker, at all of our addresses.
  /// - Throws: ``DecloakError``; nothing has changed then.
  public mutating func deny(
    _ id: String, scope: AnswerScope, now: Instant
  ) throws(DecloakError) -> [GatewayEffect] {
    try answer(id, .denied, scope, .deny, now: now) { host throws(DecloakError) in
      try host.decloak.deny(id, scope: .once, audience: &host.audience, now: now)
    }
  }

  /// What an answer of a person's would be written down as, for a caller that keeps it before it is true.
  /// - Returns: `nil` if the same answer was given before.
  /// - Throws: ``DecloakError``: what the answer would throw.
  public func decision(
    on id: String, _ outcome: RequestOutcome, scope: AnswerScope, now: Instant
  ) throws(DecloakError) -> DecloakDecision? {
    guard let target = target(of: id), var host = hosts[target] else { throw .noSuchRequest(id: id) }
    host.decloak.rules = rules
    let request = try host.decloak.checkAnswer(id, outcome, scope: scope, host.audience, now: now)
    return request.map { DecloakDecision(request: $0, outcome: outcome, judge: .person) }
  }

  /// Whom the rule is about that an answer of this scope makes.
  /// - Returns: `nil` for an answer that makes none, or for an id that nobody can answer.
  public func subject(of id: String, _ scope: AnswerScope) -> RuleSubject? {
    target(of: id).flatMap { hosts[$0]?.decloak.subject(of: id, scope) }
  }

  /// How often a request was asked in all, with the repeats in the silence after its end.
  /// - Returns: `nil` where there is no such silence.
  public func count(of id: String) -> UInt32? { target(of: id).flatMap { hosts[$0]?.decloak.count(of: id) } }

  private mutating func answer(
    _ id: String, _ outcome: RequestOutcome, _ scope: AnswerScope, _ decision: RuleDecision, now: Instant,
    _ event: (inout GatewayHost) throws(DecloakError) -> [DecloakEffect]
  ) throws(DecloakError) -> [GatewayEffect] {
    _ = try self.decision(on: id, outcome, scope: scope, now: now)
    let subject = subject(of: id, scope)
    guard let target = target(of: id), case .contact(let contact)? = self.subject(of: id, .contact) else {
      throw .noSuchRequest(id: id)
    }
    let effects = try change(target, with: contact, now: now, event)
    guard let subject else { return effects }
    return effects + (try setRule(decision, for: subject, now: now))
  }

  // MARK: Without a request

  /// Shows one of our addresses to somebody unasked.
  /// - Parameters:
  ///   - target: which.
  ///   - address: a whole account, or one of its resources.
  ///   - full: whether show and status are sent too.
  ///   - lifetime: seconds that the session lasts.
  /// - Throws: ``DecloakError``.
  public mutating func share(
    _ target: BareAddress, with address: Address, full: Bool, lifetime: UInt32, now: Instant
  ) throws(DecloakError) -> [GatewayEffect] {
    try checkOutgoing(target, to: address.account)
    return try change(target, with: address.account, now: now) { host throws(DecloakError) in
      try host.decloak.share(address, full: full, lifetime: lifetime, audience: &host.audience, now: now)
    }
  }

  /// What came of asking.
  public struct Asked: Hashable, Sendable {
    /// Names the request towards clients; cannot be approved.
    public let id: String
    /// What is to be done.
    public let effects: [GatewayEffect]
  }

  /// Asks a contact to show itself, on behalf of one of our addresses. That address shows itself by it.
  /// - Parameters:
  ///   - contact: whom.
  ///   - target: on whose behalf.
  ///   - reason: what for.
  ///   - lifetime: seconds that the session lasts once it has been answered.
  ///   - reveal: that this is meant although the contact may not see us.
  /// - Throws: ``DecloakError``.
  public mutating func ask(
    _ contact: BareAddress, from target: BareAddress, reason: DecloakReason, lifetime: UInt32, reveal: Bool,
    now: Instant
  ) throws(DecloakError) -> Asked {
    try checkOutgoing(target, to: contact)
    var id = ""
    let effects = try change(target, with: contact, now: now) { host throws(DecloakError) in
      let asked = try host.decloak.ask(
        contact, reason: reason, lifetime: lifetime, reveal: reveal, isSeen: false, audience: &host.audience, now: now)
      id = asked.id
      return asked.effects
    }
    return Asked(id: id, effects: effects)
  }

  /// Ends the sessions of all of our addresses with a contact, or all sessions, in both directions.
  /// - Returns: what is to be done, and how many sessions ended.
  public mutating func revoke(_ contact: BareAddress?, now: Instant) -> (effects: [GatewayEffect], ended: Int) {
    var effects: [GatewayEffect] = []
    if let contact {
      for target in (pairs[contact] ?? [:]).keys.sorted() {
        effects += change(target, with: contact, now: now) { host in
          host.decloak.revoke(contact, audience: &host.audience).effects
        }
      }
    } else {
      effects = changeAll(now: now) { host in host.decloak.revoke(nil, audience: &host.audience).effects }
    }
    let ended = effects.count {
      if case .decloak(_, .sessionEnded) = $0 { true } else { false }
    }
    return (effects, ended)
  }

  private func checkOutgoing(_ target: BareAddress, to contact: BareAddress) throws(DecloakError) {
    guard contact.domain != domain else { throw .ourselves }
    guard !isHidden(target) else { throw .hiddenAddress(target) }
  }
}

// SPDX-License-Identifier: Apache-2.0

// What people say: to one request, by a rule to many, by the policy to all. Nothing but this ever reveals (XEP-0276 §8).

extension Decloak {
  /// Says yes to a request. The same answer again succeeds and shows nothing more.
  /// - Parameters:
  ///   - id: the request's.
  ///   - scope: how far the yes reaches; beyond this once it becomes a rule, and others who wait are answered by it.
  ///   - full: whether show and status are sent too. The others get capabilities alone, for an hour.
  ///   - lifetime: seconds that the session lasts.
  /// - Throws: ``DecloakError``; nothing has changed then.
  public mutating func approve(
    _ id: String, scope: AnswerScope, full: Bool, lifetime: UInt32, audience: inout Audience, now: Instant
  ) throws(DecloakError) -> [DecloakEffect] {
    let request = try checkAnswer(id, .approved, scope: scope, audience, now: now)
    let subject = subject(of: id, scope)
    if let subject { try rules.set(.allow, for: subject) }
    var effects: [DecloakEffect] = []
    if let request {
      effects += show(request.requesters, full: full, lifetime: lifetime, audience: &audience, now: now)
      effects += resolve(request, .approved, .person)
    }
    if let subject { effects += apply(.allow, for: subject, audience: &audience, now: now) }
    return effects
  }

  /// Says no to a request. The other side learns nothing; its repeats are counted in silence for a while.
  /// - Parameters:
  ///   - id: the request's.
  ///   - scope: how far the no reaches; beyond this once it becomes a rule, with what ``setRule(_:for:audience:now:)`` does.
  /// - Throws: ``DecloakError``; nothing has changed then.
  public mutating func deny(
    _ id: String, scope: AnswerScope, audience: inout Audience, now: Instant
  ) throws(DecloakError) -> [DecloakEffect] {
    let request = try checkAnswer(id, .denied, scope: scope, audience, now: now)
    let subject = subject(of: id, scope)
    if let subject { try rules.set(.deny, for: subject) }
    var effects: [DecloakEffect] = []
    if let request { effects += resolve(request, .denied, .person) + silence(request, .person, now: now) }
    if let subject { effects += apply(.deny, for: subject, audience: &audience, now: now) }
    return effects
  }

  /// Whether an answer can be given, for a caller that has something to do before it is.
  /// - Returns: the request if it waits; `nil` if the same answer was given before.
  /// - Throws: ``DecloakError``: what the answer would throw.
  @discardableResult
  public func checkAnswer(
    _ id: String, _ answer: RequestOutcome, scope: AnswerScope, _ audience: Audience, now: Instant
  ) throws(DecloakError) -> DecloakRequest? {
    let waiting = pending.values.first { $0.id == id }
    if let waiting {
      // The timer may be late; the promise is not.
      guard waiting.expiresAt > now else { throw .noSuchRequest(id: id) }
      guard answer != .approved || audience.sessions.count + waiting.requesters.count <= mostSessions else {
        throw .limitExceeded("sessions (\(mostSessions)): end one with Revoke first")
      }
    } else {
      guard let earlier = answers[id] else { throw .noSuchRequest(id: id) }
      guard earlier.outcome == answer else { throw .alreadyResolved(id: id, earlier.outcome) }
    }
    if let subject = subject(of: id, scope) { try rules.checkRoom(for: subject) }
    return waiting
  }

  /// Whom the rule is about that an answer of this scope makes.
  /// - Returns: `nil` for an answer that makes none, or for an id that nobody can answer.
  public func subject(of id: String, _ scope: AnswerScope) -> RuleSubject? {
    guard let contact = pending.values.first(where: { $0.id == id })?.contact ?? answers[id]?.contact else {
      return nil
    }
    return switch scope {
    case .once: nil
    case .contact: .contact(contact)
    case .domain: .domain(String(contact.domain))
    }
  }

  /// How often a request was asked in all, with the repeats in the silence after its end.
  /// - Returns: `nil` where there is no such silence: then what was decided has the count.
  public func count(of id: String) -> UInt32? { silences[id: id]?.count }

  // MARK: Rules

  /// Makes a rule, or removes it, and answers by it whoever waits and is covered by no rule of its own. A no also takes
  /// back every yes given to a request. While the policy is `off` rules are dormant.
  /// - Parameters:
  ///   - decision: what from now on; `nil` removes the rule.
  ///   - subject: whom it is about.
  /// - Throws: ``DecloakError/limitExceeded(_:)``; nothing has changed then.
  public mutating func setRule(
    _ decision: RuleDecision?, for subject: RuleSubject, audience: inout Audience, now: Instant
  ) throws(DecloakError) -> [DecloakEffect] {
    try rules.set(decision, for: subject)
    return apply(decision, for: subject, audience: &audience, now: now)
  }

  /// Answers by a rule that was made or removed.
  /// - Parameter contact: the one whom alone it is to be looked at for; `nil` for all.
  mutating func apply(
    _ decision: RuleDecision?, for subject: RuleSubject, to contact: BareAddress? = nil, audience: inout Audience,
    now: Instant
  ) -> [DecloakEffect] {
    let rules = rules
    func isCovered(_ contact: BareAddress) -> Bool { rules.rule(for: contact)?.subject == subject }
    var effects: [DecloakEffect] = []
    if decision != .deny {
      // What was said last counts: who is allowed or to be asked about is heard again. But a person's no to one contact
      // is not taken back by a yes to its domain.
      effects += silences.end(of: contact) { contact, silence in
        decision == nil
          ? silence.judge == .rule(subject)
          : isCovered(contact) && (silence.judge != .person || subject == .contact(contact))
      }
    }
    for contact in Array(places.contacts) where isCovered(contact) { places.free(contact) }
    guard policy != .off, decision == .allow || decision == .deny else { return effects }
    let waiting = contact.map { pending[$0].map { [$0] } ?? [] } ?? pendingRequests
    for request in waiting where request.expiresAt > now && isCovered(request.contact) {
      guard decision == .allow else {
        effects += resolve(request, .denied, .rule(subject)) + silence(request, .rule(subject), now: now)
        continue
      }
      // Who cannot be shown to now goes on waiting for a person.
      guard verdict(on: request.contact, audience).decision == .allow,
        hasSessions(for: request.requesters.count, of: request.contact, audience)
      else { continue }
      effects += show(
        request.requesters, full: false, lifetime: Limits.sessionLifetime, audience: &audience, now: now)
      effects += resolve(request, .approved, .rule(subject))
    }
    guard decision == .deny else { return effects }
    return effects + takeBackAnswers(of: contact, audience: &audience, from: isCovered)
  }

  // MARK: Policy

  /// Sets the policy. Going `off` is a no to everybody who waits and takes back every yes given to a request.
  public mutating func setPolicy(_ new: Policy, audience: inout Audience, now: Instant) -> [DecloakEffect] {
    guard new != policy else { return [] }
    policy = new
    // What the policy before refused may be asked of this one. Where a person or a rule said no, that stands.
    var effects = silences.end { _, silence in
      silence.judge == .policy
    }
    places.removeAll()
    guard new == .off else { return effects }
    for request in pendingRequests {
      // Whoever turned it off is a person.
      effects += resolve(request, .denied, .person) + silence(request, .person, now: now)
    }
    return effects + takeBackAnswers(audience: &audience) { _ in true }
  }

  /// Ends the sessions that a yes to a request began.
  private mutating func takeBackAnswers(
    of contact: BareAddress? = nil, audience: inout Audience, from isMeant: (BareAddress) -> Bool
  ) -> [DecloakEffect] {
    let sessions = contact.map { audience.sessions(with: $0) } ?? Array(audience.sessions.values)
    let approved = sessions.filter { $0.origin == .approved && isMeant($0.address.account) }.map(\.address).sorted()
    return endSessions(approved, .revoked, audience: &audience) + approved.flatMap { endPeer($0, .revoked) }
  }
}

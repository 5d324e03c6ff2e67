// SPDX-License-Identifier: Apache-2.0

// What becomes of a request that arrives: XEP-0276 §4, with what dbus-interfaces adds to it.

extension Decloak {
  /// A request arrived. Whether the stanza counts as one (no delay, no chat room) was judged before.
  public mutating func received(
    _ arrived: ArrivedRequest, audience: inout Audience, now: Instant
  ) -> [DecloakEffect] {
    let contact = arrived.requester.account
    guard policy != .off, contact != audience.account else { return [] }
    if audience.contains(arrived.requester) { return resend(to: arrived.requester, audience, now: now) }
    if pending[contact] != nil { return merge(arrived, now: now) }
    let (decision, judge) = verdict(on: contact, audience)
    var effects: [DecloakEffect] = []
    if let silence = silences[contact] {
      // A rule or a policy that says yes does not overrule somebody who said no; where nobody said anything, it does.
      if silence.until > now, decision != .allow || silence.judge != .nobody {
        silences.heard(contact)
        silencedRequests += 1
        return []
      }
      effects = silences.end(contact)
    }
    switch decision {
    case .allow: effects += allow(arrived, judge, audience: &audience, now: now)
    case .deny: effects += refuse(arrived, judge, audience, now: now)
    case .ask: effects += prompt(arrived, audience, now: now)
    }
    return effects
  }

  /// What decides about a contact: its rule, its domain's, or the policy. Hiding makes a question of every yes.
  func verdict(
    on contact: BareAddress, _ audience: Audience
  ) -> (decision: RuleDecision, judge: DecloakDecision.Judge) {
    let verdict: (decision: RuleDecision, judge: DecloakDecision.Judge) =
      if let rule = rules.rule(for: contact) {
        (rule.decision, .rule(rule.subject))
      } else if policy == .rules, let target {
        (target.decision, .rule(.target(target.pattern)))
      } else {
        switch policy {
        case .off, .rules: (.deny, .policy)
        case .ask: (.ask, .policy)
        case .allow: (.allow, .policy)
        }
      }
    guard verdict.decision == .allow, !audience.canBeShownByPolicy(contact) || target?.decision == .ask else {
      return verdict
    }
    return (.ask, verdict.judge)
  }

  // MARK: The three decisions

  private mutating func allow(
    _ arrived: ArrivedRequest, _ judge: DecloakDecision.Judge, audience: inout Audience, now: Instant
  ) -> [DecloakEffect] {
    guard hasSessions(for: 1, of: arrived.requester.account, audience) else {
      droppedRequests += 1
      return []
    }
    let request = announce(arrived, as: .approved, audience, now: now)
    // More of the same is not told of again and yet answered. Nobody is shown us whose name was not told.
    // With a gateway it is its service, which is told of as often as somebody can read it (§8).
    guard request != nil || room != nil || places.answer(arrived.requester.account) else {
      droppedRequests += 1
      return []
    }
    if request == nil { untoldAnswers += 1 }
    let effects = show(
      [arrived.requester], full: false, lifetime: Limits.sessionLifetime, audience: &audience, now: now)
    return request.map { [.announce($0)] + effects + resolve($0, .approved, judge) } ?? effects
  }

  private mutating func refuse(
    _ arrived: ArrivedRequest, _ judge: DecloakDecision.Judge, _ audience: Audience, now: Instant
  ) -> [DecloakEffect] {
    guard let request = announce(arrived, as: .denied, audience, now: now) else {
      droppedRequests += 1
      return []
    }
    return [.announce(request)] + resolve(request, .denied, judge) + silence(request, judge, now: now)
  }

  private mutating func prompt(_ arrived: ArrivedRequest, _ audience: Audience, now: Instant) -> [DecloakEffect] {
    guard let request = announce(arrived, as: nil, audience, now: now) else {
      droppedRequests += 1
      return []
    }
    pending[request.contact] = request
    return [.announce(request)]
  }

  /// Makes a request that a person is told of, if there is a place for it.
  /// - Parameter outcome: what a rule or the policy answers; `nil` where a person is asked.
  private mutating func announce(
    _ arrived: ArrivedRequest, as outcome: RequestOutcome?, _ audience: Audience, now: Instant
  ) -> DecloakRequest? {
    let contact = arrived.requester.account
    places.timePassed(now)
    if let room {
      guard outcome == nil ? room.forQuestions : room.forAnswers else { return nil }
    } else if let place = places[contact] {
      guard place.announcements < Limits.announcementsPerContact, place.outcome != outcome else { return nil }
    } else {
      guard hasRoom(for: arrived) else { return nil }
    }
    let request = DecloakRequest(
      id: nextID(), contact: contact, requesters: [arrived.requester], reason: arrived.reason,
      namespaces: arrived.namespaces, receivedAt: now, expiresAt: now.later(bySeconds: Limits.requestLifetime),
      isInRoster: arrived.isInRoster, isHiddenFrom: audience.isHiddenFrom(contact), isAutomatic: outcome != nil,
      reportedAt: now, announcements: (places.free(contact)?.announcements ?? 0) + 1)
    if let outcome, room == nil { places.hold(request, outcome) }
    return request
  }

  /// Some places are kept for contacts of the roster, so that strangers cannot crowd them out.
  private func hasRoom(for arrived: ArrivedRequest) -> Bool {
    let domain = arrived.requester.account.domain
    let most = Limits.pendingPerAccount - (arrived.isInRoster ? 0 : Limits.keptForRoster)
    return pending.count + places.count < most
      && pending.keys.count { $0.domain == domain } + places.contacts.count { $0.domain == domain }
        < Limits.pendingPerDomain
  }

  /// Whether there is room for sessions that no person began: one contact takes no more than its share.
  func hasSessions(for requesters: Int, of contact: BareAddress, _ audience: Audience) -> Bool {
    audience.sessions.count + requesters <= mostSessions
      && audience.sessions(with: contact).count + requesters <= Limits.resourcesPerContact
  }
}

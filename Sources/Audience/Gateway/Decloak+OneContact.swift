// SPDX-License-Identifier: Apache-2.0

// Time, for one of many contacts: an address that thousands have asked is not walked through for each of them.

extension Decloak {
  /// When ``timePassed(with:audience:now:)`` has something to do next.
  func nextDeadline(with contact: BareAddress, _ audience: Audience) -> Instant? {
    var deadlines = audience.sessions(with: contact).map(\.expiresAt) + peers(of: contact).map(\.expiresAt)
    if let request = pending[contact] { deadlines.append(request.deadline) }
    if let ask = asks[contact], !ask.isAnswered { deadlines.append(ask.until) }
    if let silence = silences[contact] { deadlines.append(silence.until) }
    return deadlines.min()
  }

  /// Ends what is over with one contact.
  mutating func timePassed(
    with contact: BareAddress, audience: inout Audience, now: Instant
  ) -> [DecloakEffect] {
    var effects = pending[contact].map { timePassed(for: $0, now: now) } ?? []
    let over = audience.sessions(with: contact).filter { $0.expiresAt <= now }
    effects += endSessions(over.map(\.address), .expired, audience: &audience)
    for peer in peers(of: contact) where peer.expiresAt <= now { effects += endPeer(peer.address, .expired) }
    if asks[contact]?.isOpen(now) == false { asks[contact] = nil }
    if let silence = silences[contact], silence.until <= now { effects += silences.end(contact) }
    return effects
  }

  /// Whether a contact may see us by subscription has changed, as the audience knows.
  /// - Parameters:
  ///   - leaves: whether we hide from it: then its sessions end as well.
  ///   - gains: whether it may see us now and could not before.
  mutating func visibilityChanged(
    for contact: BareAddress, leaves: Bool, gains: Bool, audience: inout Audience
  ) -> [DecloakEffect] {
    var effects = leaves ? endSessions(contact, .hidden, audience: &audience) : []
    let untold = audience.shownOutside(contact).filter { !effects.contains(.hide($0)) }
    effects += takeBack(from: untold, audience) + supersede(contact, audience)
    // A session in which we wait for an answer stays: without it the answer would be nothing to us.
    guard gains, audience.isShownBySubscription(contact), asks[contact]?.isAnswered != false else { return effects }
    return effects + endSessions(audience.sessions(with: contact).map(\.address), .absorbed, audience: &audience)
  }

  /// Whether nothing is known of a contact.
  func isIdle(with contact: BareAddress) -> Bool {
    pending[contact] == nil && asks[contact] == nil && !hasPeers(contact) && silences[contact] == nil
  }

  /// Whether nothing is known of anybody. What was sent again lately does not count: whoever may have it is known of.
  var isIdle: Bool {
    pending.isEmpty && asks.isEmpty && peers.isEmpty && silences.count == 0 && answers.isEmpty
  }

  // MARK: Rules about the address that is asked

  /// The address cannot be seen any more, whoever asks: everything ends that anybody has to do with it.
  /// - Parameter pattern: whose rule says so.
  mutating func close(by pattern: TargetPattern, audience: inout Audience) -> [DecloakEffect] {
    pendingRequests.flatMap { resolve($0, .denied, .rule(.target(pattern))) }
      + revoke(nil, audience: &audience).effects
  }

  /// What a rule says about the address has changed: whoever waits and is covered by no other is answered by it, and
  /// who was refused by another is heard again.
  mutating func targetChanged(
    _ pattern: TargetPattern, audience: inout Audience, now: Instant
  ) -> [DecloakEffect] {
    let rules = rules
    var effects = silences.end { contact, silence in
      silence.judge != .person && rules.rule(for: contact) == nil
    }
    for request in pendingRequests where request.expiresAt > now {
      let (decision, judge) = verdict(on: request.contact, audience)
      guard decision == .allow, judge == .rule(.target(pattern)),
        hasSessions(for: request.requesters.count, of: request.contact, audience)
      else { continue }
      effects += show(
        request.requesters, full: false, lifetime: Limits.sessionLifetime, audience: &audience, now: now)
      effects += resolve(request, .approved, judge)
    }
    return effects
  }
}

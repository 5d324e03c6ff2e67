// SPDX-License-Identifier: Apache-2.0

/// One of a gateway's addresses as long as somebody has to do with it: who may know of it, and who asks.
struct GatewayHost: Sendable {
  /// Begins the ids of its requests, so that each leads back here.
  let serial: UInt64
  /// Its one form, in which rules are compared; `nil` where it stands for nobody.
  let canonical: String?
  var audience: Audience
  var decloak: Decloak
  var calls = JingleCalls()
  var verdict: TargetRules.Verdict
  /// Who has to do with it.
  var contacts: Set<BareAddress> = []

  /// What there is of one contact.
  struct Standing {
    /// The addresses of the contact that have sessions.
    var sessions: Set<Address> = []
    var deadline: Instant?
    var isSilenced = false
    /// Whether nothing is known of the contact.
    var isIdle = true
  }

  func standing(of contact: BareAddress) -> Standing {
    let sessions = audience.sessionAddresses(with: contact)
    return Standing(
      sessions: sessions, deadline: decloak.nextDeadline(with: contact, audience),
      isSilenced: decloak.silences[contact] != nil,
      isIdle: sessions.isEmpty && decloak.isIdle(with: contact) && !audience.subscribers.contains(contact)
        && !audience.hasShown(contact))
  }

  /// Whether nobody has to do with it.
  var isIdle: Bool { audience.isIdle && decloak.isIdle }

  /// Takes up what the rules say about the address.
  mutating func obey(_ verdict: TargetRules.Verdict) {
    self.verdict = verdict
    if case .shown(let rule) = verdict { decloak.target = rule } else { decloak.target = nil }
  }

  /// Takes out what was counted.
  mutating func takeCounts() -> Gateway.Counts {
    defer { (decloak.droppedRequests, decloak.silencedRequests, decloak.untoldAnswers) = (0, 0, 0) }
    return Gateway.Counts(
      dropped: decloak.droppedRequests, silenced: decloak.silencedRequests, untold: decloak.untoldAnswers)
  }

  /// Ends a session, whichever way it goes.
  mutating func end(_ address: Address) -> [DecloakEffect] {
    // Who answered a request of ours is seen no longer than we are.
    let answered =
      address == .bare(address.account) ? decloak.peers(of: address.account).filter { $0.askID != nil } : []
    return decloak.endSessions([address], .expired, audience: &audience) + decloak.endPeer(address, .expired)
      + answered.flatMap { decloak.endPeer($0.address, .expired) }
  }

  mutating func received(_ arrived: ArrivedRequest, _ room: SharedRoom, now: Instant) -> [DecloakEffect] {
    decloak.room = room
    return decloak.received(arrived, audience: &audience, now: now)
  }

  /// Somebody left. It is told nothing: it knows.
  mutating func left(_ address: Address) -> [DecloakEffect] {
    decloak.resentAt.remove(address)
    return decloak.left(address, audience: &audience).filter { $0 != .hide(address) }
  }

  /// The rules say something else about this address.
  /// - Parameter pattern: whose rule has changed.
  mutating func targetChanged(
    to new: TargetRules.Verdict, by pattern: TargetPattern, now: Instant
  ) -> [DecloakEffect] {
    obey(new)
    return new == .hidden
      ? decloak.close(by: pattern, audience: &audience)
      : decloak.targetChanged(pattern, audience: &audience, now: now)
  }

  /// Forgets what matters only as long as somebody sees us.
  mutating func forgetOutside(_ contact: BareAddress) {
    calls.forgetOutside(contact, audience)
    for address in decloak.resentAt.addresses(of: contact) where !audience.contains(address) {
      decloak.resentAt.remove(address)
    }
  }

  /// Tells everybody who was shown us that we go.
  /// - Parameter effects: what tells some of them already.
  func goodbyes(beside effects: [DecloakEffect]) -> [DecloakEffect] {
    let told = Set(effects)
    return audience.shown.sorted().map { .hide($0) }.filter { !told.contains($0) }
  }

  /// Whether a contact may see us by subscription has changed.
  mutating func visibilityChanged(for contact: BareAddress, leaves: Bool, gains: Bool) -> [DecloakEffect] {
    let effects = decloak.visibilityChanged(for: contact, leaves: leaves, gains: gains, audience: &audience)
    return gains && audience.subscribers.contains(contact) ? effects + [.show(.bare(contact), full: true)] : effects
  }

  /// A subscription is in force, or not any more.
  mutating func setSubscriber(_ contact: BareAddress, _ isSubscriber: Bool) -> [DecloakEffect] {
    let sawUs = audience.isShownBySubscription(contact)
    let effects = decloak.subscriptionChanged(contact, seesUs: isSubscriber, seen: false, audience: &audience)
    let seesUs = audience.isShownBySubscription(contact)
    if seesUs, !sawUs { return effects + [.show(.bare(contact), full: true)] }
    // Who has a session goes on seeing us, and as much as it lets see: with a subscription clients forget what it showed.
    guard sawUs, !seesUs, let session = audience.sessions[.bare(contact)] else { return effects }
    return effects + [.show(session.address, full: session.full)]
  }
}

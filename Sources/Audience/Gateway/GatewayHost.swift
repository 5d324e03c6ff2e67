// SPDX-License-Identifier: Apache-2.0

/// One of a gateway's addresses as long as somebody has to do with it: who may know of it, and who asks.
struct GatewayHost: Sendable {
  /// Begins the ids of its requests, so that each leads back here.
  let serial: UInt64
  var audience: Audience
  var decloak: Decloak
  var calls = JingleCalls()
  var verdict: TargetRules.Verdict

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

  /// Takes up what the rules say.
  mutating func obey(_ rules: DecloakRules, _ verdict: TargetRules.Verdict) {
    decloak.rules = rules
    self.verdict = verdict
    if case .shown(let rule) = verdict { decloak.target = rule } else { decloak.target = nil }
  }

  /// Lets something happen.
  mutating func run<Result, Failure: Error>(
    _ event: (inout GatewayHost) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try event(&self)
  }

  /// Takes out what was counted.
  mutating func takeCounts() -> Gateway.Counts {
    defer { (decloak.droppedRequests, decloak.silencedRequests, decloak.untoldAnswers) = (0, 0, 0) }
    return Gateway.Counts(
      dropped: decloak.droppedRequests, silenced: decloak.silencedRequests, untold: decloak.untoldAnswers)
  }

  /// Ends a session, whichever way it goes.
  mutating func end(_ address: Address) -> [DecloakEffect] {
    decloak.endSessions([address], .expired, audience: &audience) + decloak.endPeer(address, .expired)
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
    obey(decloak.rules, new)
    return new == .hidden
      ? decloak.close(by: pattern, audience: &audience)
      : decloak.targetChanged(pattern, audience: &audience, now: now)
  }

  mutating func forgetCalls(with contact: BareAddress) { calls.forgetOutside(contact, audience) }

  /// Tells those who may know, and are told of nothing else, that we go.
  func goodbyes() -> [DecloakEffect] { audience.shown.filter(audience.contains).sorted().map { .hide($0) } }

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

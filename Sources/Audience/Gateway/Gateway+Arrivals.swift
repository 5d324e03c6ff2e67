// SPDX-License-Identifier: Apache-2.0

// What arrives for one of our addresses. To those that are hidden nothing has ever arrived.

extension Gateway {
  /// A request to decloak arrived (XEP-0276 §5). Whether the stanza counts as one (no delay, no chat room) was judged
  /// before.
  /// - Parameters:
  ///   - arrived: the request. Whether the contact is on a roster is found out here.
  ///   - target: whom it asks.
  public mutating func received(
    _ arrived: ArrivedRequest, at target: BareAddress, now: Instant
  ) -> [GatewayEffect] {
    let contact = arrived.requester.account
    guard let verdict = verdict(on: target, for: contact) else { return [] }
    guard hasAddresses(target, for: arrived.requester), hasCopies(target, for: arrived.requester) else {
      counts.dropped += 1
      return []
    }
    var arrived = arrived
    arrived.isInRoster = subscriptions.contains(GatewaySubscription(contact: contact, target: target))
    let room = SharedRoom(
      forQuestions: places.hasRoom(for: contact, now: now), forAnswers: bucket.hasOne(now))
    addHost(target, verdict)
    return change(target, with: contact, now: now) { [arrived] host in
      host.received(arrived, room, now: now)
    }
  }

  /// Somebody left: unavailable presence or a presence error came. Nothing is sent to that address.
  public mutating func left(_ address: Address, from target: BareAddress, now: Instant) -> [GatewayEffect] {
    guard hosts[target] != nil else { return [] }
    noteDeparture(.unavailable, from: target, to: address)
    guard hosts[target] != nil else { return [] }
    return change(target, with: address.account, now: now) { host in
      host.left(address)
    }
  }

  /// Somebody took back what it asked, and may still be there.
  public mutating func withdrawn(_ address: Address, at target: BareAddress, now: Instant) -> [GatewayEffect] {
    guard hosts[target] != nil else { return [] }
    return change(target, with: address.account, now: now) { host in
      host.decloak.withdrawn(address, host.audience)
    }
  }

  /// Available presence came from somebody. It counts only when we asked.
  public mutating func appeared(_ address: Address, at target: BareAddress, now: Instant) -> [GatewayEffect] {
    guard hosts[target] != nil else { return [] }
    return change(target, with: address.account, now: now) { host in
      host.decloak.appeared(address, audience: &host.audience, now: now)
    }
  }

  /// A presence probe arrived (RFC 6121 §4.3): whoever sees us is told so again. Each is answered, since what another
  /// resource of the asker was sent before does not help this one.
  public func probed(_ address: Address, at target: BareAddress) -> [GatewayEffect] {
    guard address.account != target, address.account.text != domain, let audience = hosts[target]?.audience,
      audience.contains(address), audience.canBeShownAgain(address), hasCopies(target, for: address)
    else { return [] }
    return [.decloak(target, .show(address, full: audience.seesAll(address)))]
  }

  /// Stanzas were exchanged with somebody: a session in which one of our addresses is seen lasts as long again.
  public mutating func exchanged(with address: Address, at target: BareAddress, now: Instant) -> [GatewayEffect] {
    guard pairs[address.account]?[target] != nil else { return [] }
    let effects = change(target, with: address.account, now: now) { host in
      host.decloak.exchanged(with: address, audience: &host.audience, now: now)
    }
    for session in hosts[target]?.audience.sessions(with: address.account) ?? [] where session.exchangedAt == now {
      order.touch(GatewaySession(target: target, address: session.address))
    }
    return effects
  }

  // MARK: Calls

  /// A call was begun with somebody who sees one of our addresses.
  public mutating func callBegan(_ id: String, with address: Address, at target: BareAddress) {
    guard shows(target, to: address) else { return }
    hosts[target]?.calls.began(id, with: address)
  }

  /// A call is over; with the last one the session ends that was for it.
  public mutating func callEnded(
    _ id: String, with address: Address, at target: BareAddress, now: Instant
  ) -> [GatewayEffect] {
    guard let last = hosts[target]?.calls.ended(id, with: address) else { return [] }
    return change(target, with: address.account, now: now) { host in
      host.decloak.callEnded(with: address, last, audience: &host.audience)
    }
  }

  // MARK: Steps

  /// What the rules say about an address that somebody asks for.
  /// - Returns: `nil` where nobody is heard.
  mutating func verdict(on target: BareAddress, for contact: BareAddress) -> TargetRules.Verdict? {
    guard policy != .off, contact.domain != domain else { return nil }
    let verdict = verdict(on: target)
    guard verdict != .hidden else {
      counts.hidden += 1
      return nil
    }
    return verdict
  }

  /// Nobody collects addresses of ours without end.
  private func hasAddresses(_ target: BareAddress, for requester: Address) -> Bool {
    (seenInSessions[requester.account] ?? 0) < Limits.addressesPerAsker
      || pairs[requester.account]?[target]?.sessions.isEmpty == false || shows(target, to: requester)
  }

  /// Each copy of our presence is remembered until it is taken back.
  private func hasCopies(_ target: BareAddress, for address: Address) -> Bool {
    if hosts[target]?.audience.wasShown(address) == true { return true }
    guard shows(target, to: address) else { return shownCount < Limits.gatewayShown }
    return shownCount < Limits.gatewayShownFurther && shownDomains[address.account] < Limits.gatewayShownPerDomain
  }
}

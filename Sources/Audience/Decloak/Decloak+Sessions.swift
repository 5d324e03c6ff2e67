// SPDX-License-Identifier: Apache-2.0

// How sessions begin without a request, and how they end.

extension Decloak {
  /// Shows us to somebody unasked.
  /// - Parameters:
  ///   - address: a whole account, or one of its resources.
  ///   - full: whether show and status are sent too.
  ///   - lifetime: seconds that the session lasts.
  /// - Throws: ``DecloakError``.
  public mutating func share(
    _ address: Address, full: Bool, lifetime: UInt32, audience: inout Audience, now: Instant
  ) throws(DecloakError) -> [DecloakEffect] {
    guard address.account != audience.account else { throw .ourselves }
    guard audience.sessions.count < mostSessions else {
      throw .limitExceeded("sessions (\(mostSessions)): end one with Revoke first")
    }
    let effects = begin(address, .shared, full: full, lifetime: lifetime, audience: &audience, now: now)
    return effects + supersede(address.account, audience)
  }

  /// Ends the sessions with a contact, or all of them, in both directions.
  /// - Returns: what is to be done, and how many sessions ended.
  public mutating func revoke(
    _ contact: BareAddress?, audience: inout Audience
  ) -> (effects: [DecloakEffect], ended: Int) {
    let effects = endSessions(contact, .revoked, audience: &audience)
    let ended = effects.count {
      if case .sessionEnded = $0 { true } else { false }
    }
    return (effects, ended)
  }

  /// Turns a session into a subscription (XEP-0276 §3). The session stays until the roster shows both.
  /// - Throws: ``DecloakError/noSession(_:)``.
  public mutating func upgrade(
    _ contact: BareAddress, audience: inout Audience
  ) throws(DecloakError) -> [DecloakEffect] {
    let sessions = audience.sessions(with: contact)
    let seesUs = audience.contains(.bare(contact)) && !peers(of: contact).isEmpty
    guard !sessions.isEmpty || seesUs else { throw .noSession(contact) }
    for var session in sessions {
      session.upgrading = true
      audience.update(session)
    }
    return [.subscribeBothWays(contact)]
  }

  // MARK: What happens around us

  /// The roster said how a contact is subscribed.
  /// - Parameters:
  ///   - seesUs: subscription `from` or `both`.
  ///   - seen: subscription `to` or `both`.
  public mutating func subscriptionChanged(
    _ contact: BareAddress, seesUs: Bool, seen: Bool, audience: inout Audience
  ) -> [DecloakEffect] {
    audience.setSubscriber(contact, seesUs)
    // The server tells of the broadcast; of directed presence we alone know.
    var effects = takeBack(from: audience.shownOutside(contact), audience) + supersede(contact, audience)
    guard seesUs, seen, audience.isShownBySubscription(contact),
      audience.sessions(with: contact).contains(where: \.upgrading)
    else { return effects }
    effects += endSessions(contact, .upgraded, audience: &audience)
    return effects
  }

  /// The roster arrived whole.
  public mutating func rosterReplaced(_ subscribers: Set<BareAddress>, audience: inout Audience) -> [DecloakEffect] {
    audience.replaceSubscribers(subscribers)
    return takeBack(from: audience.shownOutside(), audience)
      + pendingRequests.flatMap { supersede($0.contact, audience) }
  }

  /// Visibility changed who among the contacts may see us. Whoever was sent our presence and may not see us any more is
  /// told that we are gone; sessions with those who do now are needed no longer.
  public mutating func visibilityChanged(to new: Visibility, audience: inout Audience) -> [DecloakEffect] {
    let old = audience.visibility
    guard new != old else { return [] }
    audience.visibility = new
    // One contact more or less costs what one contact costs.
    let outside =
      old.showsOthers == new.showsOthers
      ? old.exceptions.symmetricDifference(new.exceptions).sorted().flatMap { audience.shownOutside($0) }
      : audience.shownOutside()
    var effects = takeBack(from: outside, audience)
    effects += pendingRequests.flatMap { supersede($0.contact, audience) }
    // A session in which we wait for an answer stays: without it the answer would be nothing to us.
    let absorbed = audience.sessions.keys.filter {
      audience.isShownBySubscription($0.account) && asks[$0.account]?.isAnswered != false
    }
    return effects + endSessions(Array(absorbed), .absorbed, audience: &audience)
  }

  /// We are about to hide from some: their sessions end, while those who see us by subscription still do.
  public mutating func hide(_ leaving: VisibilityStep.Leaving, audience: inout Audience) -> [DecloakEffect] {
    switch leaving {
    case .all: endSessions(nil, .hidden, audience: &audience)
    case .contacts(let contacts):
      contacts.flatMap { endSessions($0, .hidden, audience: &audience) }
    }
  }

  /// Our stream ends (in order: the unavailables can still be sent) or has ended.
  public mutating func disconnected(inOrder: Bool, audience: inout Audience) -> [DecloakEffect] {
    var effects = pendingRequests.flatMap { resolve($0, .disconnected, .nobody) }
    effects += endSessions(nil, .disconnected, audience: &audience)
    effects += silences.recountAll()
    resentAt.removeAll()
    guard !inOrder else { return effects }
    return effects.filter {
      if case .hide = $0 { false } else { true }
    }
  }

  // MARK: Steps

  mutating func show(
    _ addresses: [Address], full: Bool, lifetime: UInt32, audience: inout Audience, now: Instant
  ) -> [DecloakEffect] {
    var effects: [DecloakEffect] = []
    for address in addresses {
      effects += begin(address, .approved, full: full, lifetime: lifetime, audience: &audience, now: now)
      // Whoever asks has shown itself by asking.
      if peers.count < Limits.peers {
        see(Peer(address: address, askID: nil, since: now, expiresAt: now.later(bySeconds: lifetime)))
      }
    }
    return effects
  }

  private mutating func begin(
    _ address: Address, _ origin: Session.Origin, full: Bool, lifetime: UInt32, audience: inout Audience, now: Instant
  ) -> [DecloakEffect] {
    audience.begin(
      Session(
        address: address, origin: origin, full: full, since: now, expiresAt: now.later(bySeconds: lifetime)))
    return [.show(address, full: full || audience.seesAll(address))]
  }

  /// A request is pointless once all that asked see us.
  mutating func supersede(_ contact: BareAddress, _ audience: Audience) -> [DecloakEffect] {
    guard let request = pending[contact], request.requesters.allSatisfy(audience.contains) else { return [] }
    return resolve(request, .superseded, .nobody)
  }

  mutating func endSessions(
    _ contact: BareAddress?, _ cause: SessionEndCause, audience: inout Audience
  ) -> [DecloakEffect] {
    let sessions = contact.map { audience.sessions(with: $0) } ?? Array(audience.sessions.values)
    let peers = contact.map { self.peers(of: $0) } ?? Array(self.peers.values)
    return endSessions(sessions.map(\.address), cause, audience: &audience)
      + peers.map(\.address).sorted().flatMap { endPeer($0, cause) }
  }

  /// Ends sessions in which somebody sees us; who may not see us otherwise is told unavailable, once.
  mutating func endSessions(
    _ addresses: [Address], _ cause: SessionEndCause, audience: inout Audience
  ) -> [DecloakEffect] {
    // All of them first: nobody is inside because of a session that ends next.
    let ended = addresses.sorted().filter { audience.end($0) != nil }
    var told: Set<Address> = []
    var effects: [DecloakEffect] = []
    for address in ended {
      if case .bare(let contact) = address { asks[contact] = nil }
      switch cause {
      case .upgraded, .absorbed: break
      case .revoked, .peerLeft, .expired, .hidden, .disconnected:
        effects += farewell(to: address, audience, told: &told)
      }
      effects.append(.sessionEnded(address.account, .theySeeMe, cause))
    }
    return effects
  }

  /// Tells those who may no longer know.
  private func farewell(to address: Address, _ audience: Audience, told: inout Set<Address>) -> [DecloakEffect] {
    // While we hide or leave, subscribers are told by other means.
    guard !audience.contains(address) else { return [] }
    var leaving = [address]
    if case .bare(let contact) = address {
      // What goes to the bare JID does not reach a resource that has broadcast nothing itself (measured), so those
      // that were sent presence of their own are told one by one.
      leaving += audience.shownOutside(contact).filter { $0 != address }
    }
    return takeBack(from: leaving.filter { told.insert($0).inserted }, audience)
  }

  /// Tells those who may not see us any more. What goes to a bare JID reaches resources that have a session, too, which
  /// are shown us again.
  func takeBack(from addresses: [Address], _ audience: Audience) -> [DecloakEffect] {
    let staying = addresses.filter { $0 == .bare($0.account) }.flatMap { audience.sessions(with: $0.account) }
    return addresses.map { .hide($0) } + staying.map { .show($0.address, full: $0.full) }
  }

  mutating func endPeer(_ address: Address, _ cause: SessionEndCause) -> [DecloakEffect] {
    guard forgetPeer(address) else { return [] }
    return [.sessionEnded(address.account, .iSeeThem, cause)]
  }
}

// SPDX-License-Identifier: Apache-2.0

// The side that asks. Our request is a disclosure too, so it is a session from the start: the contact's server
// hands our presence to all its resources, hence a session with the bare JID.

extension Decloak {
  /// What came of asking.
  public struct Asked: Hashable, Sendable {
    /// Names the request towards clients; cannot be approved.
    public let id: String
    /// What is to be done.
    public let effects: [DecloakEffect]
  }

  /// Asks a contact to show itself.
  ///
  /// A repeat while one is open returns the same id and sends nothing.
  /// - Parameters:
  ///   - contact: whom.
  ///   - reason: what for.
  ///   - lifetime: seconds that the session lasts once it has been answered.
  ///   - reveal: that we mean it although we are invisible.
  ///   - isSeen: whether we see the contact already through the roster: then nothing is sent.
  /// - Throws: ``DecloakError``.
  public mutating func ask(
    _ contact: BareAddress, reason: DecloakReason, lifetime: UInt32, reveal: Bool, isSeen: Bool,
    audience: inout Audience, now: Instant
  ) throws(DecloakError) -> Asked {
    guard contact != audience.account else { throw .ourselves }
    if let open = asks[contact], open.isOpen(now) { return Asked(id: open.id, effects: []) }
    if isSeen || hasPeers(contact) { return Asked(id: nextID(), effects: []) }
    guard audience.canBeShownByPolicy(contact) || reveal || audience.contains(.bare(contact)) else {
      throw .wouldReveal(contact)
    }
    guard audience.sessions.count < mostSessions else {
      throw .limitExceeded("sessions (\(mostSessions)): end one with Revoke first")
    }
    guard asks.count < Limits.outstandingAsks else {
      throw .limitExceeded("requests of our own (\(Limits.outstandingAsks)): end one with Revoke first")
    }
    let until = now.later(bySeconds: Limits.askLifetime)
    let ask = Ask(id: nextID(), reason: reason, lifetime: lifetime, until: until)
    asks[contact] = ask
    // What a person shared for longer, asking does not cut short.
    var session =
      audience.sessions[.bare(contact)]
      ?? Session(address: .bare(contact), origin: .requested, full: false, since: now, expiresAt: until)
    session.expiresAt = max(session.expiresAt, until)
    audience.begin(session)
    return Asked(id: ask.id, effects: [.request(contact, reason)] + supersede(contact, audience))
  }

  /// Available presence came from somebody. It counts only when we asked.
  public mutating func appeared(_ address: Address, audience: inout Audience, now: Instant) -> [DecloakEffect] {
    let contact = address.account
    guard var ask = asks[contact], var session = audience.sessions[.bare(contact)], session.expiresAt > now,
      ask.isOpen(now)
    else { return [] }
    if !ask.isAnswered {
      ask.isAnswered = true
      asks[contact] = ask
      let end = now.later(bySeconds: ask.lifetime)
      session.expiresAt = session.origin == .requested ? end : max(session.expiresAt, end)
      // The lifetime counts from the answer, also when it is renewed.
      if session.origin == .requested { session.exchangedAt = now }
      audience.update(session)
    }
    guard peers[address] == nil, peers.count < Limits.peers,
      peersByAccount[contact].count < Limits.resourcesPerContact
    else { return [] }
    see(Peer(address: address, askID: ask.id, since: now, expiresAt: session.expiresAt))
    return [.peerAppeared(address, id: ask.id)]
  }

  // MARK: Peers

  /// The resources of a contact that we see in sessions, in the order of their JIDs.
  public func peers(of contact: BareAddress) -> [Peer] {
    peersByAccount[contact].sorted().compactMap { peers[$0] }
  }

  func hasPeers(_ contact: BareAddress) -> Bool { !peersByAccount[contact].isEmpty }

  mutating func see(_ peer: Peer) {
    peers[peer.address] = peer
    peersByAccount.insert(peer.address)
  }

  /// - Returns: whether it was seen.
  mutating func forgetPeer(_ address: Address) -> Bool {
    guard peers.removeValue(forKey: address) != nil else { return false }
    peersByAccount.remove(address)
    return true
  }
}

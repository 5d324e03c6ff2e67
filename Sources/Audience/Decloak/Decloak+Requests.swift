// SPDX-License-Identifier: Apache-2.0

// The side that is asked: XEP-0276 §4, with what dbus-interfaces adds to it.

extension Decloak {
  /// A request arrived. Whether the stanza counts as one (no delay, no chat room) was judged before.
  public mutating func received(
    _ arrived: ArrivedRequest, audience: inout Audience, now: Instant
  ) -> [DecloakEffect] {
    let contact = arrived.requester.account
    guard policy != .off, contact != audience.account else { return [] }
    if audience.contains(arrived.requester) { return resend(to: arrived.requester, audience, now: now) }
    if pending[contact] != nil { return merge(arrived, now: now) }
    if policy == .allow, audience.canBeShownByPolicy(contact) {
      guard audience.sessions.count < Limits.sessions,
        audience.sessions(with: contact).count < Limits.resourcesPerContact
      else {
        droppedRequests += 1
        return []
      }
      let request = makeRequest(arrived, automatic: true, audience, now: now)
      return [.announce(request)]
        + show(request.requesters, full: false, lifetime: Limits.sessionLifetime, audience: &audience, now: now)
        + [.resolved(request, .approved)]
    }
    if let end = silenced[contact], end > now {
      silencedRequests += 1
      return []
    }
    guard hasRoom(for: arrived) else {
      droppedRequests += 1
      return []
    }
    let request = makeRequest(arrived, automatic: false, audience, now: now)
    pending[contact] = request
    return [.announce(request)]
  }

  /// Says yes to a request, for this once. The same answer again succeeds and does nothing.
  /// - Parameters:
  ///   - id: the request's.
  ///   - full: whether show and status are sent too.
  ///   - lifetime: seconds that the session lasts.
  /// - Throws: ``DecloakError``.
  public mutating func approve(
    _ id: String, full: Bool, lifetime: UInt32, audience: inout Audience, now: Instant
  ) throws(DecloakError) -> [DecloakEffect] {
    guard let request = try unanswered(id, .approved, now: now) else { return [] }
    guard audience.sessions.count + request.requesters.count <= Limits.sessions else {
      throw .limitExceeded("sessions (\(Limits.sessions)): end one with Revoke first")
    }
    return show(request.requesters, full: full, lifetime: lifetime, audience: &audience, now: now)
      + resolve(request, .approved)
  }

  /// Says no to a request. The other side learns nothing; its repeats are counted in silence for a while.
  /// - Throws: ``DecloakError``.
  public mutating func deny(_ id: String, now: Instant) throws(DecloakError) -> [DecloakEffect] {
    guard let request = try unanswered(id, .denied, now: now) else { return [] }
    silence(request.contact, now: now)
    return resolve(request, .denied)
  }

  /// Somebody left: unavailable presence or a presence error came.
  public mutating func left(_ address: Address, audience: inout Audience) -> [DecloakEffect] {
    var effects: [DecloakEffect] = []
    let contact = address.account
    if var request = pending[contact], let index = request.requesters.firstIndex(of: address) {
      request.requesters.remove(at: index)
      request.hasUnreportedChange = true
      pending[contact] = request
      effects += request.requesters.isEmpty ? resolve(request, .withdrawn) : supersede(contact, audience)
    }
    // A bare JID that is gone, as when our request bounced, takes with it all that answered there.
    if address == .bare(contact), let ask = asks[contact] {
      effects += peers(of: contact).filter { $0.askID == ask.id }.flatMap { endPeer($0.address, .peerLeft) }
    }
    effects += endSessions([address], .peerLeft, audience: &audience)
    effects += endPeer(address, .peerLeft)
    // Our own request stands for the whole contact: it is over when the last resource that answered has gone.
    if asks[contact]?.isAnswered == true, !peers.keys.contains(where: { $0.account == contact }) {
      asks[contact] = nil
      if audience.sessions[.bare(contact)]?.origin == .requested {
        effects += endSessions([.bare(contact)], .peerLeft, audience: &audience)
      }
    }
    return effects
  }

  // MARK: Steps

  /// The request behind `id` if it waits; `nil` if the same answer was given before.
  private func unanswered(
    _ id: String, _ answer: RequestOutcome, now: Instant
  ) throws(DecloakError) -> DecloakRequest? {
    if let request = pending.values.first(where: { $0.id == id }) {
      // The timer may be late; the promise is not.
      guard request.expiresAt > now else { throw .noSuchRequest(id: id) }
      return request
    }
    guard let earlier = answers[id] else { throw .noSuchRequest(id: id) }
    guard earlier == answer else { throw .alreadyResolved(id: id, earlier) }
    return nil
  }

  private mutating func makeRequest(
    _ arrived: ArrivedRequest, automatic: Bool, _ audience: Audience, now: Instant
  ) -> DecloakRequest {
    let contact = arrived.requester.account
    return DecloakRequest(
      id: nextID(), contact: contact, requesters: [arrived.requester], reason: arrived.reason,
      namespaces: arrived.namespaces, receivedAt: now, expiresAt: now.later(bySeconds: Limits.requestLifetime),
      isInRoster: arrived.isInRoster,
      isHiddenFrom: audience.isHiddenFrom(contact),
      isAutomatic: automatic, reportedAt: now)
  }

  /// Some places are kept for contacts of the roster, so that strangers cannot crowd them out.
  private func hasRoom(for arrived: ArrivedRequest) -> Bool {
    let domain = arrived.requester.account.domain
    let most = Limits.pendingPerAccount - (arrived.isInRoster ? 0 : Limits.keptForRoster)
    return pending.count < most
      && pending.keys.count { $0.domain == domain } < Limits.pendingPerDomain
  }

  private mutating func merge(_ arrived: ArrivedRequest, now: Instant) -> [DecloakEffect] {
    guard var request = pending[arrived.requester.account], request.expiresAt > now else { return [] }
    request.count &+= 1
    if !request.requesters.contains(arrived.requester), request.requesters.count < Limits.requestersPerRequest {
      request.requesters.append(arrived.requester)
    }
    for namespace in arrived.namespaces where !request.namespaces.contains(namespace) {
      request.namespaces.append(namespace)
    }
    request.hasUnreportedChange = true
    pending[request.contact] = request
    guard request.reportedAt.later(bySeconds: Limits.changeInterval) <= now else { return [] }
    return [.changed(report(request.contact, now: now) ?? request)]
  }

  mutating func report(_ contact: BareAddress, now: Instant) -> DecloakRequest? {
    pending[contact]?.hasUnreportedChange = false
    pending[contact]?.reportedAt = now
    return pending[contact]
  }

  /// Somebody who may see us anyway asks: the presence it is entitled to, now and then.
  private mutating func resend(
    to address: Address, _ audience: Audience, now: Instant
  ) -> [DecloakEffect] {
    if let last = resentAt[address], last.later(bySeconds: Limits.resendInterval) > now { return [] }
    // A contact can make up resources without end; each copy is remembered until it is taken back.
    guard audience.canBeShownAgain(address) else { return [] }
    if resentAt.count >= Limits.silenced { forgetResent(now: now) }
    guard resentAt.count < Limits.silenced else { return [] }
    resentAt[address] = now
    return [.show(address, full: audience.seesAll(address))]
  }

  mutating func forgetResent(now: Instant) {
    resentAt = resentAt.filter { $0.value.later(bySeconds: Limits.resendInterval) > now }
  }

  mutating func resolve(_ request: DecloakRequest, _ outcome: RequestOutcome) -> [DecloakEffect] {
    pending[request.contact] = nil
    if outcome == .approved || outcome == .denied { answers.remember(request.id, outcome) }
    return [.resolved(request, outcome)]
  }

  mutating func silence(_ contact: BareAddress, now: Instant) {
    if silenced.count >= Limits.silenced, let first = silenced.min(by: { $0.value < $1.value }) {
      silenced[first.key] = nil
    }
    silenced[contact] = now.later(bySeconds: Limits.silence)
  }
}

// SPDX-License-Identifier: Apache-2.0

// What becomes of a request while it waits, and of whoever sent it.

extension Decloak {
  /// Somebody left: unavailable presence or a presence error came.
  public mutating func left(_ address: Address, audience: inout Audience) -> [DecloakEffect] {
    var effects = withdrawn(address, audience)
    let contact = address.account
    // A bare JID that is gone, as when our request bounced, takes with it all that answered there.
    if address == .bare(contact), let ask = asks[contact] {
      effects += peers(of: contact).filter { $0.askID == ask.id }.flatMap { endPeer($0.address, .peerLeft) }
    }
    effects += endSessions([address], .peerLeft, audience: &audience)
    effects += endPeer(address, .peerLeft)
    // Our own request stands for the whole contact: it is over when the last resource that answered has gone.
    if asks[contact]?.isAnswered == true, !hasPeers(contact) {
      asks[contact] = nil
      if audience.sessions[.bare(contact)]?.origin == .requested {
        effects += endSessions([.bare(contact)], .peerLeft, audience: &audience)
      }
    }
    return effects
  }

  /// Somebody took back what it asked, and may still be there.
  public mutating func withdrawn(_ address: Address, _ audience: Audience) -> [DecloakEffect] {
    guard var request = pending[address.account], let index = request.requesters.firstIndex(of: address) else {
      return []
    }
    request.requesters.remove(at: index)
    request.hasUnreportedChange = true
    pending[request.contact] = request
    guard request.requesters.isEmpty else { return supersede(request.contact, audience) }
    if room == nil { places.hold(request, .withdrawn) }
    return resolve(request, .withdrawn, .nobody)
  }

  // MARK: Steps

  mutating func merge(_ arrived: ArrivedRequest, now: Instant) -> [DecloakEffect] {
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
  mutating func resend(
    to address: Address, _ audience: Audience, now: Instant
  ) -> [DecloakEffect] {
    guard !resentAt.contains(address, now: now) else { return [] }
    // A contact can make up resources without end; each copy is remembered until it is taken back.
    guard audience.canBeShownAgain(address) else { return [] }
    resentAt.timePassed(now)
    guard resentAt.count < Limits.silenced else { return [] }
    resentAt.insert(address, now: now)
    return [.show(address, full: audience.seesAll(address))]
  }

  mutating func resolve(
    _ request: DecloakRequest, _ outcome: RequestOutcome, _ judge: DecloakDecision.Judge
  ) -> [DecloakEffect] {
    pending[request.contact] = nil
    if outcome == .approved || outcome == .denied { answers.remember(request, outcome) }
    return [
      .resolved(request, outcome), .decided(DecloakDecision(request: request, outcome: outcome, judge: judge)),
    ]
  }

  mutating func silence(
    _ request: DecloakRequest, _ judge: DecloakDecision.Judge, now: Instant
  ) -> [DecloakEffect] {
    silences.begin(request, judge, until: now.later(bySeconds: Limits.silence), most: mostSilenced)
  }
}

// SPDX-License-Identifier: Apache-2.0

// What is noted beside the hosts, so that no event has to walk through all of them. After an event, one look at the
// pair that it concerned finds out what has changed.

extension Gateway {
  /// What is noted of an address of ours and somebody who has to do with it.
  struct PairState: Sendable {
    var sessions: Set<Address> = []
    /// The deadline that stands; no earlier one holds.
    var scheduled = Instant.never
    var isSilenced = false
  }

  /// Lets something happen between one of our addresses and somebody, and brings the books up to date.
  mutating func change<Failure: Error>(
    _ target: BareAddress, with contact: BareAddress, now: Instant,
    _ event: (inout GatewayHost) throws(Failure) -> [DecloakEffect]
  ) throws(Failure) -> [GatewayEffect] {
    addHost(target)
    let effects: [DecloakEffect]
    do throws(Failure) {
      effects = try hosts[target]?.run(event) ?? []
    } catch {
      settle(target, contact)
      throw error
    }
    let booked = book(effects, of: target, now: now)
    settle(target, contact)
    return booked + makeRoom(after: contact, now: now)
  }

  /// Lets something happen to many of our addresses.
  /// - Parameters:
  ///   - targets: which; `nil` for all that somebody has to do with.
  ///   - contacts: of those who have to do with them, whom it concerns; `nil` for all.
  mutating func changeAll(
    _ targets: Set<BareAddress>? = nil, of contacts: [BareAddress]? = nil, now: Instant,
    _ event: (inout GatewayHost) -> [DecloakEffect]
  ) -> [GatewayEffect] {
    var effects: [GatewayEffect] = []
    for target in targets.map(Array.init) ?? Array(hosts.keys) {
      effects += book(hosts[target]?.run(event) ?? [], of: target, now: now)
    }
    for contact in contacts ?? Array(pairs.keys) {
      for target in (pairs[contact] ?? [:]).keys where targets?.contains(target) != false { settle(target, contact) }
      effects += makeRoom(after: contact, now: now)
    }
    return effects
  }

  /// Notes what an event has told.
  private mutating func book(_ effects: [DecloakEffect], of target: BareAddress, now: Instant) -> [GatewayEffect] {
    for effect in effects {
      switch effect {
      case .announce(let request) where request.isAutomatic: bucket.take(now)
      case .announce(let request): places.take(request)
      case .resolved(let request, let outcome):
        places.resolved(request, outcome)
        if outcome == .approved || outcome == .denied { remembered.append(Remembered(target: target, id: request.id)) }
      default: break
      }
    }
    if let told = hosts[target]?.takeCounts() {
      counts.dropped += told.dropped
      counts.silenced += told.silenced
      counts.untold += told.untold
    }
    return effects.map { .decloak(target, $0) }
  }

  /// Brings the books up to date about one of our addresses and somebody.
  mutating func settle(_ target: BareAddress, _ contact: BareAddress) {
    // Where much ends at once, the host may have gone with the first of its contacts.
    let standing = hosts[target]?.standing(of: contact) ?? GatewayHost.Standing()
    let pair = GatewayPair(target: target, contact: contact)
    var state = pairs[contact]?[target] ?? PairState()
    if state.sessions != standing.sessions {
      for address in state.sessions.subtracting(standing.sessions) {
        order.remove(GatewaySession(target: target, address: address))
      }
      for address in standing.sessions.subtracting(state.sessions) {
        order.touch(GatewaySession(target: target, address: address))
      }
      state.sessions = standing.sessions
      hosts[target]?.forgetCalls(with: contact)
    }
    if state.isSilenced != standing.isSilenced {
      state.isSilenced = standing.isSilenced
      if standing.isSilenced { silenced.touch(pair) } else { silenced.remove(pair) }
    }
    if let deadline = standing.deadline, deadline < state.scheduled {
      state.scheduled = deadline
      deadlines.add(deadline, pair)
    }
    keep(standing.isIdle ? nil : state, pair)
    removeHostIfIdle(target)
  }

  private mutating func keep(_ state: PairState?, _ pair: GatewayPair) {
    if let state {
      if pairs[pair.contact, default: [:]].updateValue(state, forKey: pair.target) == nil { pairCount += 1 }
    } else if pairs[pair.contact]?.removeValue(forKey: pair.target) != nil {
      pairCount -= 1
      if pairs[pair.contact]?.isEmpty == true { pairs[pair.contact] = nil }
    }
    // Those who come and go leave deadlines behind.
    guard deadlines.count > 2 * pairCount + 1024 else { return }
    deadlines.replace(
      by: pairs.lazy.flatMap { contact, targets in
        targets.lazy.filter { $0.value.scheduled != .never }
          .map { ($0.value.scheduled, GatewayPair(target: $0.key, contact: contact)) }
      })
  }

  // MARK: What there is too much of

  /// Ends what has become too much.
  /// - Parameter contact: who came last.
  private mutating func makeRoom(after contact: BareAddress, now: Instant) -> [GatewayEffect] {
    var effects: [GatewayEffect] = []
    while let surplus = order.surplus(after: contact) {
      counts.displaced += 1
      effects += end(surplus.target, surplus.address.account, now: now) { host in
        host.end(surplus.address)
      }
    }
    while silenced.count > Limits.gatewaySilenced, let first = silenced.oldest {
      effects += end(first.target, first.contact, now: now) { host in
        host.decloak.silences.end(first.contact)
      }
    }
    while remembered.count > Limits.gatewayRememberedAnswers {
      let first = remembered.removeFirst()
      hosts[first.target]?.decloak.answers.forget(first.id)
      removeHostIfIdle(first.target)
    }
    return effects
  }

  private mutating func end(
    _ target: BareAddress, _ contact: BareAddress, now: Instant, _ event: (inout GatewayHost) -> [DecloakEffect]
  ) -> [GatewayEffect] {
    let effects = book(hosts[target]?.run(event) ?? [], of: target, now: now)
    settle(target, contact)
    return effects
  }
}

// SPDX-License-Identifier: Apache-2.0

// Our stream comes and goes. The server cleans up nothing for a component (XEP-0114), so whoever was shown one of our
// addresses is told by ourselves: before we leave in order, and otherwise when we are back.

extension Gateway {
  /// The stream is up. Those who saw us and may not any more are told, and those who are subscribed are shown us again.
  public func connected() -> [GatewayEffect] {
    var effects: [GatewayEffect] = []
    for (target, host) in hosts {
      effects += host.decloak.owedFarewells(host.audience).map { .decloak(target, $0) }
      effects += host.audience.subscribers.filter(host.audience.isShownBySubscription).sorted()
        .map { .decloak(target, .show(.bare($0), full: true)) }
    }
    return owedAnswers.keys.filter(mayBeAnswered).sorted()
      .map { owedAnswers[$0] == .ended ? .unsubscribed($0) : .subscribed($0) } + effects
  }

  /// Our stream ends (in order: the unavailables can still be sent) or has ended.
  public mutating func disconnected(inOrder: Bool, now: Instant) -> [GatewayEffect] {
    changeAll(now: now) { host in
      let effects = host.decloak.disconnected(inOrder: inOrder, audience: &host.audience)
      return inOrder ? effects + host.goodbyes(beside: effects) : effects
    }
  }

  /// What we do has changed (``presence``: show and status; otherwise what we can do): those who are to know are sent
  /// our presence again.
  public func showAgain(presence: Bool) -> [GatewayEffect] {
    hosts.flatMap { target, host -> [GatewayEffect] in
      let audience = host.audience
      return audience.shown.filter { presence ? audience.wantsUpdate($0) : audience.wantsCapabilities($0) }.sorted()
        .map { .decloak(target, .show($0, full: audience.seesAll($0))) }
    }
  }

  // MARK: What leaves

  /// Which column of ``DepartureTable`` somebody stands in, for a stanza from one of our addresses.
  public func destination(of address: Address, from target: BareAddress) -> Destination {
    hosts[target]?.audience.destination(address) ?? (address == .bare(target) ? .inside : .outside)
  }

  /// What becomes of a stanza that wants to leave in the name of one of our addresses. A component has nobody to send
  /// undirected presence for it.
  public func verdict(_ departure: Departure, from target: BareAddress, to address: Address?) -> DepartureVerdict {
    guard let address else { return .refuse }
    let subscription = GatewaySubscription(contact: address.account, target: target)
    if departure == .subscription, mayBeAnswered(subscription) { return .send }
    return DepartureTable.verdict(departure, destination(of: address, from: target), .open)
  }

  /// Notes that presence left, subscription presence as well, so that exactly those who saw us are told when we go.
  public mutating func noteDeparture(_ departure: Departure, from target: BareAddress, to address: Address) {
    if departure == .subscription {
      owedAnswers[GatewaySubscription(contact: address.account, target: target)] = nil
    }
    guard departure == .available || departure == .unavailable,
      let wasShown = hosts[target]?.audience.wasShown(address)
    else { return }
    hosts[target]?.audience.noteDeparture(departure, to: address)
    let isShown = departure == .available
    guard wasShown != isShown else { return }
    shownCount += isShown ? 1 : -1
    if isShown { shownDomains.add(address.account) } else { shownDomains.remove(address.account) }
    // Whoever may be shown an address is in the books already.
    if !isShown || pairs[address.account]?[target] == nil { settle(target, address.account) }
  }

  /// Notes who was shown one of our addresses by an earlier run of the program that took nothing back.
  public mutating func inherit(shown: some Sequence<(target: BareAddress, address: Address)>) {
    for (target, address) in shown where shownCount < Limits.gatewayShown {
      addHost(target)
      noteDeparture(.available, from: target, to: address)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import EventLoop
internal import XMPP

// What the core wants done.

extension GatewayAccount {
  /// Presence that leaves at once; what is more is paced.
  static let mostAtOnce = 256
  /// How much of that leaves in ``interval``.
  static let burst = 1_000
  static let interval = Duration.milliseconds(100)

  /// Carries effects out, in order.
  func carryOut(_ effects: [GatewayEffect], isPaced: Bool = false) {
    guard !effects.isEmpty else { return settle() }
    let waited = waiting.count
    let isPaced = isPaced || effects.count > Self.mostAtOnce
    for effect in effects { carryOut(effect, isPaced) }
    if waiting.count != waited { onEvent(.pendingChanged) }
    settle()
  }

  private func carryOut(_ effect: GatewayEffect, _ isPaced: Bool) {
    switch effect {
    case .decloak(let target, let effect): carryOut(effect, target, isPaced)
    case .keep(let subscription):
      ledger.keep(subscription)
      doorkeeper.plan()
      if news.tellsSubscriber(now) { onEvent(.subscriberChanged(subscription)) }
    case .drop(let subscription):
      ledger.drop(subscription)
      doorkeeper.plan()
      if news.tellsSubscriber(now) { onEvent(.subscriberChanged(subscription)) }
    case .subscribed(let subscription): say(.subscribed, subscription)
    case .unsubscribed(let subscription):
      ledger.owe(subscription)
      doorkeeper.plan()
      say(.unsubscribed, subscription)
    case .announceSubscription(let request):
      if news.tellsSubscriptionRequest(now) { onEvent(.subscriptionRequested(request)) }
    }
  }

  private func say(_ type: Presence.Kind, _ subscription: GatewaySubscription) {
    send(Presence(to: subscription.contact.jid, type: type), from: subscription.target)
  }

  private func carryOut(_ effect: DecloakEffect, _ target: BareAddress, _ isPaced: Bool) {
    switch effect {
    case .show(let address, let full):
      if isPaced { return updates.add([Shown(target: target, address: address)]) }
      show(target, to: address, full: full)
    case .request(let contact, let reason):
      guard let jid = contact.jid else { return }
      send(presence.bare(to: jid, extra: DecloakElements.elements(reason)), from: target)
    case .hide(let address):
      if isPaced { return updates.add([Shown(target: target, address: address)]) }
      hide(target, from: address)
    // Nobody turns a session at a gateway into a subscription: it cannot want to see the asker for good.
    case .subscribeBothWays: break
    case .peerAppeared(let address, let id):
      spawn { await self.introduce(address, to: target, id: id) }
    case .announce(let request):
      if !request.isAutomatic { waiting.insert(request.id) }
      onEvent(.requestAnnounced(request, target: target))
    case .changed(let request): onEvent(.requestChanged(request, target: target))
    case .resolved(let request, let outcome):
      waiting.remove(request.id)
      if outcome == .approved { getToKnow(request.requesters, by: target) }
      onEvent(.requestResolved(request, outcome, target: target))
      settleProposals(request, target)
    case .decided(let decision):
      ledger.record(stored(decision, target, by: nil))
      doorkeeper.plan()
    case .recounted(let id, let count):
      ledger.recount(id, count)
      doorkeeper.plan()
    case .sessionEnded(let contact, let direction, let cause):
      if direction == .iSeeThem { forgetPeers(of: contact, at: target) }
      let pair = GatewaySubscription(contact: contact, target: target)
      if news.tellsEnd(of: pair, direction, now) { onEvent(.sessionEnded(contact, direction, cause, target: target)) }
    }
  }

  /// A program of the person's has a part in what there is between one of our addresses and somebody.
  func follow(_ target: BareAddress, with contact: BareAddress) {
    guard gateway.hasSession(contact, at: target) else { return }
    news.follow(GatewaySubscription(contact: contact, target: target))
  }

  // MARK: Presence

  private func show(_ target: BareAddress, to address: Address, full: Bool) {
    // Whoever may see us from now on does with the next stream: nobody would take back what is shown behind the goodbyes.
    guard !doorkeeper.isLeaving, let jid = address.jid else { return }
    send(full ? presence.full(to: jid) : presence.bare(to: jid), from: target)
  }

  private func hide(_ target: BareAddress, from address: Address) {
    // What was to be shown may have been lost with a stream: then there is nothing to take back.
    guard [.inside, .shown].contains(gateway.destination(of: address, from: target)) else { return }
    send(Presence(to: address.jid, type: .unavailable), from: target)
  }

  private func send(_ presence: Presence, from target: BareAddress) {
    guard let own = target.jid else { return }
    var presence = presence
    presence.from = own
    doorkeeper.send(.presence(presence))
  }

  /// Somebody's turn has come: what is true by now is said.
  func takeTurn(_ shown: Shown) -> PacedQueue<Shown>.Turn {
    guard doorkeeper.isUp else { return .blocked }
    let audience = gateway.audience(of: shown.target)
    guard audience.contains(shown.address), !doorkeeper.isLeaving else {
      guard audience.wasShown(shown.address) else { return .skipped }
      hide(shown.target, from: shown.address)
      return .sent
    }
    show(shown.target, to: shown.address, full: audience.seesAll(shown.address))
    return .sent
  }
}

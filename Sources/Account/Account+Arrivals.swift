// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XML
internal import XMPP

// What the doorkeeper lets in.

extension Account {
  func admitted(_ stanza: Stanza, _ raw: Element, _ verdict: ArrivalVerdict) {
    let isProbed = stanza.from.flatMap { absentProbe?.note(raw, from: $0, own: fullJID) } ?? false
    switch stanza {
    case .presence(let presence): arrived(presence, verdict)
    case .iq(let iq) where verdict == .match: if !requests.received(iq) { doorkeeper.unmatched(stanza, raw) }
    case .iq(let iq): answer(iq, raw)
    case .message(let message): if !isProbed { arrived(message, raw, verdict) }
    }
  }

  // MARK: Presence

  private func arrived(_ presence: Presence, _ verdict: ArrivalVerdict) {
    if presence.type == .error, !watch.sent(presence) { noteRefused(presence) }
    guard let from = presence.from else { return }
    defer { watchSaw(from, presence) }
    switch verdict {
    case .list: listSubscriptionRequest(from.bare)
    case .ask:
      noteAvailable(from, presence)
      ask(presence, from)
    case .use, .learn:
      if presence.type == .available { noteAvailable(from, presence) } else { noteGone(from, presence) }
    case .deliver, .imitate, .match, .drop: break
    }
  }

  private func ask(_ presence: Presence, _ from: JID) {
    guard let request = DecloakElements.request(in: presence) else { return }
    let arrived = ArrivedRequest(
      requester: Address(from), reason: request.reason, namespaces: request.namespaces,
      isInRoster: roster.items[from.bare] != nil)
    decide(on: arrived)
    forgetUnlessSeen(from.bare)
  }

  /// A request arrived, by whatever stanza.
  func decide(on arrived: ArrivedRequest) {
    let now = now
    let wasInside = audience.contains(arrived.requester)
    let effects = decide { decloak, audience in decloak.received(arrived, audience: &audience, now: now) }
    // A second resource that a rule answers is announced no more, but what it can do may be asked now all the same.
    let isTold = effects.contains { if case .resolved = $0 { true } else { false } }
    if !wasInside, !isTold, audience.contains(arrived.requester) { getToKnow([arrived.requester]) }
  }

  /// Keeps no presence of anybody whom we neither are subscribed to nor have to do with any more.
  func forgetUnlessSeen(_ contact: BareJID) {
    let address = BareAddress(contact)
    guard roster.items[contact]?.subscription.isSeen != true, decloak.pending[address] == nil,
      decloak.asks[address] == nil, decloak.peers(of: address).isEmpty
    else { return }
    _ = presences.unavailable(JID(contact))
  }

  /// Presence counts when we are subscribed to it, or when it answers a request of ours; else it is forgotten.
  private func noteAvailable(_ from: JID, _ presence: Presence) {
    guard from.bare != jid, !DecloakElements.isFromRoom(presence) else { return }
    let isSeen = roster.items[from.bare]?.subscription.isSeen == true
    let address = Address(from)
    // Somebody who asks us has shown itself by asking; what it can do is wanted if the answer will be yes.
    let asksUs = DecloakElements.request(in: presence) != nil && decloak.policy != .off
    guard isSeen || asksUs || decloak.asks[address.account] != nil || decloak.peers[address] != nil else { return }
    if presences.available(from, presence), isSeen { onEvent(.contactChanged(from.bare)) }
    // Whom we did not ask tells Decloak nothing; an answer that the server kept for us says nothing about now.
    guard decloak.asks[address.account] != nil, !DecloakElements.isDelayed(presence) else { return }
    let now = now
    decide { decloak, audience in decloak.appeared(address, audience: &audience, now: now) }
  }

  private func noteGone(_ from: JID, _ presence: Presence) {
    guard from.bare != jid else { return }
    if presences.unavailable(from), roster.items[from.bare] != nil { onEvent(.contactChanged(from.bare)) }
    let address = Address(from)
    decide { decloak, audience in decloak.left(address, audience: &audience) }
  }

  private func listSubscriptionRequest(_ contact: BareJID) {
    guard contact != jid else { return }
    if let request = subscriptionRequests.received(from: BareAddress(contact), now: now) {
      onEvent(.subscriptionRequested(request))
    }
  }

  // MARK: IQs from inside

  private func answer(_ iq: IQ, _ raw: Element) {
    if iq.type == .set, let query = iq.payload.first, query.name == "query", query.namespace == Roster.namespace {
      return rosterPush(iq, query)
    }
    if iq.type == .set, let query = iq.payload.first, query.matches("query", PrivacyLists.namespace) {
      return privacyListPush(iq, query)
    }
    guard !hand(iq, raw) else { return }
    doorkeeper.send(.iq(Responder.answer(to: iq, ownCapabilities)))
  }
}

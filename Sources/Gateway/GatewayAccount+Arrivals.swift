// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import EventLoop
internal import XML
internal import XMPP

// What the doorkeeper lets in.

extension GatewayAccount {
  func admitted(_ stanza: Stanza, _ raw: Element, _ verdict: ArrivalVerdict) {
    guard let from = stanza.from, let to = stanza.to else { return }
    switch stanza {
    case .presence(let presence): arrived(presence, from: Address(from), to: BareAddress(to.bare), verdict)
    case .iq(let iq) where verdict == .match: if !requests.received(iq) { doorkeeper.unmatched(stanza, raw) }
    case .iq(let iq):
      guard !hand(iq, raw) else { return }
      answer(iq, Responder.answer(to: iq, ownCapabilities))
    case .message(let message): arrived(message, raw, verdict)
    }
  }

  /// Sends an answer in the name of the very address that was asked.
  func answer(_ question: IQ, _ answer: IQ) {
    var answer = answer
    answer.from = question.to
    doorkeeper.send(.iq(answer))
  }

  // MARK: Presence

  private func arrived(
    _ presence: Presence, from address: Address, to target: BareAddress, _ verdict: ArrivalVerdict
  ) {
    let (contact, now) = (address.account, now)
    switch presence.type {
    case .available where verdict == .ask: ask(presence, address, target)
    case .available: appeared(presence, address, target)
    case .unavailable, .error:
      announced.note(nil, of: address)
      decide { $0.left(address, from: target, now: now) }
      doorkeeper.knowsByItself(Shown(target: target, address: address))
    case .probe: decide { $0.probed(address, at: target) }
    case .subscribe: decide { $0.subscribe(contact, to: target, now: now) }
    case .unsubscribe: decide { $0.unsubscribe(contact, from: target, now: now) }
    // Whose presence we may see is nothing that we ever asked for.
    case .subscribed, .unsubscribed, .other: break
    }
  }

  private func ask(_ presence: Presence, _ address: Address, _ target: BareAddress) {
    guard let request = DecloakElements.request(in: presence) else { return }
    // Whoever asks an address that was asked to may answer it, too.
    appeared(presence, address, target)
    let now = now
    if gateway.policy != .off { announced.note(AnnouncedCapabilities(in: presence), of: address) }
    decide {
      $0.received(
        ArrivedRequest(
          requester: address, reason: request.reason, namespaces: request.namespaces, isInRoster: false),
        at: target, now: now)
    }
  }

  /// Presence counts when it answers a request of ours; else it is forgotten.
  private func appeared(_ presence: Presence, _ address: Address, _ target: BareAddress) {
    // Whoever was asked to show itself sees the address that asked.
    guard !DecloakElements.isFromRoom(presence), !DecloakElements.isDelayed(presence),
      gateway.hasSession(address.account, at: target)
    else { return }
    announced.note(AnnouncedCapabilities(in: presence), of: address)
    let now = now
    decide { $0.appeared(address, at: target, now: now) }
  }
}

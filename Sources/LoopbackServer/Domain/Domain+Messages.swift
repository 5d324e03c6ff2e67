// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

// Messages (RFC 6121 §8.5). Where it leaves a choice, Prosody's was taken.

extension LoopbackDomain {
  /// Delivers a message to an account of the domain, or to one of its sessions.
  mutating func deliver(message: Element, from origin: Origin, to address: Address) {
    guard let account = accounts[address.account] else {
      return fail(message, StanzaError(.serviceUnavailable), origin)
    }
    let stanza = message.stamped(from: origin.address, to: address)
    if let resource = address.resource, let id = account.resources[resource] {
      guard filter(id)?.denies(.message, origin.address) != true else {
        return fail(message, StanzaError(.serviceUnavailable), origin)
      }
      return send(stanza, to: id)
    }
    switch message.type {
    case "error": return
    case "groupchat": return fail(message, StanzaError(.serviceUnavailable), origin)
    default: break
    }
    let isDenied = filter(address.account)?.denies(.message, origin.address) == true
    let takers = sessions(of: address.account).filter { sessions[$0]?.takesMessages == true }
    guard !takers.isEmpty else {
      guard !isDenied, keep(stanza, for: address.account) else {
        return fail(message, StanzaError(.serviceUnavailable), origin)
      }
      return
    }
    let willing = takers.filter { filter($0)?.denies(.message, origin.address) != true }
    guard !willing.isEmpty else { return fail(message, StanzaError(.serviceUnavailable), origin) }
    deliver(stanza, toSome: willing)
  }

  /// News go to all sessions, other messages to those with the highest priority.
  private mutating func deliver(_ stanza: Element, toSome takers: [SessionID]) {
    let highest = takers.compactMap { sessions[$0]?.priority }.max() ?? 0
    for id in takers where stanza.type == "headline" || sessions[id]?.priority == highest { send(stanza, to: id) }
  }

  /// Keeps a message for later. News are not kept, nor what says nothing.
  /// - Returns: false where it should have been, and there is no room.
  private mutating func keep(_ stanza: Element, for account: BareAddress) -> Bool {
    guard stanza.type != "headline", stanza.child("body", clientNamespace) != nil else { return true }
    let stamp = Element("delay", "urn:xmpp:delay", ["from": domain.text, "stamp": timestamp(now)])
    let kept = stanza.with(attributes: stanza.attributes, adding: stamp, isFirst: false)
    return accounts[account]?.offline.keep(kept, limits) ?? false
  }

  /// A message that a session did not take any more goes to another one, or waits.
  mutating func store(_ stanza: Element, from sender: Address, for account: BareAddress) {
    guard stanza.type != "error", stanza.type != "groupchat" else { return }
    let takers = sessions(of: account).filter {
      sessions[$0]?.takesMessages == true && filter($0)?.denies(.message, sender) != true
    }
    if takers.isEmpty { _ = keep(stanza, for: account) } else { deliver(stanza, toSome: takers) }
  }

  /// A session takes what has waited for its account.
  mutating func deliverOffline(to id: SessionID) {
    guard let session = sessions[id], session.takesMessages,
      let waiting = accounts[session.address.bare]?.offline.take()
    else { return }
    for message in waiting { send(message, to: id) }
  }
}

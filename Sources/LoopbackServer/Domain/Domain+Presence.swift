// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

// Presence of clients (RFC 6121 §4; XEP-0018): who is to see what is for `PresenceForwarding` to say.

extension LoopbackDomain {
  /// Presence of a client's. What may be forwarded is checked before the forwarding is told of it.
  mutating func handle(presence: Element, from origin: Origin, to address: Address?) {
    switch (presence.type, address) {
    case (nil, nil): available(presence, origin.session)
    case ("unavailable", nil): unavailable(presence, origin.session)
    case ("invisible", nil) where features.invisiblePresence: invisible(presence, origin.session)
    case ("visible", nil) where features.invisiblePresence: visible(presence, origin.session)
    case ("invisible", let address?) where features.invisiblePresence:
      change(origin.session, address.account) { forwarding, _ in forwarding.invisible(to: address.account) }
    case ("visible", let address?) where features.invisiblePresence:
      change(origin.session, address.account) { $0.visible(to: address.account, mayReceive: $1) }
    case (nil, let address?), ("unavailable", let address?): direct(presence, from: origin, to: address)
    case ("subscribe", let address?), ("subscribed", let address?), ("unsubscribe", let address?),
      ("unsubscribed", let address?):
      guard passesOut(presence, from: origin, to: address) else { return }
      manage(presence, from: origin, contact: address.account)
    case ("probe", let address?):
      guard passesOut(presence, from: origin, to: address) else { return }
      route(presence: presence, from: origin, to: address)
    case ("error", _): break
    default: fail(presence, StanzaError(.badRequest), origin)
    }
  }

  // MARK: Undirected

  private mutating func available(_ presence: Element, _ id: SessionID) {
    guard let account = sessions[id]?.address.bare, let subscribers = accounts[account]?.roster.subscribers else {
      return
    }
    sessions[id]?.presence = presence
    let before = standing(id)
    // It hears of itself, too (§4.2.2).
    sessions[id]?.isAvailable = true
    let filter = filter(id)
    let forwards =
      sessions[id]?.forwarding.available(to: subscribers) { filter?.denies(.presenceOut, .bare($0)) != true } ?? []
    perform(forwards, of: id, present: presence)
    listen(id, presence, since: before)
  }

  private mutating func visible(_ presence: Element, _ id: SessionID) {
    guard let account = sessions[id]?.address.bare, let subscribers = accounts[account]?.roster.subscribers else {
      return
    }
    let before = standing(id)
    sessions[id]?.isAvailable = true
    let filter = filter(id)
    let forwards =
      sessions[id]?.forwarding.visible(to: subscribers) { filter?.denies(.presenceOut, .bare($0)) != true } ?? []
    perform(forwards, of: id, present: presence)
    listen(id, presence, since: before)
  }

  private mutating func invisible(_ presence: Element, _ id: SessionID) {
    let before = standing(id)
    perform(sessions[id]?.forwarding.invisible() ?? [], of: id, present: presence)
    gone(id)
    listen(id, presence, since: before)
  }

  private mutating func unavailable(_ presence: Element, _ id: SessionID) {
    perform(sessions[id]?.forwarding.unavailable() ?? [], of: id, present: presence)
    gone(id)
    sessions[id]?.presence = nil
    sessions[id]?.isAvailable = false
  }

  /// The session is over.
  mutating func leave(_ id: SessionID) {
    perform(sessions[id]?.forwarding.ended() ?? [], of: id, present: .presence(type: "unavailable"))
    gone(id)
  }

  /// What a session was to others before it said something: not the session itself, whose sets would be copied when they
  /// change.
  private struct Standing {
    let account: BareAddress
    let isAvailable: Bool
    let takesMessages: Bool
  }

  private func standing(_ id: SessionID) -> Standing? {
    sessions[id].map {
      Standing(account: $0.address.bare, isAvailable: $0.isAvailable, takesMessages: $0.takesMessages)
    }
  }

  private func priority(of presence: Element) -> Int8? {
    presence.child("priority", clientNamespace).flatMap { Int8($0.text) }
  }

  /// The session has said that it is there, whoever may know: from now on it gets what concerns it (§4.2, §4.3).
  /// - Parameter before: the session as it was.
  private mutating func listen(_ id: SessionID, _ presence: Element, since before: Standing?) {
    guard let before else { return }
    // Where only who may see it has changed, the priority stays unless one is said.
    let isPlain = presence.type == nil || !before.isAvailable
    if let priority = priority(of: presence) ?? (isPlain ? 0 : nil) { sessions[id]?.priority = priority }
    sessions[id]?.isAvailable = true
    if !before.isAvailable {
      // A question would tell a component that somebody is there who hides from it.
      seeOthers(id, asking: sessions[id]?.forwarding.visibility == .visible ? .everywhere : .here)
      for request in accounts[before.account]?.requests.sorted(by: { $0.key < $1.key }) ?? [] {
        send(request.value, to: id)
      }
    }
    if !before.takesMessages { deliverOffline(to: id) }
  }

  // MARK: Directed

  private mutating func direct(_ presence: Element, from origin: Origin, to address: Address) {
    guard passesOut(presence, from: origin, to: address, .presenceOut) else { return }
    if presence.type == nil {
      guard let count = sessions[origin.session]?.forwarding.directedCount, count < limits.directedPresences else {
        return fail(presence, StanzaError(.resourceConstraint), origin)
      }
      guard isLocal(address.account) || component(of: address.account) != nil else {
        return fail(presence, StanzaError(.remoteServerNotFound), origin)
      }
      perform(
        sessions[origin.session]?.forwarding.available(directedTo: address) ?? [], of: origin.session,
        present: presence)
    } else {
      perform(
        sessions[origin.session]?.forwarding.unavailable(directedTo: address) ?? [], of: origin.session,
        present: presence)
    }
  }

  /// Changes who may see a session, as far as one contact is concerned. Whoever is not on the roster is none.
  private mutating func change(
    _ id: SessionID, _ contact: BareAddress,
    _ change: (inout PresenceForwarding, _ mayReceive: Bool) -> [PresenceForwarding.Forward]
  ) {
    guard let account = sessions[id]?.address.bare, let roster = accounts[account]?.roster, roster[contact] != nil
    else {
      return  // XEP-0018 §4: such presence is for contacts of the roster.
    }
    let mayReceive =
      roster.subscribers.contains(contact) && filter(id)?.denies(.presenceOut, .bare(contact)) != true
    guard var forwarding = sessions[id]?.forwarding else { return }
    // Not shared while it changes, or its sets would be copied.
    sessions[id]?.forwarding = PresenceForwarding()
    let forwards = change(&forwarding, mayReceive)
    sessions[id]?.forwarding = forwarding
    perform(forwards, of: id, present: .presence())
    if forwards.contains(where: { $0.content == .unavailable }) { gone(id) }
  }

  /// When somebody was last seen to go.
  mutating func gone(_ id: SessionID) {
    if let account = sessions[id]?.address.bare { accounts[account]?.lastGone = now }
  }

  // MARK: Carrying out

  /// Sends on what the forwarding says, stamped.
  mutating func perform(_ forwards: [PresenceForwarding.Forward], of id: SessionID, present: Element) {
    guard !forwards.isEmpty, let session = sessions[id] else { return }
    let sender = Address.full(session.address)
    let filter = filter(id)
    // What a list denies is dropped, a goodbye too: whoever saw us goes on believing it, as on servers that people run.
    for forward in forwards where filter?.listDenies(.presenceOut, forward.to) != true {
      let stanza =
        switch forward.content {
        case .present: present
        case .last: session.presence ?? .presence()
        case .unavailable: Element.presence(type: "unavailable")
        }
      // Who goes knows it.
      let isOwnEnd = stanza.type == "unavailable" && forward.to.account == session.address.bare
      deliver(
        presence: stanza.stamped(from: sender, to: forward.to), from: sender, to: forward.to, but: isOwnEnd ? id : nil)
    }
  }

  /// Delivers stamped presence to whoever of an address may get it.
  mutating func deliver(presence: Element, from sender: Address, to address: Address, but excluded: SessionID? = nil) {
    if let resource = address.resource {
      if let id = accounts[address.account]?.resources[resource] {
        if filter(id)?.denies(.presenceIn, sender) != true { send(presence, to: id) }
        return
      }
    } else if accounts[address.account] != nil {
      for id in sessions(of: address.account)
      where id != excluded && sessions[id]?.isAvailable == true && filter(id)?.denies(.presenceIn, sender) != true {
        send(presence, to: id)
      }
      return
    }
    if let id = component(of: address.account) ?? nil { send(presence, to: id) }
  }
}

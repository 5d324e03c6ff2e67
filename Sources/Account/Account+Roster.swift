// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import Store
internal import XML
internal import XMPP

// The roster, from the server and from what was kept of it (RFC 6121 §2, XEP-0237).

extension Account {
  /// A roster of 100,000 contacts takes a slow line a while. Where nobody waits for it, it may: a dead connection is
  /// found by other means.
  private var rosterLimit: Duration { isEstablished ? .seconds(300) : .seconds(15) }

  /// Gets the roster: whole, or what has changed since it was kept.
  func getRoster(_ serial: UInt64) async throws(AccountError) {
    let kept = rosterIsVersioned ? await store.roster() : nil
    guard isComingUp(serial) else { return }
    let version = rosterIsVersioned ? kept?.version ?? "" : nil
    let result = try await requests.send(
      .get, to: nil, payload: Element("query", Roster.namespace, ["ver": version]), limit: rosterLimit)
    guard isComingUp(serial) else { return }
    if let query = result.payload.first {
      roster.replace(from: query)
      keepRoster(query.attribute("ver"))
    } else {
      // Nothing has changed, or what has comes as pushes.
      roster.replace(with: kept?.contacts ?? [])
    }
    let subscribers = Set(roster.items.values.filter { $0.subscription.seesUs }.map { BareAddress($0.jid) })
    decide { decloak, audience in decloak.rosterReplaced(subscribers, audience: &audience) }
  }

  private func keepRoster(_ version: String?) {
    guard rosterIsVersioned, let version else { return store.forgetRoster() }
    store.replaceRoster(StoredRoster(version: version, contacts: roster.items.values.map(StoredContact.init)))
  }

  /// A roster push counts only from our own account (RFC 6121 §2.1.6).
  func rosterPush(_ iq: IQ, _ query: Element) {
    let former = query.children.first?.attribute("jid").flatMap { try? BareJID($0) }.flatMap { roster.items[$0] }
    guard iq.from == nil || iq.from == JID(jid), let change = roster.push(query) else {
      return doorkeeper.send(.iq(Responder.refusal(of: iq)))
    }
    doorkeeper.send(.iq(Responder.acknowledgement(of: iq)))
    keep(change, version: query.attribute("ver"))
    let contact: BareJID
    let subscription: Roster.Subscription
    switch change {
    case .updated(let item): (contact, subscription) = (item.jid, item.subscription)
    case .removed(let jid): (contact, subscription) = (jid, .none)
    }
    if subscription.seesUs { subscriptionRequests.remove(BareAddress(contact)) }
    forgetUnlessSeen(contact)
    decide { decloak, audience in
      decloak.subscriptionChanged(
        BareAddress(contact), seesUs: subscription.seesUs, seen: subscription.isSeen, audience: &audience)
    }
    followRoster(
      contact, subscription, isNew: former == nil, gains: subscription.seesUs && former?.subscription.seesUs != true)
    onEvent(.contactChanged(contact))
    rosterPushes.resume(contact)
  }

  private func keep(_ change: Roster.Change, version: String?) {
    // A change without a version leaves us with a roster that has none.
    guard rosterIsVersioned, let version else { return store.forgetRoster() }
    switch change {
    case .updated(let item): store.updateRoster(version: version, contact: StoredContact(item))
    case .removed(let jid): store.removeFromRoster(version: version, jid: jid.description)
    }
  }
}

extension StoredContact {
  fileprivate init(_ item: Roster.Item) {
    self.init(
      jid: item.jid.description, name: item.name, groups: item.groups, subscription: item.subscription.rawValue,
      isPending: item.isPending, isApproved: item.isApproved)
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import Logging
internal import XML
internal import XMPP

// What other clients do with the account's privacy lists, and what comes of it.

extension Account {
  /// What the roster says of somebody.
  func privacyContact(_ address: BareAddress) -> PrivacyContact {
    guard let item = address.jid.flatMap({ roster.items[$0.bare] }),
      let subscription = PrivacyContact.Subscription(rawValue: item.subscription.rawValue)
    else { return PrivacyContact() }
    return PrivacyContact(groups: Set(item.groups), subscription: subscription)
  }

  /// Refuses a wish that names more contacts than a list can, before anything is done about it.
  func checkPrivacyList(_ wish: VisibilityWish) throws(AccountError) {
    guard audience.mechanism == .privacyList else { return }
    let members =
      wish.groups.isEmpty
      ? 0
      : roster.items.values.count { item in
        let address = BareAddress(item.jid)
        return !wish.contacts.contains(address) && wish.isException(address, in: item.groups)
      }
    let named = wish.contacts.count + members
    if named > PrivacyList.mostContacts { throw PrivacyLists.tooMany(named) }
  }

  /// A push tells which list was changed, and counts only from our own account (XEP-0016 §2.6).
  func privacyListPush(_ iq: IQ, _ query: Element) {
    guard iq.from == nil || iq.from == JID(jid),
      let name = query.child("list", PrivacyLists.namespace)?.attribute("name")
    else { return doorkeeper.send(.iq(Responder.refusal(of: iq))) }
    doorkeeper.send(.iq(Responder.acknowledgement(of: iq)))
    lists.pushed(name)
  }

  /// Another client may have changed what keeps our presence from some. Until that is known nothing is broadcast.
  func privacyListsDoubted() {
    doorkeeper.audience.cover(false)
    // What comes up looks by itself before it counts as connected.
    guard status == .connected else { return }
    let serial = sessionSerial
    spawn {
      await self.gate.enter()
      defer { self.gate.leave() }
      await self.putListsRight(serial)
    }
  }

  /// Waits until it is known what other clients did to our lists during an outage: that is told behind the resumption,
  /// and before the answer to whatever is asked then.
  func awaitForeignEdits() async throws(AccountError) {
    guard audience.mechanism == .privacyList, audience.mode != .visible else { return }
    if hasNewPresence { try await fence() }
    guard lists.isDoubted else { return }
    while lists.isDoubted { try await lists.putRight() }
    doorkeeper.audience.cover(true)
  }

  private func putListsRight(_ serial: UInt64) async {
    guard sessionSerial == serial, !isClosing else { return }
    do throws(AccountError) {
      try await lists.putRight()
    } catch {
      guard sessionSerial == serial else { return }
      return privacyListsFailed(error)
    }
    guard sessionSerial == serial, status == .connected, !isClosing, !lists.isDoubted, !isServerStateUnknown,
      audience.mechanism == .privacyList, audience.mode != .visible
    else { return }
    doorkeeper.audience.cover(true)
    sayPresence()
  }

  /// Our list cannot be relied upon any more.
  func privacyListsFailed(_ error: AccountError) {
    // Whatever goes on after an outage does so on a new stream.
    isServerStateUnknown = true
    guard status == .connected, !isClosing else { return }
    logger.error("the privacy list does not hold, and the account hides: \(error.text)")
    hideAfterFailure()
    isVisibilityPending = true
    onEvent(.visibilityChanged)
  }
}

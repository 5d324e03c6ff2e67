// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XML
public import XMPP

// Presence subscriptions (RFC 6121 §3). Nothing is ever answered by itself.

extension Account {
  /// Asks to see a contact's presence. Returns once the roster shows it.
  /// - Throws: ``AccountError``.
  public func subscribe(_ contact: BareJID, reveal: Bool) async throws(AccountError) {
    try await subscription(.subscribe, contact, reveal: reveal)
  }

  /// Lets a contact see our presence, now or once it asks. Returns once the roster shows it, or the server keeps it.
  /// - Throws: ``AccountError``; `notSupportedByServer` where the contact has not asked and the server keeps no
  ///   permission in advance.
  public func authorizeSubscription(_ contact: BareJID, reveal: Bool) async throws(AccountError) {
    try await subscription(.subscribed, contact, reveal: reveal)
    subscriptionRequests.remove(BareAddress(contact))
  }

  /// Refuses a contact's request, or takes an earlier permission back. The contact is told.
  /// - Throws: ``AccountError``.
  public func denySubscription(_ contact: BareJID, reveal: Bool) async throws(AccountError) {
    try await subscription(.unsubscribed, contact, reveal: reveal)
    subscriptionRequests.remove(BareAddress(contact))
  }

  /// Stops seeing a contact's presence. The contact is told.
  /// - Throws: ``AccountError``.
  public func unsubscribe(_ contact: BareJID, reveal: Bool) async throws(AccountError) {
    try await subscription(.unsubscribe, contact, reveal: reveal)
  }

  /// Takes a contact off the roster, and returns once it is. Our server tells the contact that subscriptions ended, if there were any.
  /// - Throws: ``AccountError``.
  public func removeContact(_ contact: BareJID, reveal: Bool) async throws(AccountError) {
    try requireConnected()
    guard let item = roster.items[contact] else {
      throw AccountError(.invalidArgument, "\(contact) is not on the roster: ListRoster shows who is.")
    }
    guard reveal || (item.subscription == .none && !item.isPending) || audience.contains(.bare(BareAddress(contact)))
    else {
      throw .wouldReveal(contact.description)
    }
    let query = Element(
      "query", Roster.namespace,
      children: [Element("item", Roster.namespace, ["jid": contact.description, "subscription": "remove"])])
    let session = sessionSerial
    let deadline = time.now + Self.iqLimit
    // Some servers push before they answer, some after (measured).
    var push = rosterPushes.take(for: contact)
    do throws(AccountError) {
      _ = try await requests.send(.set, to: nil, payload: query, limit: Self.iqLimit)
    } catch {
      rosterPushes.leave(push)
      throw error
    }
    while sessionSerial == session, roster.items[contact] != nil {
      try await awaitPush(push, atMost: deadline - time.now, session)
      // What is pushed first may be that a subscription ended.
      push = rosterPushes.take(for: contact)
    }
    rosterPushes.leave(push)
    guard sessionSerial == session else { throw .notConnected }
  }

  private func subscription(
    _ type: Presence.Kind, _ contact: BareJID, reveal: Bool
  ) async throws(AccountError) {
    try requireConnected()
    guard contact != jid else { throw AccountError(.invalidArgument, "That is this account itself.") }
    let session = sessionSerial
    let stanza = Stanza.presence(Presence(to: JID(contact), type: type))
    // Where the roster says already what was asked for, the server has nothing to push.
    guard !isSettled(type, contact) else {
      try doorkeeper.send(stanza, reveal: reveal)
      return try await fence()
    }
    let push = rosterPushes.take(for: contact)
    do throws(AccountError) {
      try doorkeeper.send(stanza, reveal: reveal)
    } catch {
      rosterPushes.leave(push)
      throw error
    }
    if type == .subscribed, !subscriptionRequests.all.contains(where: { $0.contact == BareAddress(contact) }) {
      defer { rosterPushes.leave(push) }
      return try await confirmPreApproval(contact)
    }
    try await awaitPush(push, atMost: Self.iqLimit, session)
  }

  private func awaitPush(
    _ push: RosterPushes.Place, atMost limit: Duration, _ session: UInt64
  ) async throws(AccountError) {
    guard await !rosterPushes.wait(push, atMost: limit) else { return }
    guard sessionSerial == session else { throw .notConnected }
    throw AccountError(.timedOut, "The server did not change the roster within 10 seconds; the request was sent.")
  }

  /// A permission for somebody who has not asked, as far as we know: the server may hold a request, or keep the
  /// permission until there is one (RFC 6121 §3.4), or do nothing at all. Not every server pushes the roster for it, and
  /// Prosody does not say in it that the contact is approved (measured).
  private func confirmPreApproval(_ contact: BareJID) async throws(AccountError) {
    try await delivered()
    try await fence()
    let item = roster.items[contact]
    guard item?.subscription.seesUs == true || item?.isApproved == true || keepsPreApprovals else {
      throw AccountError(
        .notSupportedByServer,
        "\(contact) has not asked to see your presence, and this server keeps no permission in advance: allow it once it "
          + "has asked. Nothing was changed.")
    }
  }

  private func isSettled(_ type: Presence.Kind, _ contact: BareJID) -> Bool {
    let item = roster.items[contact]
    let subscription = item?.subscription ?? .none
    return switch type {
    case .subscribe: subscription.isSeen || item?.isPending == true
    case .subscribed: subscription.seesUs
    case .unsubscribe: !subscription.isSeen && item?.isPending != true
    case .unsubscribed: !subscription.seesUs
    default: true
    }
  }
}

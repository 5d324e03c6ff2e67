// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import XMPP

// org.nightcloak.Presence1.Connection

extension AccountObject {
  var jid: String { client.status == .connected ? client.fullJID?.description ?? "" : "" }
  var `protocol`: String { ConnectionProtocol.xmpp.rawValue }

  func setPresence(show: String, status: String, options: [String: Value], caller: Caller) async throws {
    let (show, status) = (try presenceShow(show), try presenceStatus(status))
    var options = Options(options, in: "options of SetPresence")
    let priority = try options.takePriority()
    try options.end(known: "priority")
    client.setPresence(show: show, status: status, priority: priority)
  }

  func listRoster(options: [String: Value], caller: Caller) async throws -> [[String: Value]] {
    var options = Options(options, in: "options of ListRoster")
    let contact = try options.take("contact", String.self).map { try bareJID($0, "\"contact\"") }
    let group: String? = try options.take("group")
    let page = try Page(&options)
    try options.end(known: "contact, group, after, limit")
    let items = contact.map { [client.roster.items[$0]].compactMap { $0 } } ?? Array(client.roster.items.values)
    let wanted = items.filter { item in group.map(item.groups.contains) ?? true }
    return page.cut(wanted, by: \.jid.description).map { client.entry($0) }
  }

  func subscribe(contact: String, options: [String: Value], caller: Caller) async throws {
    try await roster(contact, options, "Subscribe") { client, contact, reveal in
      try await client.subscribe(contact, reveal: reveal)
    }
  }

  func authorizeSubscription(contact: String, options: [String: Value], caller: Caller) async throws {
    try await roster(contact, options, "AuthorizeSubscription") { client, contact, reveal in
      try await client.authorizeSubscription(contact, reveal: reveal)
    }
  }

  func denySubscription(contact: String, options: [String: Value], caller: Caller) async throws {
    try await roster(contact, options, "DenySubscription") { client, contact, reveal in
      try await client.denySubscription(contact, reveal: reveal)
    }
  }

  func unsubscribe(contact: String, options: [String: Value], caller: Caller) async throws {
    try await roster(contact, options, "Unsubscribe") { client, contact, reveal in
      try await client.unsubscribe(contact, reveal: reveal)
    }
  }

  func removeContact(contact: String, options: [String: Value], caller: Caller) async throws {
    try await roster(contact, options, "RemoveContact") { client, contact, reveal in
      try await client.removeContact(contact, reveal: reveal)
    }
  }

  /// Does what a call says about a contact of the roster, and answers in time.
  private func roster(
    _ contact: String, _ options: [String: Value], _ method: String,
    _ work: @escaping @LoopActor @Sendable (Account, BareJID, Bool) async throws -> Void
  ) async throws {
    let contact = try bareJID(contact, "contact")
    let reveal = try reveal(options, method)
    try await CallLimit.within(
      "The server has not confirmed \(method) within \(CallLimit.answer.components.seconds) seconds. It may still: "
        + "ListRoster shows how the subscription stands."
    ) { [client] in
      try await work(client, contact, reveal)
      try await client.delivered()
    }
  }

  func listSubscriptionRequests(caller: Caller) async throws -> [[String: Value]] {
    client.subscriptionRequests.all.map { client.entry($0) }
  }

  func setActive(active: Bool, caller: Caller) async throws { client.setActive(active) }

  private func reveal(_ options: [String: Value], _ method: String) throws(DBusError) -> Bool {
    var options = Options(options, in: "options of \(method)")
    let reveal: Bool = try options.take("reveal") ?? false
    try options.end(known: "reveal")
    return reveal
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import Gateway
internal import XMPP

// org.nightcloak.Presence1.Visibility

extension GatewayAccount {
  /// No server knows who is subscribed to a gateway: whoever sees it was sent its presence.
  var mechanism: Mechanism { .directed }
  /// The mechanisms that can be used on this server.
  var supported: [Mechanism] { status == .connected ? [.directed] : [] }
}

extension GatewayObject {
  var mechanism: String { client.mechanism.rawValue }
  var supported: [String] { client.supported.map(\.rawValue) }
  var degraded: [String] { client.degradations }
  /// It holds at once: nobody but us decides.
  var pending: Bool { false }

  func setVisibility(mode: String, contacts: [String], options: [String: Value], caller: Caller) async throws {
    let mode = try oneOf(Mode.allCases, mode, "mode")
    let named = try NamedContacts(contacts, of: client.jid)
    try Options(options, in: "options of SetVisibility at a gateway").end(known: "")
    try named.requireNoGroups()
    try await set(try VisibilityWish(mode, named))
  }

  func set(_ wish: VisibilityWish) async throws {
    try await changing { [client] in try await client.setVisibility(wish) }
  }

  func show(_ named: NamedContacts) async throws {
    try named.requireNoGroups()
    try await changing { [client] in try await client.showTo(named.contacts.sorted()) }
  }

  func hide(_ named: NamedContacts) async throws {
    try named.requireNoGroups()
    try await changing { [client] in try await client.hideFrom(named.contacts.sorted()) }
  }

  func canSee(jid: String, caller: Caller) async throws -> (sees: Bool, why: String) {
    let jid = try anyJID(jid, "jid")
    let gateway = client.gateway
    let why = jid.isBare ? gateway.whyAnyResource(of: BareAddress(jid.bare)) : gateway.why(Address(jid))
    if let why { return (true, why == .ourselves ? "ourselves" : why.rawValue) }
    guard client.status == .connected else { return (false, "not-connected") }
    let isSubscribed = !gateway.subscriptions.targets(of: BareAddress(jid.bare)).isEmpty
    return (false, isSubscribed ? "hidden" : "no-subscription")
  }

  func listAudience(options: [String: Value], caller: Caller) async throws -> [[String: Value]] {
    var options = Options(options, in: "options of ListAudience")
    let page = try Page(&options)
    try options.end(known: "after, limit")
    let gateway = client.gateway
    return page.cut(gateway.members) { "\($0.address) \($0.target)" }.map { member in
      let since =
        gateway.audience(of: member.target).sessions[member.address]?.since
        ?? client.visibleSince(GatewaySubscription(contact: member.address.account, target: member.target))
      return client.entry(member.address, member.why, since: since).naming(member.target, at: client)
    }
  }
}

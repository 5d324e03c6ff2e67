// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import XMPP

// org.nightcloak.Presence1.Visibility

extension AccountObject {
  var mechanism: String { client.mechanism.rawValue }
  var supported: [String] { client.supported.map(\.rawValue) }
  var degraded: [String] { client.degraded.map(\.rawValue) }
  var pending: Bool { client.isVisibilityPending }

  func setVisibility(mode: String, contacts: [String], options: [String: Value], caller: Caller) async throws {
    let mode = try oneOf(Mode.allCases, mode, "mode")
    let named = try NamedContacts(contacts, of: client.jid)
    var options = Options(options, in: "options of SetVisibility")
    let probes: Bool = try options.take("probe") ?? true
    let acceptsLess: Bool = try options.take("degraded") ?? false
    let rebinds: Bool = try options.take("rebind") ?? false
    try options.end(known: "probe, degraded, rebind")
    try await set(try VisibilityWish(mode, named, probes: probes, acceptsLess: acceptsLess), rebinds: rebinds)
  }

  func set(_ wish: VisibilityWish) async throws { try await set(wish, rebinds: false) }

  private func set(_ wish: VisibilityWish, rebinds: Bool) async throws {
    try await changing { [client] in try await client.setVisibility(wish, rebinds: rebinds) }
  }

  func show(_ named: NamedContacts) async throws {
    try await changing { [client] in try await client.showTo(named.contacts.sorted(), groups: named.groups.sorted()) }
  }

  func hide(_ named: NamedContacts) async throws {
    try await changing { [client] in try await client.hideFrom(named.contacts.sorted(), groups: named.groups.sorted()) }
  }

  func canSee(jid: String, caller: Caller) async throws -> (sees: Bool, why: String) {
    let jid = try anyJID(jid, "jid")
    let audience = client.audience
    let why = jid.isBare ? audience.whyAnyResource(of: BareAddress(jid.bare)) : audience.why(Address(jid))
    if let why { return (true, why == .ourselves ? "ourselves" : why.rawValue) }
    guard client.status == .connected else { return (false, "not-connected") }
    return (false, audience.isHiddenFrom(BareAddress(jid.bare)) ? "hidden" : "no-subscription")
  }

  func listAudience(options: [String: Value], caller: Caller) async throws -> [[String: Value]] {
    var options = Options(options, in: "options of ListAudience")
    let page = try Page(&options)
    try options.end(known: "after, limit")
    let audience = client.audience
    return page.cut(audience.members, by: \.address.description).map { member in
      let since = audience.sessions[member.address]?.since ?? client.visibleSince(member.address.account)
      return client.entry(member.address, member.why, since: since)
    }
  }
}

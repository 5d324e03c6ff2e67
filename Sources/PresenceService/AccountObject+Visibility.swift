// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import XMPP

// org.nightcloak.Presence1.Visibility

extension AccountObject: VisibilityServer {
  var mode: String { client.wanted.mode.rawValue }
  var contacts: [String] { client.wanted.contactTexts }
  var mechanism: String { client.mechanism.rawValue }
  var supported: [String] { client.supported.map(\.rawValue) }
  var degraded: [String] { client.degraded.map(\.rawValue) }
  var pending: Bool { client.isVisibilityPending }

  func setInvisible(caller: Caller) async throws { try await set(.invisible) }

  func setVisible(caller: Caller) async throws { try await set(.visible) }

  func hideFrom(contacts: [String], caller: Caller) async throws {
    let named = try single(contacts)
    guard !named.isEmpty else { return }
    try await changing { [client] in try await client.hideFrom(named.contacts.sorted(), groups: named.groups.sorted()) }
  }

  func showTo(contacts: [String], caller: Caller) async throws {
    let named = try single(contacts)
    guard !named.isEmpty else { return }
    try await changing { [client] in try await client.showTo(named.contacts.sorted(), groups: named.groups.sorted()) }
  }

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
      return [
        "Contact": member.address.account.text.value, "Jid": member.address.description.value,
        "Why": member.why.rawValue.value, "Since": client.microsecondsSinceEpoch(since).value,
      ]
    }
  }

  // MARK: -

  private func single(_ contacts: [String]) throws(AccountError) -> NamedContacts {
    let named = try NamedContacts(contacts, of: client.jid)
    try named.requireNoneWithheld()
    return named
  }

  private func set(_ wish: VisibilityWish, rebinds: Bool = false) async throws {
    try await changing { [client] in try await client.setVisibility(wish, rebinds: rebinds) }
  }

  /// Carries out a change, and answers in time. Also one that failed may have changed what is in force.
  func changing(_ work: @escaping @LoopActor @Sendable () async throws -> Void) async throws {
    defer { tellVisibility() }
    try await CallLimit.within(
      """
      The server has not confirmed it within \(CallLimit.answer.components.seconds) seconds. It is still being tried: \
      Pending tells how long, and CanSee who sees you meanwhile.
      """, work)
  }
}

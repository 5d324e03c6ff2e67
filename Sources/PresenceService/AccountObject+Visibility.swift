// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import XMPP

// org.nightcloak.Presence1.Visibility, in its smallest true form: all or nobody, by directed presence.

extension AccountObject: VisibilityServer {
  var mode: String { client.wanted.mode.rawValue }
  var contacts: [String] { [] }
  var mechanism: String { client.mechanism.rawValue }
  var supported: [String] { client.supported.map(\.rawValue) }
  /// What a hidden account does without; the interface description has each word's meaning.
  var degraded: [String] { client.degraded.map(\.rawValue) }
  var pending: Bool { client.isVisibilityPending }

  func setInvisible(caller: Caller) async throws { try await client.setVisibility(.invisible) }

  func setVisible(caller: Caller) async throws { try await client.setVisibility(.visible) }

  func hideFrom(contacts: [String], caller: Caller) async throws { throw notBuilt("HideFrom") }

  func showTo(contacts: [String], caller: Caller) async throws {
    throw DBusError(.notSupported, "ShowTo is not built yet; Decloak.Share shows you to somebody for a while.")
  }

  func setVisibility(mode: String, contacts: [String], options: [String: Value], caller: Caller) async throws {
    if mode == "except" || mode == "only" { throw notBuilt("Mode \"\(mode)\"") }
    let mode: Mode = try oneOf([.visible, .invisible], mode, "mode")
    guard contacts.isEmpty else {
      throw DBusError(
        .invalidArgs, "Mode \"\(mode.rawValue)\" takes no contacts: they belong to \"except\" and \"only\".")
    }
    let options = Options(options, in: "options of SetVisibility")
    try options.refuse("probe", "degraded", "rebind")
    try options.end(known: "")
    try await client.setVisibility(mode == .visible ? .visible : .invisible)
  }

  func canSee(jid: String, caller: Caller) async throws -> (sees: Bool, why: String) {
    let jid = try anyJID(jid, "jid")
    let audience = client.audience
    let why = jid.isBare ? audience.whyAnyResource(of: BareAddress(jid.bare)) : audience.why(Address(jid))
    return (why != nil, why?.rawValue ?? "")
  }

  func listAudience(options: [String: Value], caller: Caller) async throws -> [[String: Value]] {
    var options = Options(options, in: "options of ListAudience")
    let page = try Page(&options)
    try options.end(known: "after, limit")
    let audience = client.audience
    return page.cut(audience.members, by: \.address.description).map { member in
      let since = audience.sessions[member.address]?.since ?? client.visibleSince
      return [
        "Contact": member.address.account.text.value, "Jid": member.address.description.value,
        "Why": member.why.rawValue.value, "Since": client.microsecondsSinceEpoch(since).value,
      ]
    }
  }
}

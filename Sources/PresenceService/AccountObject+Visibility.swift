// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import XMPP

// org.nightcloak.Presence1.Visibility, in its smallest true form: all or nobody, by directed presence.

extension AccountObject: VisibilityServer {
  private static let directed = "directed"

  var mode: String { account.wantedMode.rawValue }
  var contacts: [String] { [] }
  var mechanism: String { isHidden ? Self.directed : "none" }
  var supported: [String] { account.status == .connected ? [Self.directed] : [] }
  /// What a hidden account does without: see COMPATIBILITY in nightcloakd(8).
  var degraded: [String] { isHidden ? ["no-contact-presence", "bare-messages-stored"] : [] }
  var pending: Bool { account.isModePending }

  private var isHidden: Bool { account.status == .connected && account.audience.mode == .invisible }

  func setInvisible(caller: Caller) async throws { try await account.setMode(.invisible) }

  func setVisible(caller: Caller) async throws { try await account.setMode(.visible) }

  func hideFrom(contacts: [String], caller: Caller) async throws { throw notBuilt("HideFrom") }

  func showTo(contacts: [String], caller: Caller) async throws {
    throw DBusError(.notSupported, "ShowTo is not built yet; Decloak.Share shows you to somebody for a while.")
  }

  func setVisibility(mode: String, contacts: [String], options: [String: Value], caller: Caller) async throws {
    if mode == "except" || mode == "only" { throw notBuilt("Mode \"\(mode)\"") }
    let mode: Mode = try oneOf([.visible, .invisible], mode, "mode")
    guard contacts.isEmpty else {
      throw DBusError(.invalidArgs, "Mode \"\(mode.rawValue)\" takes no contacts: they belong to \"except\" and \"only\".")
    }
    let options = Options(options, in: "options of SetVisibility")
    try options.refuse("probe", "degraded", "rebind")
    try options.end(known: "")
    try await account.setMode(mode)
  }

  func canSee(jid: String, caller: Caller) async throws -> (sees: Bool, why: String) {
    let jid = try anyJID(jid, "jid")
    let audience = account.audience
    let why = jid.isBare ? audience.whyAnyResource(of: BareAddress(jid.bare)) : audience.why(Address(jid))
    return (why != nil, why?.rawValue ?? "")
  }

  func listAudience(options: [String: Value], caller: Caller) async throws -> [[String: Value]] {
    var options = Options(options, in: "options of ListAudience")
    let page = try Page(&options)
    try options.end(known: "after, limit")
    let members = account.audience.members.map { member in
      (jid: member.address.description, contact: member.address.account.text, why: member.why,
        since: account.audience.sessions[member.address]?.since ?? account.visibleSince)
    }
    return page.cut(members, by: \.jid).map { member in
      [
        "Contact": member.contact.value, "Jid": member.jid.value, "Why": member.why.rawValue.value,
        "Since": account.microsecondsSinceEpoch(member.since).value,
      ]
    }
  }
}

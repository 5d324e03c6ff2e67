// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop

// org.nightcloak.Presence1.Visibility

extension ConnectionObject {
  var mode: String { client.wanted.mode.rawValue }
  var contacts: [String] { client.wanted.contactTexts }

  func setInvisible(caller: Caller) async throws { try await set(.invisible) }

  func setVisible(caller: Caller) async throws { try await set(.visible) }

  func hideFrom(contacts: [String], caller: Caller) async throws {
    let named = try single(contacts)
    if !named.isEmpty { try await hide(named) }
  }

  func showTo(contacts: [String], caller: Caller) async throws {
    let named = try single(contacts)
    if !named.isEmpty { try await show(named) }
  }

  private func single(_ contacts: [String]) throws(AccountError) -> NamedContacts {
    let named = try NamedContacts(contacts, of: client.jid)
    try named.requireNoneWithheld()
    return named
  }
}

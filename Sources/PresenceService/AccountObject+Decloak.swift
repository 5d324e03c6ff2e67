// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import Store
internal import XMPP

// org.nightcloak.Presence1.Decloak

extension AccountObject {
  var policy: String { client.decloak.policy.rawValue }
  var rules: [String: String] { client.decloak.rules.texts }
  var pendingRequests: UInt32 { UInt32(clamping: client.decloak.pending.count) }

  func subject(_ text: String) throws(AccountError) -> RuleSubject { try ruleSubject(text) }

  func listed(_ decision: StoredDecision) -> Entry { client.entry(decision) }

  func listRequests(caller: Caller) async throws -> [[String: Value]] {
    client.decloak.pendingRequests.map { client.entry($0) }
  }

  func requestDecloak(
    contact: String, reason: String, options: [String: Value], caller: Caller
  ) async throws -> (id: String, peers: [[String: Value]]) {
    let contact = try anyJID(contact, "contact").bare
    let reason = try Asking.reason(reason)
    var options = Options(options, in: "options of RequestDecloak")
    let asking = try Asking(&options)
    try options.end(known: Asking.known)
    let asked = try await client.requestDecloak(
      contact, reason: reason, wait: asking.wait, lifetime: asking.lifetime, reveal: asking.reveal)
    try await delivered()
    return (asked.id, asked.peers.map { client.entry($0) })
  }

  func share(contact: String, options: [String: Value], caller: Caller) async throws {
    let jid = try anyJID(contact, "contact")
    var options = Options(options, in: "options of Share")
    let showing = try Showing(&options)
    try options.end(known: Showing.known)
    try client.share(jid, full: showing.full, lifetime: showing.lifetime)
    try await delivered()
  }

  func upgrade(contact: String, options: [String: Value], caller: Caller) async throws {
    let contact = try anyJID(contact, "contact").bare
    var options = Options(options, in: "options of Upgrade")
    let reveal: Bool = try options.take("reveal") ?? false
    try options.end(known: "reveal")
    try await changing { [client] in
      try await client.upgrade(contact, reveal: reveal)
      try await client.delivered()
    }
  }

  func listSessions(caller: Caller) async throws -> [[String: Value]] {
    let shown = client.audience.sessions.values.sorted { $0.address < $1.address }
    let seen = client.decloak.peers.values.sorted { $0.address < $1.address }
    return shown.map { client.entry($0) } + seen.map { client.entry($0) }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import Gateway
internal import XMPP

// org.nightcloak.Presence1.Decloak

extension GatewayObject {
  var policy: String { client.gateway.policy.rawValue }
  var rules: [String: String] { client.gateway.rules.texts }
  var pendingRequests: UInt32 { UInt32(clamping: client.gateway.pendingCount) }

  func subject(_ text: String) throws(AccountError) -> RuleSubject { try ruleSubject(text, at: client.jid) }

  func listRequests(caller: Caller) async throws -> [[String: Value]] {
    client.gateway.pendingRequests.map { entry($0.request, $0.target) }
  }

  func requestDecloak(
    contact: String, reason: String, options: [String: Value], caller: Caller
  ) async throws -> (id: String, peers: [[String: Value]]) {
    let contact = try anyJID(contact, "contact").bare
    let reason = try Asking.reason(reason)
    var options = Options(options, in: "options of RequestDecloak at a gateway")
    let from = try from(&options)
    let asking = try Asking(&options)
    try options.end(known: "from, \(Asking.known)")
    let asked = try await client.requestDecloak(
      contact, from: from, reason: reason, wait: asking.wait, lifetime: asking.lifetime, reveal: asking.reveal)
    try await delivered()
    return (asked.id, asked.peers.map { client.entry($0).naming(BareAddress(from.bare), at: client) })
  }

  func share(contact: String, options: [String: Value], caller: Caller) async throws {
    let jid = try anyJID(contact, "contact")
    var options = Options(options, in: "options of Share at a gateway")
    let from = try from(&options)
    let showing = try Showing(&options)
    try options.end(known: "from, \(Showing.known)")
    try client.share(jid, from: from, full: showing.full, lifetime: showing.lifetime)
    try await delivered()
  }

  func upgrade(contact: String, options: [String: Value], caller: Caller) async throws {
    throw DBusError(
      .notSupported,
      "A gateway has no roster of its own, so no session can become a subscription. The contact may subscribe to the "
        + "address: rules, Policy or AuthorizeSubscription answer that.")
  }

  func listSessions(caller: Caller) async throws -> [[String: Value]] {
    try Page.requireRoom(
      for: client.gateway.sessionCount, "sessions",
      "Visibility.ListAudience has those who see the gateway page by page, with its options after and limit")
    let shown = client.gateway.sessions.sorted {
      ($0.session.address, $0.target) < ($1.session.address, $1.target)
    }
    let seen = client.gateway.peers.sorted { ($0.peer.address, $0.target) < ($1.peer.address, $1.target) }
    return shown.map { client.entry($0.session).naming($0.target, at: client) }
      + seen.map { client.entry($0.peer).naming($0.target, at: client) }
  }
}

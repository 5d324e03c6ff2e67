// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import XMPP

// org.nightcloak.Presence1.Decloak

extension AccountObject: DecloakServer {
  /// Milliseconds that RequestDecloak waits at most.
  private static let longestWait: UInt32 = 120_000

  var policy: String { client.decloak.policy.rawValue }
  var rules: [String: String] {
    let pairs = client.decloak.rules.all.map { ($0.key.description, $0.value.rawValue) }
    // A bare JID has no "@" at its beginning, so that no two subjects have one text.
    return Dictionary(pairs) { first, _ in first }
  }
  var pendingRequests: UInt32 { UInt32(clamping: client.decloak.pending.count) }

  func setPolicy(_ value: String, caller: Caller) async throws {
    try client.setPolicy(try oneOf([Decloak.Policy.off, .rules, .ask, .allow], value, "Policy"), by: caller.uid)
    try await settled()
  }

  func listRequests(caller: Caller) async throws -> [[String: Value]] {
    client.decloak.pendingRequests.map { client.entry($0) }
  }

  func approve(id: String, scope: String, options: [String: Value], caller: Caller) async throws {
    let scope = try oneOf(AnswerScope.allCases, scope, "scope")
    var options = Options(options, in: "options of Approve")
    let full: Bool = try options.take("full") ?? false
    let seconds = try lifetime(&options)
    try options.end(known: "full, lifetime")
    try client.approve(id, scope: scope, full: full, lifetime: seconds, by: caller.uid)
    try await settled()
  }

  func deny(id: String, scope: String, options: [String: Value], caller: Caller) async throws {
    let scope = try oneOf(AnswerScope.allCases, scope, "scope")
    try Options(options, in: "options of Deny").end(known: "")
    try client.deny(id, scope: scope, by: caller.uid)
    try await settled()
  }

  func setRule(subject: String, decision: String, caller: Caller) async throws {
    let subject = try ruleSubject(subject)
    let decision =
      decision.isEmpty ? nil : try oneOf(RuleDecision.allCases, decision, "decision (\"\" removes the rule)")
    try client.setRule(decision, for: subject, by: caller.uid)
    try await settled()
  }

  func requestDecloak(
    contact: String, reason: String, options: [String: Value], caller: Caller
  ) async throws -> (id: String, peers: [[String: Value]]) {
    let contact = try anyJID(contact, "contact").bare
    let reason = try oneOf([DecloakReason.media, .text, .file, .unstated], reason, "reason")
    var options = Options(options, in: "options of RequestDecloak")
    let wait: UInt32 = try options.take("wait") ?? 0
    let seconds = try lifetime(&options)
    let reveal: Bool = try options.take("reveal") ?? false
    try options.end(known: "wait, lifetime, reveal")
    guard wait <= Self.longestWait else {
      throw DBusError(.invalidArgs, "\"wait\" is \(wait) ms, but \(Self.longestWait) are the most.")
    }
    let asked = try await client.requestDecloak(
      contact, reason: reason, wait: .milliseconds(wait), lifetime: seconds, reveal: reveal)
    try await delivered()
    return (asked.id, asked.peers.map { client.entry($0) })
  }

  func share(contact: String, options: [String: Value], caller: Caller) async throws {
    let jid = try anyJID(contact, "contact")
    var options = Options(options, in: "options of Share")
    let full: Bool = try options.take("full") ?? false
    let seconds = try lifetime(&options)
    try options.end(known: "full, lifetime")
    try client.share(jid, full: full, lifetime: seconds)
    try await delivered()
  }

  func revoke(contact: String, caller: Caller) async throws -> UInt32 {
    let ended = client.revoke(contact.isEmpty ? nil : try anyJID(contact, "contact").bare)
    try await delivered()
    return UInt32(clamping: ended)
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

  func listDecisions(
    contact: String, since: UInt64, options: [String: Value], caller: Caller
  ) async throws -> [[String: Value]] {
    let contact = contact.isEmpty ? nil : try bareJID(contact, "contact")
    var options = Options(options, in: "options of ListDecisions")
    let page = try Page(&options)
    try options.end(known: "after, limit")
    return try client.decisions(of: contact, since: since, after: page.after, limit: page.limit).map {
      client.entry($0)
    }
  }

  func listSessions(caller: Caller) async throws -> [[String: Value]] {
    let shown = client.audience.sessions.values.sorted { $0.address < $1.address }
    let seen = client.decloak.peers.values.sorted { $0.address < $1.address }
    return shown.map { client.entry($0) } + seen.map { client.entry($0) }
  }

  /// Waits until what was decided is on the disk, and what it sends has left.
  private func settled() async throws {
    try await client.flushKept()
    try await delivered()
  }
}

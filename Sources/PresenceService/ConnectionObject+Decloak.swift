// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import Store
internal import XMPP

// org.nightcloak.Presence1.Decloak

extension ConnectionObject {
  func setPolicy(_ value: String, caller: Caller) async throws {
    try client.setPolicy(try oneOf([Decloak.Policy.off, .rules, .ask, .allow], value, "Policy"), by: caller.uid)
    try await settled()
  }

  func approve(id: String, scope: String, options: [String: Value], caller: Caller) async throws {
    let scope = try oneOf(AnswerScope.allCases, scope, "scope")
    var options = Options(options, in: "options of Approve")
    let showing = try Showing(&options)
    try options.end(known: Showing.known)
    try client.approve(id, scope: scope, full: showing.full, lifetime: showing.lifetime, by: caller.uid)
    try await settled()
  }

  func deny(id: String, scope: String, options: [String: Value], caller: Caller) async throws {
    let scope = try oneOf(AnswerScope.allCases, scope, "scope")
    try Options(options, in: "options of Deny").end(known: "")
    try client.deny(id, scope: scope, by: caller.uid)
    try await settled()
  }

  func setRule(subject text: String, decision: String, caller: Caller) async throws {
    let subject = try subject(text)
    let decision =
      decision.isEmpty ? nil : try oneOf(RuleDecision.allCases, decision, "decision (\"\" removes the rule)")
    try client.setRule(decision, for: subject, by: caller.uid)
    try await settled()
  }

  func revoke(contact: String, caller: Caller) async throws -> UInt32 {
    let ended = client.revoke(contact.isEmpty ? nil : try anyJID(contact, "contact").bare)
    try await delivered()
    return UInt32(clamping: ended)
  }

  func listDecisions(
    contact: String, since: UInt64, options: [String: Value], caller: Caller
  ) async throws -> [[String: Value]] {
    let contact = contact.isEmpty ? nil : try bareJID(contact, "contact")
    var options = Options(options, in: "options of ListDecisions")
    let page = try Page(&options)
    try options.end(known: "after, limit")
    return try client.decisions(of: contact, since: since, after: page.after, limit: page.limit).map(listed)
  }
}

extension DecloakRules {
  /// As `Decloak.Rules` has them.
  var texts: [String: String] {
    // A bare JID has no "@" or colon at its beginning, so that no two subjects have one text.
    Dictionary(all.map { ($0.key.description, $0.value.rawValue) }) { first, _ in first }
  }
}

/// How a session shows us, in the options of a call.
struct Showing {
  static let known = "full, lifetime"

  let full: Bool
  /// Seconds.
  let lifetime: UInt32?

  init(_ options: inout Options) throws(DBusError) {
    full = try options.take("full") ?? false
    lifetime = try PresenceService.lifetime(&options)
  }
}

/// How somebody is asked to decloak, in the options of a call.
struct Asking {
  static let known = "wait, lifetime, reveal"
  /// Milliseconds that RequestDecloak waits at most.
  private static let longestWait: UInt32 = 120_000

  let wait: Duration
  /// Seconds.
  let lifetime: UInt32?
  let reveal: Bool

  init(_ options: inout Options) throws(DBusError) {
    let wait: UInt32 = try options.take("wait") ?? 0
    lifetime = try PresenceService.lifetime(&options)
    reveal = try options.take("reveal") ?? false
    guard wait <= Self.longestWait else {
      throw DBusError(.invalidArgs, "\"wait\" is \(wait) ms, but \(Self.longestWait) are the most.")
    }
    self.wait = .milliseconds(wait)
  }

  /// What for.
  static func reason(_ text: String) throws(DBusError) -> DecloakReason {
    try oneOf([.media, .text, .file, .unstated], text, "reason")
  }
}

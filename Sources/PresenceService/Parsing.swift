// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import XMPP

// Strings at the edge, types inside: whatever comes from the bus is read here, and refused with a text that says
// what was wrong.

/// A bare JID.
func bareJID(_ text: String, _ what: String) throws(AccountError) -> BareJID {
  let jid = try anyJID(text, what)
  guard jid.isBare else {
    throw AccountError(
      .invalidJID, "\(what) must be a bare JID as juliet@example.org, without \"/\(jid.resource ?? "")\".")
  }
  return jid.bare
}

/// Bytes that a JID can have: three parts, and what stands between them (RFC 7622 §3).
private let longestJID = 3 * 1023 + 2

/// A bare or full JID.
func anyJID(_ text: String, _ what: String) throws(AccountError) -> JID {
  // To prepare megabytes takes a while, and everybody else would wait for it.
  guard text.utf8.count <= longestJID else {
    throw AccountError(
      .invalidJID,
      "\(what) \"\(text.prefix(100))…\" is no JID: it has \(text.utf8.count) bytes, but \(longestJID) are the most.")
  }
  do throws(JIDError) {
    return try JID(text)
  } catch {
    throw AccountError(.invalidJID, "\(what) \"\(text.prefix(100))\" is no JID: \(error).")
  }
}

/// What the subject of a rule about our own addresses begins with. No JID does: a colon cannot stand in front of an `@`,
/// nor in a domain.
private let targetMark = "to:"

/// Whom a rule is about: a bare JID, or `@domain`; at a gateway also `to:` and a pattern, which is about its own addresses.
/// - Parameter gateway: the gateway's domain; `nil` for a person's account.
func ruleSubject(_ text: String, at gateway: BareJID? = nil) throws(AccountError) -> RuleSubject {
  if text.hasPrefix(targetMark) { return .target(try targetPattern(text.dropFirst(targetMark.count), gateway)) }
  guard text.first == "@" else {
    let contact = try bareJID(text, "subject")
    try requireElsewhere(contact, gateway, text)
    return .contact(BareAddress(contact))
  }
  let domain = try bareJID(String(text.dropFirst()), "the domain in subject")
  guard domain.localpart == nil else {
    throw AccountError(
      .invalidJID,
      "subject \"\(text.prefix(100))\" must be a bare JID as juliet@example.org, or \"@\" and a domain as @example.org."
    )
  }
  // A rule that never speaks of anybody would be taken for one that does.
  guard !domain.description.contains("*") else {
    throw AccountError(
      .invalidJID,
      "subject \"\(text.prefix(100))\" is no domain: a rule is about exactly one, and knows no patterns. Policy is what "
        + "holds for everybody.")
  }
  try requireElsewhere(domain, gateway, text)
  return .domain(domain.description)
}

/// Refuses a rule about who asks that names a gateway's own addresses: none of them ever asks, and whoever makes it means
/// that nobody may see them.
private func requireElsewhere(_ jid: BareJID, _ gateway: BareJID?, _ text: String) throws(AccountError) {
  guard let gateway, jid.domain == gateway.domain else { return }
  let pattern = jid.localpart == nil ? "*@\(gateway)" : jid.description
  throw AccountError(
    .invalidArgument,
    "subject \"\(text.prefix(100))\" is about who asks, and that is never an address of this gateway itself: for a rule "
      + "about its addresses write \(targetMark)\(pattern).")
}

private func targetPattern(_ text: Substring, _ gateway: BareJID?) throws(AccountError) -> TargetPattern {
  let subject = "subject \"\(targetMark)\(text.prefix(100))\""
  guard let gateway else {
    throw AccountError(
      .invalidArgument,
      "\(subject) is about the addresses of a gateway, and this account has but one: name who asks, as "
        + "juliet@example.org or @example.org.")
  }
  let pattern: TargetPattern
  do throws(TargetPattern.Fault) {
    pattern = try TargetPattern(prepared(text))
  } catch {
    let reason =
      switch error {
      case .withoutDomain: "must end in the gateway's domain, as \(targetMark)*@\(gateway), or in \"*\""
      case .tooLong: "is too long for an address"
      case .noAddress: "is no address that a gateway can have, as \(targetMark)romeo%example.org@\(gateway)"
      }
    throw AccountError(.invalidArgument, "\(subject) \(reason).")
  }
  // It would hide every address there is, and show none.
  let pieces = pattern.text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
  if pieces.count > 1, let domain = pieces.last.map({ String(Substring($0)) }), !domain.contains("*"),
    domain != gateway.domain
  {
    throw AccountError(.invalidArgument, "\(subject) is about \(domain), but this gateway's domain is \(gateway).")
  }
  return pattern
}

/// Prepares the local part of a pattern as that of an address is (RFC 6122 §2.3): in another form it would never match, and
/// a no would hold for nobody. What no address may have, as the spaces in a number, is left to the pattern.
private func prepared(_ pattern: Substring) -> String {
  let end = pattern.utf8.lastIndex(of: UInt8(ascii: "@")) ?? pattern.endIndex
  let local = String(
    decoding: pattern.utf8[..<end].map { $0 == UInt8(ascii: "@") ? UInt8(ascii: "%") : $0 }, as: UTF8.self)
  return ((try? BareJID(localpart: local, domain: "x"))?.localpart ?? local) + pattern[end...]
}

/// One of the names of an enumeration.
func oneOf<Kind: RawRepresentable<String>>(
  _ kinds: [Kind], _ text: String, _ what: String
) throws(DBusError) -> Kind {
  if let kind = kinds.first(where: { $0.rawValue == text }) { return kind }
  let known = kinds.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
  throw DBusError(.invalidArgs, "\(what) is \"\(text.prefix(100))\", but must be one of \(known).")
}

/// A lifetime in seconds.
func lifetime(_ options: inout Options) throws(DBusError) -> UInt32? {
  let seconds: UInt32? = try options.take("lifetime")
  if seconds == 0 { throw DBusError(.invalidArgs, "\"lifetime\" must be at least one second.") }
  return seconds
}

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

/// A bare or full JID.
func anyJID(_ text: String, _ what: String) throws(AccountError) -> JID {
  do throws(JIDError) {
    return try JID(text)
  } catch {
    throw AccountError(.invalidJID, "\(what) \"\(text.prefix(100))\" is no JID: \(error).")
  }
}

/// Whom a rule is about: a bare JID, or `@domain`.
func ruleSubject(_ text: String) throws(AccountError) -> RuleSubject {
  guard text.first == "@" else { return .contact(BareAddress(try bareJID(text, "subject"))) }
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
  return .domain(domain.description)
}

/// One of the names of an enumeration.
func oneOf<Kind: RawRepresentable<String>>(
  _ kinds: [Kind], _ text: String, _ what: String
) throws(DBusError) -> Kind {
  if let kind = kinds.first(where: { $0.rawValue == text }) { return kind }
  let known = kinds.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
  throw DBusError(.invalidArgs, "\(what) is \"\(text)\", but must be one of \(known).")
}

/// A lifetime in seconds.
func lifetime(_ options: inout Options) throws(DBusError) -> UInt32? {
  let seconds: UInt32? = try options.take("lifetime")
  if seconds == 0 { throw DBusError(.invalidArgs, "\"lifetime\" must be at least one second.") }
  return seconds
}

// SPDX-License-Identifier: Apache-2.0

/// Whom a rule is about.
public enum RuleSubject: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// One contact, with all its resources.
  case contact(BareAddress)
  /// Everybody at one domain, its subdomains not included.
  case domain(String)
  /// Addresses of ours that are asked, at a gateway.
  case target(TargetPattern)

  /// As on the bus: a bare JID, `@domain`, or `to:` and a pattern.
  public var description: String {
    switch self {
    case .contact(let contact): contact.text
    case .domain(let domain): "@\(domain)"
    case .target(let pattern): "to:\(pattern.text)"
    }
  }

  /// The order of the texts.
  public static func < (left: RuleSubject, right: RuleSubject) -> Bool { left.description < right.description }
}

/// What a rule says about a request.
public enum RuleDecision: String, CaseIterable, Hashable, Sendable {
  /// Yes, unless we are invisible: then a person is asked.
  case allow
  /// No. The other side learns nothing.
  case deny
  /// A person is asked.
  case ask
}

/// How far an answer reaches.
public enum AnswerScope: String, CaseIterable, Hashable, Sendable {
  /// This request alone.
  case once
  /// All that the contact asks from now on.
  case contact
  /// All that anybody at the contact's domain asks from now on.
  case domain
}

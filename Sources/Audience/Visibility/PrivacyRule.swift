// SPDX-License-Identifier: Apache-2.0

/// One rule of a privacy list (XEP-0016 §2.1): whose stanzas of which kinds pass, or do not.
public struct PrivacyRule: Hashable, Sendable {
  /// The kinds of stanzas that a rule can speak of.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    /// Messages that come in.
    case message
    /// IQs that come in.
    case iq
    /// Presence of others.
    case presenceIn = "presence-in"
    /// Our presence to others.
    case presenceOut = "presence-out"
  }

  /// Of whom a rule can speak.
  public enum Subject: Hashable, Sendable {
    /// Everybody.
    case everybody
    /// An account, one of its resources, or a whole domain.
    case jid(Address)
    /// The members of a group of the roster.
    case group(String)
    /// Contacts with a subscription of this kind.
    case subscription(PrivacyContact.Subscription)
  }

  /// Whom it is about.
  public let subject: Subject
  /// What it is about.
  public let kinds: Set<Kind>
  /// Whether what it is about passes.
  public let allows: Bool

  /// A rule. One about no kind is about all of them, as one about all of them is (XEP-0016 §2.1).
  public init(_ subject: Subject, _ kinds: Set<Kind> = [], allows: Bool) {
    self.subject = subject
    self.kinds = kinds.isEmpty ? Set(Kind.allCases) : kinds
    self.allows = allows
  }

  /// Whether the rule decides about what is exchanged with `address`.
  /// - Parameter contact: what the roster says of the address.
  func applies(to kind: Kind, _ address: Address, _ contact: PrivacyContact) -> Bool {
    guard kinds.contains(kind) else { return false }
    return switch subject {
    case .everybody: true
    case .jid(let jid): jid == address || jid == .bare(address.account) || jid == .bare(address.account.server)
    case .group(let group): contact.groups.contains(group)
    case .subscription(let subscription): contact.subscription == subscription
    }
  }
}

/// What the roster says of somebody, as far as privacy lists ask.
public struct PrivacyContact: Hashable, Sendable {
  /// How presence flows between us and a contact (RFC 6121 §2.1.2.5).
  public enum Subscription: String, CaseIterable, Hashable, Sendable {
    case none, to, from, both
  }

  /// The groups that the contact is in.
  public let groups: Set<String>
  /// The subscription; none for whoever is not on the roster.
  public let subscription: Subscription

  /// Somebody; a stranger unless told otherwise.
  public init(groups: Set<String> = [], subscription: Subscription = .none) {
    self.groups = groups
    self.subscription = subscription
  }
}

extension BareAddress {
  /// The server of the account.
  fileprivate var server: BareAddress { BareAddress(String(domain)) }
}

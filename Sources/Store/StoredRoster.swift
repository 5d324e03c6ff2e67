// SPDX-License-Identifier: Apache-2.0

/// A roster as a server gave it, for asking what has changed since (RFC 6121 §2.6, XEP-0237).
public struct StoredRoster: Hashable, Sendable {
  /// Which state of the roster this is, in the server's words.
  public var version: String
  /// The contacts, in the order of their JIDs when they come out of the store.
  public var contacts: [StoredContact]

  /// Describes a roster.
  public init(version: String, contacts: [StoredContact]) {
    self.version = version
    self.contacts = contacts
  }
}

/// One item of a roster (RFC 6121 §2.1.2).
public struct StoredContact: Hashable, Sendable {
  /// Who, a prepared bare JID.
  public var jid: String
  /// What the person calls the contact; empty if nothing.
  public var name: String
  /// The groups in which the person put the contact.
  public var groups: [String]
  /// How presence flows, as the item says it: `none`, `to`, `from` or `both`.
  public var subscription: String
  /// Whether our own subscription request waits for an answer.
  public var isPending: Bool
  /// Whether the contact's subscription was approved before it was asked for.
  public var isApproved: Bool

  /// Describes a contact.
  public init(
    jid: String, name: String = "", groups: [String] = [], subscription: String = "none", isPending: Bool = false,
    isApproved: Bool = false
  ) {
    self.jid = jid
    self.name = name
    self.groups = groups
    self.subscription = subscription
    self.isPending = isPending
    self.isApproved = isApproved
  }
}

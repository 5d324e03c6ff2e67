// SPDX-License-Identifier: Apache-2.0

/// What somebody who asks us to decloak has in mind (XEP-0276 §6).
public enum DecloakReason: String, Hashable, Sendable {
  /// A voice or video call.
  case media
  /// A conversation that needs capabilities.
  case text
  /// A file transfer.
  case file
  /// Nothing was said.
  case unstated = ""
  /// Something that the specification does not know; its text is not passed on.
  case other

  /// Reads the attribute of the element; `nil` where it is absent.
  public init(attribute: String?) {
    switch attribute {
    case nil, "": self = .unstated
    case let text?:
      // "other" itself is none of the specification's values, so that nobody can tell what we made of it.
      self = DecloakReason(rawValue: text) ?? .other
    }
  }
}

/// A request to decloak as it arrived: one stanza, whichever dialects of the element it carries.
public struct ArrivedRequest: Hashable, Sendable {
  /// Who asks. A full JID, but for entities that have no resources.
  public var requester: Address
  /// What for.
  public var reason: DecloakReason
  /// The namespaces in which it was said.
  public var namespaces: [String]
  /// Whether the contact is on our roster, with whatever subscription.
  public var isInRoster: Bool

  /// Describes a request.
  public init(requester: Address, reason: DecloakReason, namespaces: [String], isInRoster: Bool) {
    self.requester = requester
    self.reason = reason
    self.namespaces = namespaces
    self.isInRoster = isInRoster
  }
}

/// A request to decloak that is kept: all that one contact's resources asked since it was first announced.
public struct DecloakRequest: Hashable, Sendable {
  /// Never reused, also across a restart.
  public let id: String
  /// Who asks.
  public let contact: BareAddress
  /// The addresses that asked and have not left, in the order in which they asked.
  public internal(set) var requesters: [Address]
  /// What for; of the first stanza.
  public let reason: DecloakReason
  /// The namespaces in which it was said.
  public internal(set) var namespaces: [String]
  /// When the first stanza came.
  public let receivedAt: Instant
  /// When silence becomes the answer.
  public let expiresAt: Instant
  /// How many stanzas there were.
  public internal(set) var count: UInt32 = 1
  /// Whether the contact is on our roster.
  public let isInRoster: Bool
  /// Whether the contact is subscribed to our presence, and we hide from it at present.
  public let isHiddenFrom: Bool
  /// Whether a rule or a policy answered without a person being asked this time.
  public let isAutomatic: Bool

  var reportedAt: Instant
  /// How often the contact was announced while its place was held, this time included.
  let announcements: Int
  var hasUnreportedChange = false

  /// When there is something to do about it next.
  var deadline: Instant {
    hasUnreportedChange ? min(expiresAt, reportedAt.later(bySeconds: Limits.changeInterval)) : expiresAt
  }
}

/// How a request ended.
public enum RequestOutcome: String, Hashable, Sendable {
  /// Somebody said yes.
  case approved
  /// Somebody said no.
  case denied
  /// Nobody said anything in time.
  case expired
  /// All who asked have left.
  case withdrawn
  /// The contact got to see us in another way.
  case superseded
  /// Our stream ended.
  case disconnected
}

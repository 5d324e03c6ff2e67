// SPDX-License-Identifier: Apache-2.0

/// A rule about who asks to see an account, as it is kept.
public struct StoredRule: Hashable, Sendable {
  /// How many are kept for one account.
  public static let most = 10_000

  /// Whom it is about: a bare JID, or `@domain`.
  public var subject: String
  /// "allow", "deny" or "ask".
  public var decision: String
  /// When it was made: microseconds since the epoch, UTC.
  public var madeAt: Int64
  /// The user who made it.
  public var madeBy: UInt32
  /// The call that made it: "SetRule", "Approve" or "Deny".
  public var madeWith: String

  /// Describes a rule.
  public init(subject: String, decision: String, madeAt: Int64, madeBy: UInt32, madeWith: String) {
    self.subject = subject
    self.decision = decision
    self.madeAt = madeAt
    self.madeBy = madeBy
    self.madeWith = madeWith
  }
}

/// What was asked of an account and how it was answered, as it is kept.
public struct StoredDecision: Hashable, Sendable {
  /// How many are kept for one account, the newest.
  public static let most = 1_000

  /// The request's id.
  public var id: String
  /// Who asked, a bare JID.
  public var contact: String
  /// The full JID that asked first.
  public var requester: String
  /// What for.
  public var reason: String
  /// When it was first asked, in microseconds since the epoch, UTC.
  public var receivedAt: Int64
  /// When it was decided, likewise.
  public var decidedAt: Int64
  /// What became of it, as in `RequestResolved`.
  public var outcome: String
  /// Who or what decided: "person", "policy", "nobody", or "rule:" and the subject of the rule.
  public var judge: String
  /// The user who decided, where it was a person.
  public var decidedBy: UInt32?
  /// How often it was asked, with what came afterwards in the silence.
  public var count: UInt32
  /// Whether the contact was on the roster.
  public var isInRoster: Bool

  /// Describes a decision.
  public init(
    id: String, contact: String, requester: String, reason: String, receivedAt: Int64, decidedAt: Int64,
    outcome: String, judge: String, decidedBy: UInt32?, count: UInt32, isInRoster: Bool
  ) {
    self.id = id
    self.contact = contact
    self.requester = requester
    self.reason = reason
    self.receivedAt = receivedAt
    self.decidedAt = decidedAt
    self.outcome = outcome
    self.judge = judge
    self.decidedBy = decidedBy
    self.count = count
    self.isInRoster = isInRoster
  }
}

// SPDX-License-Identifier: Apache-2.0

/// What was asked of us and how it was answered, as it is kept for a person who was not there.
public struct DecloakDecision: Hashable, Sendable {
  /// Who or what decided.
  public enum Judge: Hashable, Sendable {
    /// A person, by a call.
    case person
    /// A rule.
    case rule(RuleSubject)
    /// The policy.
    case policy
    /// Nobody: the time was over, the asker left, or we did.
    case nobody
  }

  /// The request as it was in the end.
  public let request: DecloakRequest
  /// What became of it.
  public let outcome: RequestOutcome
  /// Who or what decided.
  public let judge: Judge
}

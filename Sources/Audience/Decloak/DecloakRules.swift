// SPDX-License-Identifier: Apache-2.0

/// What people decided beforehand about who asks (XEP-0276 §8 lets a yes come from nothing else).
public struct DecloakRules: Hashable, Sendable {
  private var decisions: [RuleSubject: RuleDecision]
  /// Those about addresses of a gateway, which are found by other means.
  private(set) var targets = TargetRules()

  /// Takes rules that were kept.
  public init(_ decisions: [RuleSubject: RuleDecision] = [:]) {
    self.decisions = decisions
    for case (.target(let pattern), let decision) in decisions { targets.set(decision, for: pattern) }
  }

  /// All of them.
  public var all: [RuleSubject: RuleDecision] { decisions }

  /// How many there are.
  public var count: Int { decisions.count }

  /// The rule about exactly this subject.
  public subscript(subject: RuleSubject) -> RuleDecision? { decisions[subject] }

  /// What decides about a contact: its own rule if there is one, else that of its domain.
  public func rule(for contact: BareAddress) -> (subject: RuleSubject, decision: RuleDecision)? {
    for subject in [RuleSubject.contact(contact), .domain(String(contact.domain))] {
      if let decision = decisions[subject] { return (subject, decision) }
    }
    return nil
  }

  /// Sets a rule, or removes it.
  /// - Throws: ``DecloakError/limitExceeded(_:)``.
  public mutating func set(_ decision: RuleDecision?, for subject: RuleSubject) throws(DecloakError) {
    if decision != nil { try checkRoom(for: subject) }
    decisions[subject] = decision
    if case .target(let pattern) = subject { targets.set(decision, for: pattern) }
  }

  /// Whether there is room for a rule about a subject.
  /// - Throws: ``DecloakError/limitExceeded(_:)``.
  func checkRoom(for subject: RuleSubject) throws(DecloakError) {
    guard decisions[subject] != nil || decisions.count < Limits.rules else {
      throw .limitExceeded("rules (\(Limits.rules)): remove some with SetRule SUBJECT \"\", or make one for a domain")
    }
    guard decisions[subject] == nil, case .target(let pattern) = subject, !pattern.isExact else { return }
    guard targets.wildcardCount < Limits.targetWildcards else {
      throw .limitExceeded(
        "rules about addresses with \"*\" (\(Limits.targetWildcards)): remove some with SetRule SUBJECT \"\"")
    }
  }
}

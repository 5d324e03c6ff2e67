// SPDX-License-Identifier: Apache-2.0

/// A rule about addresses of a gateway.
struct TargetRule: Hashable, Sendable {
  let pattern: TargetPattern
  let decision: RuleDecision
}

/// What people decided beforehand about the addresses of a gateway: which may be seen at all.
struct TargetRules: Hashable, Sendable {
  /// What the rules say about an address.
  enum Verdict: Hashable, Sendable {
    /// There are none: the asker's rules and the policy decide.
    case open
    /// It must look like an address that does not exist.
    case hidden
    /// It may be seen, as one rule says.
    case shown(TargetRule)
  }

  private var exact: [String: TargetRule] = [:]
  private var wildcards: [TargetPattern: RuleDecision] = [:]

  /// Whether there are none.
  var isEmpty: Bool { exact.isEmpty && wildcards.isEmpty }
  /// How many patterns each unknown address has to be compared with.
  var wildcardCount: Int { wildcards.count }

  /// Sets a rule, or removes it.
  mutating func set(_ decision: RuleDecision?, for pattern: TargetPattern) {
    if pattern.isExact {
      exact[pattern.text] = decision.map { TargetRule(pattern: pattern, decision: $0) }
    } else {
      wildcards[pattern] = decision
    }
  }

  /// What the rules say about an address: the most particular of those that match it. Of two that are equally so, the
  /// one that shows less.
  func verdict(on canonical: String) -> Verdict {
    guard !isEmpty else { return .open }
    var best = exact[canonical]
    let bytes = Array(canonical.utf8)
    for (pattern, decision) in wildcards {
      let length = best?.pattern.literalLength ?? -1
      guard pattern.literalLength >= length, pattern.matches(bytes) else { continue }
      if pattern.literalLength > length || decision.caution > (best?.decision.caution ?? 0) {
        best = TargetRule(pattern: pattern, decision: decision)
      } else if decision == best?.decision, pattern.text < best?.pattern.text ?? "" {
        // One of two that say the same is named in the list of decisions: always the same one.
        best = TargetRule(pattern: pattern, decision: decision)
      }
    }
    guard let best, best.decision != .deny else { return .hidden }
    return .shown(best)
  }
}

extension RuleDecision {
  fileprivate var caution: Int {
    switch self {
    case .allow: 1
    case .ask: 2
    case .deny: 3
    }
  }
}

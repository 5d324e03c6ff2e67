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

  private var exact: [BareAddress: TargetRule] = [:]
  /// In the order in which they decide: the most particular first, and of those the one that shows least.
  private var wildcards: [TargetRule] = []

  /// Whether there are none.
  var isEmpty: Bool { exact.isEmpty && wildcards.isEmpty }
  /// How many patterns each unknown address has to be compared with.
  var wildcardCount: Int { wildcards.count }

  /// Sets a rule, or removes it.
  mutating func set(_ decision: RuleDecision?, for pattern: TargetPattern) {
    let rule = decision.map { TargetRule(pattern: pattern, decision: $0) }
    guard !pattern.isExact else {
      exact[BareAddress(pattern.text)] = rule
      return
    }
    wildcards.removeAll { $0.pattern == pattern }
    guard let rule else { return }
    wildcards.insert(rule, at: wildcards.firstIndex { rule.decides(before: $0) } ?? wildcards.endIndex)
  }

  /// What the rules say about an address: the most particular of those that match it. Of two that are equally so, the
  /// one that shows less.
  func verdict(on canonical: String) -> Verdict {
    guard !isEmpty else { return .open }
    let named = exact[BareAddress(canonical)]
    let least = named?.pattern.literalLength ?? 0
    let bytes = Array(canonical.utf8)
    let matching = wildcards.first { $0.pattern.literalLength >= least && $0.pattern.matches(bytes) }
    var best = named ?? matching
    if let named, let matching, matching.decision.caution > named.decision.caution { best = matching }
    guard let best, best.decision != .deny else { return .hidden }
    return .shown(best)
  }
}

extension TargetRule {
  /// Which of two rules decides where both speak of an address. Of two that say the same it is always the same one that is
  /// named in the list of decisions.
  fileprivate func decides(before other: TargetRule) -> Bool {
    let (mine, theirs) = (pattern.literalLength, other.pattern.literalLength)
    guard mine == theirs else { return mine > theirs }
    return decision == other.decision ? pattern.text < other.pattern.text : decision.caution > other.decision.caution
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

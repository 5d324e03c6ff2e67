// SPDX-License-Identifier: Apache-2.0

public import Audience
internal import EventLoop
internal import Store

// What a person decides about those who ask to see us (XEP-0276 §8). It is written down first: a yes that is forgotten with
// the program, or a no, would not be the person's any more.

extension Account {
  /// Says what becomes of requests that no rule speaks of.
  /// - Parameters:
  ///   - policy: from now on.
  ///   - uid: the user who says so; `nil` is the one whose account it is.
  /// - Throws: ``AccountError`` `storageFailed`; then nothing is changed, but that "off" holds until the program ends.
  public func setPolicy(_ policy: Decloak.Policy, by uid: UInt32? = nil) throws(AccountError) {
    let now = now
    do throws(AccountError) {
      try keeping(Act("Policy", uid)) { decloak, audience in
        decloak.setPolicy(policy, audience: &audience, now: now)
      }
    } catch {
      guard policy == .off, error.code == .storageFailed, unreadable == nil else { throw error }
      // A full disk keeps nobody from hiding.
      let isNew = decloak.policy != .off
      decide { decloak, audience in decloak.setPolicy(.off, audience: &audience, now: now) }
      isPolicyUnkept = true
      if isNew { onEvent(.policyChanged) }
      throw KeptWish.untilRestart(error)
    }
  }

  /// Decides beforehand about a contact or a domain, and answers what waits for it.
  /// - Parameters:
  ///   - decision: `nil` removes the rule.
  ///   - subject: whom it is about.
  ///   - uid: the user who says so; `nil` is the one whose account it is.
  /// - Throws: ``AccountError`` `storageFailed`, or `limitExceeded`; then nothing is changed.
  public func setRule(
    _ decision: RuleDecision?, for subject: RuleSubject, by uid: UInt32? = nil
  ) throws(AccountError) {
    // It sees itself anyway: such a rule would be one that is kept and never looked at.
    guard subject != .contact(audience.account) else { throw AccountError(DecloakError.ourselves) }
    let now = now
    try keeping(Act("SetRule", uid), subject) { decloak, audience throws(DecloakError) in
      try decloak.setRule(decision, for: subject, audience: &audience, now: now)
    }
  }

  /// Says yes to a request.
  /// - Parameters:
  ///   - id: the request's.
  ///   - scope: how far the answer reaches.
  ///   - full: whether show and status are sent too.
  ///   - lifetime: seconds that the session lasts; `nil` is one hour.
  ///   - uid: the user who says so; `nil` is the one whose account it is.
  /// - Throws: ``AccountError``; then nothing is sent and no rule is made.
  public func approve(
    _ id: String, scope: AnswerScope = .once, full: Bool, lifetime: UInt32?, by uid: UInt32? = nil
  ) throws(AccountError) {
    // An id that nobody can answer any more is told as such, connected or not.
    if decloak.pending.values.contains(where: { $0.id == id }) { try requireConnected() }
    let now = now
    try keeping(Act("Approve", uid), decloak.subject(of: id, scope)) { decloak, audience throws(DecloakError) in
      try decloak.approve(
        id, scope: scope, full: full, lifetime: lifetime ?? Limits.sessionLifetime, audience: &audience, now: now)
    }
  }

  /// Says no to a request. The other side learns nothing.
  /// - Parameters:
  ///   - id: the request's.
  ///   - scope: how far the answer reaches.
  ///   - uid: the user who says so; `nil` is the one whose account it is.
  /// - Throws: ``AccountError``; then it is not answered and no rule is made.
  public func deny(_ id: String, scope: AnswerScope = .once, by uid: UInt32? = nil) throws(AccountError) {
    let now = now
    try keeping(Act("Deny", uid), decloak.subject(of: id, scope)) { decloak, audience throws(DecloakError) in
      try decloak.deny(id, scope: scope, audience: &audience, now: now)
    }
  }

  // MARK: Written down, then done

  /// Who decides, and by which call.
  private struct Act {
    let call: String
    let uid: UInt32?

    init(_ call: String, _ uid: UInt32?) { (self.call, self.uid) = (call, uid) }
  }

  /// Takes a decision of a person's: on copies, so that all that comes of it can be written down before any of it is true.
  /// - Parameter subject: of the rule that it may make, change or remove.
  private func keeping(
    _ act: Act, _ subject: RuleSubject? = nil,
    _ event: (inout Decloak, inout Audience) throws(DecloakError) -> [DecloakEffect]
  ) throws(AccountError) {
    guard !isRetired else { throw AccountError(.cancelled, "The connection was removed meanwhile.") }
    if let unreadable { throw unreadable }
    var (after, seen) = (decloak, audience)
    let effects = try AccountError.deciding { () throws(DecloakError) in try event(&after, &seen) }
    let hasNewPolicy = after.policy != decloak.policy
    let changed = subject.flatMap { after.rules[$0] == decloak.rules[$0] ? nil : $0 }
    try disclosing(to: effects.compactMap(\.shownTo)) { () throws(AccountError) in
      try write(after, act, changed, effects)
      decide { decloak, audience in
        (decloak, audience) = (after, seen)
        return effects.filter { $0.decision == nil }
      }
    }
    if hasNewPolicy { onEvent(.policyChanged) }
    if changed != nil { onEvent(.rulesChanged) }
  }

  /// All of it or nothing: a rule without the answer that made it, or the other way round, was never said by anybody.
  private func write(
    _ after: Decloak, _ act: Act, _ changed: RuleSubject?, _ effects: [DecloakEffect]
  ) throws(AccountError) {
    let uid = act.uid ?? store.key.uid
    let isSame = after.policy == decloak.policy && !isPolicyUnkept
    let policy = isSame ? nil : after.policy
    let decisions = effects.compactMap(\.decision).map { stored($0, by: uid) }
    guard policy != nil || changed != nil || !decisions.isEmpty else { return }
    let madeAt = Int64(clamping: microsecondsSinceEpoch(now))
    try AccountError.storing { () throws(StoreError) in
      try store.together { () throws(StoreError) in
        if let policy { try store.setPolicy(policy.rawValue) }
        if let changed, let decision = after.rules[changed] {
          try store.setRule(
            StoredRule(
              subject: changed.description, decision: decision.rawValue, madeAt: madeAt, madeBy: uid,
              madeWith: act.call))
        } else if let changed {
          try store.removeRule(changed.description)
        }
        for decision in decisions { try store.addDecision(decision) }
      }
    }
    isPolicyUnkept = false
  }
}

extension DecloakEffect {
  /// Who gets to see us by it.
  package var shownTo: Address? {
    switch self {
    case .show(let address, _): address
    case .request(let contact, _): .bare(contact)
    default: nil
    }
  }

  package var decision: DecloakDecision? {
    if case .decided(let decision) = self { decision } else { nil }
  }
}

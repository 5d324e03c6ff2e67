// SPDX-License-Identifier: Apache-2.0

public import Account
public import Audience
internal import EventLoop
public import Store
public import XMPP

// What a person decides about those who ask to see us (XEP-0276 §8), or a program that acts for one. It is written down
// first: a yes that is forgotten with the program, or a no, would not be the person's any more.

extension GatewayAccount {
  /// Says what becomes of requests that no rule speaks of.
  /// - Parameters:
  ///   - policy: from now on.
  ///   - uid: the user who says so; `nil` is the one whose gateway it is.
  /// - Throws: ``AccountError`` `storageFailed`; then nothing is changed, but that "off" holds until the program ends.
  public func setPolicy(_ policy: Decloak.Policy, by uid: UInt32? = nil) throws(AccountError) {
    try checkWritable()
    guard policy != gateway.policy || isPolicyUnkept else { return }
    var unkept: AccountError?
    do throws(AccountError) {
      try AccountError.storing { () throws(StoreError) in try store.setPolicy(policy.rawValue) }
    } catch {
      // A full disk keeps nobody from hiding.
      guard policy == .off, error.code == .storageFailed else { throw error }
      unkept = KeptWish.untilRestart(error)
    }
    isPolicyUnkept = unkept != nil
    if policy != gateway.policy {
      let now = now
      decide { $0.setPolicy(policy, now: now) }
      onEvent(.policyChanged)
    }
    if let unkept { throw unkept }
  }

  /// Decides beforehand about a contact, a domain, or addresses of ours, and answers what waits for it.
  /// - Parameters:
  ///   - decision: `nil` removes the rule.
  ///   - subject: whom or what it is about.
  ///   - uid: the user who says so; `nil` is the one whose gateway it is.
  /// - Throws: ``AccountError`` `storageFailed`, or `limitExceeded`; then nothing is changed.
  public func setRule(
    _ decision: RuleDecision?, for subject: RuleSubject, by uid: UInt32? = nil
  ) throws(AccountError) {
    try checkWritable()
    // It sees itself anyway: such a rule would be one that is kept and never looked at.
    if case .contact(let contact) = subject, contact.domain == gateway.domain {
      throw AccountError(DecloakError.ourselves)
    }
    var rules = gateway.rules
    try AccountError.deciding { () throws(DecloakError) in try rules.set(decision, for: subject) }
    let isNew = gateway.rules[subject] != decision
    if isNew { try AccountError.storing { () throws(StoreError) in try write(decision, subject, "SetRule", uid) } }
    let now = now
    try AccountError.deciding { () throws(DecloakError) in
      _ = try decide { gateway throws(DecloakError) in try gateway.setRule(decision, for: subject, now: now) }
    }
    if isNew { onEvent(.rulesChanged) }
  }

  /// Says yes to a request.
  /// - Parameters:
  ///   - id: the request's.
  ///   - scope: how far the answer reaches: beyond this once it becomes a rule about the asker, for all our addresses.
  ///   - full: whether show and status are sent too.
  ///   - lifetime: seconds that the session lasts; `nil` is one hour.
  ///   - uid: the user who says so; `nil` is the one whose gateway it is.
  /// - Throws: ``AccountError``; then nothing is sent and no rule is made.
  public func approve(
    _ id: String, scope: AnswerScope = .once, full: Bool, lifetime: UInt32?, by uid: UInt32? = nil
  ) throws(AccountError) {
    let now = now
    try answer(id, Answer(.approved, .allow, scope, "Approve", uid)) { gateway throws(DecloakError) in
      try gateway.approve(id, scope: scope, full: full, lifetime: lifetime ?? Limits.sessionLifetime, now: now)
    }
  }

  /// Says no to a request. The other side learns nothing.
  /// - Parameters:
  ///   - id: the request's.
  ///   - scope: how far the answer reaches: beyond this once it becomes a rule about the asker, for all our addresses.
  ///   - uid: the user who says so; `nil` is the one whose gateway it is.
  /// - Throws: ``AccountError``; then it is not answered and no rule is made.
  public func deny(_ id: String, scope: AnswerScope = .once, by uid: UInt32? = nil) throws(AccountError) {
    let now = now
    try answer(id, Answer(.denied, .deny, scope, "Deny", uid)) { gateway throws(DecloakError) in
      try gateway.deny(id, scope: scope, now: now)
    }
  }

  /// What was asked and how it was answered, the newest first, with the repeats that have come since. Each has the address
  /// that was asked in `target`.
  /// - Parameters:
  ///   - contact: who asked; `nil` for everybody.
  ///   - since: when it was decided at the earliest, in microseconds since 1970-01-01 UTC.
  ///   - after: the id of the entry behind which the list goes on; `nil` begins with the newest.
  ///   - limit: how many at most.
  /// - Throws: ``AccountError`` `storageFailed`.
  public func decisions(
    of contact: BareJID?, since: UInt64, after: String?, limit: Int
  ) throws(AccountError) -> [StoredDecision] {
    // What was decided a moment ago may still wait for the end of the turn.
    doorkeeper.flush()
    var found = try AccountError.storing { () throws(StoreError) in
      try store.decisions(
        contact: contact?.description, since: Int64(clamping: since), after: after, limit: limit)
    }
    // What comes in the silence after a no is written down when the silence is over.
    for index in found.indices {
      found[index].count = max(found[index].count, gateway.count(of: found[index].id) ?? 0)
    }
    return found
  }

  // MARK: Written down, then done

  /// An answer, who gives it, and by which call.
  private struct Answer {
    let outcome: RequestOutcome
    let decision: RuleDecision
    let scope: AnswerScope
    let call: String
    let uid: UInt32?

    init(_ outcome: RequestOutcome, _ decision: RuleDecision, _ scope: AnswerScope, _ call: String, _ uid: UInt32?) {
      (self.outcome, self.decision, self.scope, self.call, self.uid) = (outcome, decision, scope, call, uid)
    }
  }

  /// All of it or nothing: a rule without the answer that made it, or the other way round, was never said by anybody. What
  /// else comes of the rule is written at the end of the turn, like all that nobody waits for.
  private func answer(
    _ id: String, _ answer: Answer, _ event: (inout Gateway) throws(DecloakError) -> [GatewayEffect]
  ) throws(AccountError) {
    try checkWritable()
    let now = now
    let decision: DecloakDecision?
    do throws(DecloakError) {
      decision = try gateway.decision(on: id, answer.outcome, scope: answer.scope, now: now)
    } catch {
      throw elsewhere(error) ?? AccountError(error)
    }
    // An id that nobody can answer any more is told as such, connected or not.
    if decision != nil, answer.outcome == .approved { try requireConnected() }
    let target = gateway.target(ofRequest: id)
    let subject = gateway.subject(of: id, answer.scope)
    let isNewRule = subject.map { gateway.rules[$0] != answer.decision } ?? false
    var shown: [Shown] = []
    if answer.outcome == .approved, let target, let decision {
      shown = decision.request.requesters.map { Shown(target: target, address: $0) }
    }
    try disclosing(
      shown,
      with: { () throws(StoreError) in
        if isNewRule, let subject { try write(answer.decision, subject, answer.call, answer.uid) }
        if let decision { try store.addDecision(stored(decision, target, by: answer.uid ?? store.key.uid)) }
      },
      { () throws(AccountError) in
        let effects = try AccountError.deciding { () throws(DecloakError) in try event(&doorkeeper.gateway) }
        carryOut(effects.filter { $0.decision?.request.id != id })
      })
    if isNewRule { onEvent(.rulesChanged) }
  }

  /// Where others serve the domain, too, a request may wait at one of them.
  private func elsewhere(_ error: DecloakError) -> AccountError? {
    guard configuration.component.isBalanced, case .noSuchRequest(let id) = error else { return nil }
    return AccountError(
      .noSuchRequest,
      "No request \"\(id)\" waits for an answer here: it has expired, was withdrawn, never was, or is at another program "
        + "that serves \(jid). ListRequests shows those that wait here.")
  }

  func checkWritable() throws(AccountError) {
    guard !isRetired else { throw AccountError(.cancelled, "The connection was removed meanwhile.") }
    if let unreadable { throw unreadable }
  }

  private func write(
    _ decision: RuleDecision?, _ subject: RuleSubject, _ call: String, _ uid: UInt32?
  ) throws(StoreError) {
    guard let decision else { return try store.removeRule(subject.description) }
    try store.setRule(
      StoredRule(
        subject: subject.description, decision: decision.rawValue,
        madeAt: Int64(clamping: microsecondsSinceEpoch(now)), madeBy: uid ?? store.key.uid, madeWith: call))
  }

  /// A decision as it is kept.
  func stored(_ decision: DecloakDecision, _ target: BareAddress?, by uid: UInt32?) -> StoredDecision {
    StoredDecision(
      decision, receivedAt: microsecondsSinceEpoch(decision.request.receivedAt),
      decidedAt: microsecondsSinceEpoch(now), by: uid, target: target)
  }
}

extension GatewayEffect {
  fileprivate var decision: DecloakDecision? {
    if case .decloak(_, let effect) = self { effect.decision } else { nil }
  }
}

// SPDX-License-Identifier: Apache-2.0

package import Audience
internal import EventLoop
public import Store
public import XMPP

// What was asked of us and how it was answered, for a person who was not there.

extension Account {
  /// What was asked and how it was answered, the newest first, with the repeats that have come since.
  /// - Parameters:
  ///   - contact: who asked; `nil` for everybody.
  ///   - since: when it was decided at the earliest, in microseconds since 1970-01-01 UTC.
  ///   - after: the id of the entry behind which the list goes on; `nil` begins with the newest.
  ///   - limit: how many at most.
  /// - Throws: ``AccountError`` `storageFailed`.
  public func decisions(
    of contact: BareJID?, since: UInt64, after: String?, limit: Int
  ) throws(AccountError) -> [StoredDecision] {
    var found = try AccountError.storing { () throws(StoreError) in
      try store.decisions(
        contact: contact?.description, since: Int64(clamping: since), after: after, limit: limit)
    }
    // What comes in the silence after a no is written down when the silence is over.
    for index in found.indices {
      found[index].count = max(found[index].count, decloak.count(of: found[index].id) ?? 0)
    }
    return found
  }

  /// Writes down what nobody waits for. That it cannot be is no reason to show ourselves, or not to.
  func record(_ decision: DecloakDecision) {
    let decision = stored(decision, by: nil)
    faults.attempt { () throws(StoreError) in try store.addDecision(decision) }
  }

  /// Writes down how often a request was repeated after it had been decided.
  func recount(_ id: String, _ count: UInt32) {
    faults.attempt { () throws(StoreError) in try store.recount(id: id, count: count) }
  }

  /// A decision as it is kept.
  /// - Parameter uid: the user who decided, where it was a person.
  func stored(_ decision: DecloakDecision, by uid: UInt32?) -> StoredDecision {
    StoredDecision(
      decision, receivedAt: microsecondsSinceEpoch(decision.request.receivedAt),
      decidedAt: microsecondsSinceEpoch(now), by: uid)
  }
}

extension StoredDecision {
  /// A decision as it is kept.
  /// - Parameters:
  ///   - uid: the user who decided, where it was a person.
  ///   - target: at a gateway, which of its addresses was asked.
  package init(
    _ decision: DecloakDecision, receivedAt: UInt64, decidedAt: UInt64, by uid: UInt32?, target: BareAddress? = nil
  ) {
    let request = decision.request
    self.init(
      id: request.id, contact: request.contact.text,
      requester: (request.requesters.first ?? .bare(request.contact)).description, reason: request.reason.rawValue,
      receivedAt: Int64(clamping: receivedAt), decidedAt: Int64(clamping: decidedAt),
      outcome: decision.outcome.rawValue, judge: decision.judge.kept,
      decidedBy: decision.judge == .person ? uid : nil, count: request.count, isInRoster: request.isInRoster,
      target: target?.text)
  }
}

extension StoredDecision {
  /// What decided: "person", "rule", "policy" or "nobody".
  public var kindOfJudge: String { rule == nil ? judge : "rule" }

  /// Whom the rule is about that decided, where it was one.
  public var rule: String? {
    judge.hasPrefix(DecloakDecision.Judge.rulePrefix)
      ? String(judge.dropFirst(DecloakDecision.Judge.rulePrefix.count)) : nil
  }
}

extension DecloakDecision.Judge {
  /// A server may well be called "nobody".
  fileprivate static let rulePrefix = "rule:"

  fileprivate var kept: String {
    switch self {
    case .person: "person"
    case .rule(let subject): Self.rulePrefix + subject.description
    case .policy: "policy"
    case .nobody: "nobody"
    }
  }
}

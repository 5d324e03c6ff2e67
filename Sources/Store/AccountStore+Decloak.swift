// SPDX-License-Identifier: Apache-2.0

// What people decided about who asks to see the account (XEP-0276), and what was asked.

extension AccountStore {
  // MARK: Policy and rules

  /// What becomes of requests that no rule speaks of; nil where nobody ever said.
  /// - Throws: ``StoreError``; then it is not known, and nothing but silence would be right.
  public func policy() throws(StoreError) -> String? {
    guard let id = try id() else { return nil }
    return try store.state.policy(id)
  }

  /// Keeps what becomes of requests that no rule speaks of.
  /// - Throws: ``StoreError``; then nothing is changed.
  public func setPolicy(_ policy: String) throws(StoreError) {
    guard try self.policy() != policy else { return }
    try store.state.setPolicy(policy, try begin())
    store.changed()
  }

  /// All rules, in the order of their subjects.
  /// - Throws: ``StoreError``; then they are not known, which is something else than that there are none.
  public func rules() throws(StoreError) -> [StoredRule] {
    guard let id = try id() else { return [] }
    return try store.state.rules(id)
  }

  /// Keeps a rule, in place of the one about the same subject. What it costs does not depend on how many there are.
  /// - Throws: ``StoreError``, `limit` when there are ``StoredRule/most`` about others; then nothing is changed.
  public func setRule(_ rule: StoredRule) throws(StoreError) {
    let id = try begin()
    let present: Int
    // Counted once, since that means looking at each.
    if let countOfRules { present = countOfRules } else { present = try store.state.countRules(id) }
    countOfRules = try store.state.setRule(rule, id, present: present)
    store.changed()
  }

  /// Keeps a rule no longer. To remove one that there is not changes nothing.
  /// - Throws: ``StoreError``; then nothing is changed.
  public func removeRule(_ subject: String) throws(StoreError) {
    guard let id = try id() else { return }
    let removed = try store.state.removeRule(subject, id)
    if let present = countOfRules { countOfRules = present - removed }
    if removed > 0 { store.changed() }
  }

  // MARK: Decisions

  /// Keeps what became of a request, and the newest ``StoredDecision/most`` of all that did. What it costs does not
  /// depend on how many there are.
  ///
  /// One with an id that is known takes the place of that one, in the order as well.
  /// - Throws: ``StoreError``; then nothing is changed.
  public func addDecision(_ decision: StoredDecision) throws(StoreError) {
    try store.state.addDecision(decision, try begin())
    store.changed()
  }

  /// Keeps how often a request came, with what came after it had been decided. One that is not kept any more is passed
  /// over.
  /// - Parameters:
  ///   - id: the request's.
  ///   - count: all of them, not those that were added.
  /// - Throws: ``StoreError``; then nothing is changed.
  public func recount(id request: String, count: UInt32) throws(StoreError) {
    guard let id = try id() else { return }
    if try store.state.recount(request, count, id) { store.changed() }
  }

  /// What was asked and how it was answered, the newest first: in the order in which it was decided, whatever the clock
  /// did meanwhile.
  ///
  /// Pages that follow one another by `after` miss nothing and repeat nothing, also when more is decided between them.
  /// - Parameters:
  ///   - contact: who asked, a bare JID; nil for everybody.
  ///   - since: what was decided before is left out: microseconds since the epoch, UTC.
  ///   - after: the id of the decision after which the list goes on; nil begins with the newest. After one that is not
  ///     kept any more there is nothing, since all that came before it is gone as well.
  ///   - limit: the most that is returned; below one nothing is.
  /// - Throws: ``StoreError``.
  public func decisions(
    contact: String?, since: Int64, after: String?, limit: Int
  ) throws(StoreError) -> [StoredDecision] {
    guard limit > 0, let id = try id() else { return [] }
    return try store.state.decisions(id, of: contact, since: since, after: after, limit: limit)
  }
}

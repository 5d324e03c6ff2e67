// SPDX-License-Identifier: Apache-2.0

// Who asked to see an account, and what was decided about those who ask.

extension StateDatabase {
  // MARK: Policy and rules

  func policy(_ id: Int64) throws(StoreError) -> String? {
    var policy: String?
    try database.query("SELECT policy FROM account WHERE id = ?", [.integer(id)]) { policy = $0.optionalText(0) }
    return policy
  }

  func setPolicy(_ policy: String, _ id: Int64) throws(StoreError) {
    try check([policy])
    try database.query("UPDATE account SET policy = ? WHERE id = ?", [.text(policy), .integer(id)])
  }

  func rules(_ id: Int64) throws(StoreError) -> [StoredRule] {
    var found: [StoredRule] = []
    try database.query(
      "SELECT subject, decision, made_at, made_by, made_with FROM rule WHERE account = ? ORDER BY subject",
      [.integer(id)]
    ) { row throws(StoreError) in
      found.append(
        StoredRule(
          subject: row.text(0), decision: row.text(1), madeAt: row.integer(2), madeBy: try unsigned(row, 3),
          madeWith: row.text(4)))
    }
    return found
  }

  func countRules(_ id: Int64) throws(StoreError) -> Int {
    var count: Int64 = 0
    try database.query("SELECT count(*) FROM rule WHERE account = ?", [.integer(id)]) { count = $0.integer(0) }
    return Int(count)
  }

  /// Writes a rule over the one about the same subject.
  /// - Parameter present: how many there are already.
  /// - Returns: how many there are then.
  func setRule(_ rule: StoredRule, _ id: Int64, present: Int) throws(StoreError) -> Int {
    try check([rule.subject, rule.decision, rule.madeWith])
    return try database.transaction { () throws(StoreError) in
      try database.query(
        """
        UPDATE rule SET decision = ?3, made_at = ?4, made_by = ?5, made_with = ?6 WHERE account = ?1 AND subject = ?2
        """, values(rule, id))
      if database.changes > 0 { return present }
      guard present < StoredRule.most else {
        throw StoreError(
          .limit, "\(StoredRule.most) rules are the most for one account: remove some, or make one for a whole domain.")
      }
      try database.query(
        "INSERT INTO rule (account, subject, decision, made_at, made_by, made_with) VALUES (?, ?, ?, ?, ?, ?)",
        values(rule, id))
      return present + 1
    }
  }

  /// - Returns: how many there were.
  func removeRule(_ subject: String, _ id: Int64) throws(StoreError) -> Int {
    try database.query("DELETE FROM rule WHERE account = ? AND subject = ?", [.integer(id), .text(subject)])
    return database.changes
  }

  private func values(_ rule: StoredRule, _ id: Int64) -> [Database.Value] {
    [
      .integer(id), .text(rule.subject), .text(rule.decision), .integer(rule.madeAt), .integer(Int64(rule.madeBy)),
      .text(rule.madeWith),
    ]
  }

  // MARK: Decisions

  /// Writes a decision, and removes the one that is too old with it. The serials of an account have no gaps, so that
  /// nobody needs to count.
  func addDecision(_ decision: StoredDecision, _ id: Int64) throws(StoreError) {
    try check([
      decision.id, decision.contact, decision.requester, decision.reason, decision.outcome, decision.judge,
      decision.target ?? "",
    ])
    try database.transaction { () throws(StoreError) in
      try database.query(
        """
        INSERT INTO decision (
          account, serial, id, contact, requester, reason, received_at, decided_at, outcome, judge, decided_by, count,
          in_roster, target)
        VALUES (
          ?1, (SELECT coalesce(max(serial), 0) + 1 FROM decision WHERE account = ?1),
          ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        ON CONFLICT (account, id) DO UPDATE SET
          contact = excluded.contact, requester = excluded.requester, reason = excluded.reason,
          received_at = excluded.received_at, decided_at = excluded.decided_at, outcome = excluded.outcome,
          judge = excluded.judge, decided_by = excluded.decided_by, count = excluded.count,
          in_roster = excluded.in_roster, target = excluded.target
        """, values(decision, id))
      try database.query(
        """
        DELETE FROM decision
        WHERE account = ?1 AND serial <= (SELECT max(serial) FROM decision WHERE account = ?1) - ?2
        """, [.integer(id), .integer(Int64(StoredDecision.most))])
    }
  }

  /// - Returns: whether it is kept.
  func recount(_ request: String, _ count: UInt32, _ id: Int64) throws(StoreError) -> Bool {
    try database.query(
      "UPDATE decision SET count = ? WHERE account = ? AND id = ?",
      [.integer(Int64(count)), .integer(id), .text(request)])
    return database.changes > 0
  }

  func decisions(
    _ id: Int64, of contact: String?, since: Int64, after: String?, limit: Int
  ) throws(StoreError) -> [StoredDecision] {
    var below = Int64.max
    if let after {
      below = 0
      try database.query(
        "SELECT serial FROM decision WHERE account = ? AND id = ?", [.integer(id), .text(after)]
      ) { below = $0.integer(0) }
    }
    var found: [StoredDecision] = []
    try database.query(
      """
      SELECT id, contact, requester, reason, received_at, decided_at, outcome, judge, decided_by, count, in_roster,
        target
      FROM decision
      WHERE account = ? AND serial < ? AND decided_at >= ? \(contact == nil ? "" : "AND contact = ?")
      ORDER BY serial DESC LIMIT ?
      """,
      [.integer(id), .integer(below), .integer(since)] + (contact.map { [.text($0)] } ?? []) + [.integer(Int64(limit))]
    ) { row throws(StoreError) in found.append(try decision(row)) }
    return found
  }

  private func decision(_ row: Database.Row) throws(StoreError) -> StoredDecision {
    StoredDecision(
      id: row.text(0), contact: row.text(1), requester: row.text(2), reason: row.text(3), receivedAt: row.integer(4),
      decidedAt: row.integer(5), outcome: row.text(6), judge: row.text(7),
      decidedBy: row.isNull(8) ? nil : try unsigned(row, 8), count: try unsigned(row, 9),
      isInRoster: row.integer(10) != 0, target: row.optionalText(11))
  }

  private func values(_ decision: StoredDecision, _ id: Int64) -> [Database.Value] {
    [
      .integer(id), .text(decision.id), .text(decision.contact), .text(decision.requester), .text(decision.reason),
      .integer(decision.receivedAt), .integer(decision.decidedAt), .text(decision.outcome), .text(decision.judge),
      decision.decidedBy.map { .integer(Int64($0)) } ?? .null, .integer(Int64(decision.count)),
      .truth(decision.isInRoster), decision.target.map { .text($0) } ?? .null,
    ]
  }

  /// A number as it was written; the file is ours, and yet others may have had it in their hands.
  private func unsigned(_ row: Database.Row, _ column: Int32) throws(StoreError) -> UInt32 {
    guard let number = UInt32(exactly: row.integer(column)) else {
      throw StoreError.broken(database.path, "a number in it is one that was never written")
    }
    return number
  }
}

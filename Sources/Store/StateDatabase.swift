// SPDX-License-Identifier: Apache-2.0

/// The small things that must not be lost, in `state.db`. Used on the loop: each call writes a few rows to the log of
/// the database, and waits for the disk only when the log begins anew (see ``StateLog``), for the few bytes of its header.
final class StateDatabase {
  static let schema = Schema(
    applicationID: 0x6e63_7331,  // "ncs1"
    steps: [
      [
        // The id is random: an id that was used before, in a copy of this file or before it was lost, might still have
        // a roster in the cache, and that would be another account's.
        """
        CREATE TABLE account (
          id INTEGER PRIMARY KEY,
          uid INTEGER NOT NULL,
          jid TEXT NOT NULL,
          protocol TEXT NOT NULL,
          used INTEGER NOT NULL,
          mechanism TEXT,
          UNIQUE (uid, jid, protocol)
        ) STRICT
        """,
        """
        CREATE TABLE disclosure (
          account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
          resource TEXT NOT NULL,
          jid TEXT NOT NULL,
          PRIMARY KEY (account, resource, jid)
        ) STRICT, WITHOUT ROWID
        """,
      ],
      [
        """
        CREATE TABLE visibility (
          account INTEGER PRIMARY KEY REFERENCES account ON DELETE CASCADE,
          shows_others INTEGER NOT NULL,
          probes INTEGER NOT NULL,
          accepts_less INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE exception (
          account INTEGER NOT NULL REFERENCES visibility ON DELETE CASCADE,
          kind TEXT NOT NULL,
          name TEXT NOT NULL,
          PRIMARY KEY (account, kind, name)
        ) STRICT, WITHOUT ROWID
        """,
      ],
      [
        "ALTER TABLE account ADD COLUMN policy TEXT",
        """
        CREATE TABLE rule (
          account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
          subject TEXT NOT NULL,
          decision TEXT NOT NULL,
          made_at INTEGER NOT NULL,
          made_by INTEGER NOT NULL,
          made_with TEXT NOT NULL,
          PRIMARY KEY (account, subject)
        ) STRICT, WITHOUT ROWID
        """,
        // The serial is the order in which they came: a clock may be set back.
        """
        CREATE TABLE decision (
          account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
          serial INTEGER NOT NULL,
          id TEXT NOT NULL,
          contact TEXT NOT NULL,
          requester TEXT NOT NULL,
          reason TEXT NOT NULL,
          received_at INTEGER NOT NULL,
          decided_at INTEGER NOT NULL,
          outcome TEXT NOT NULL,
          judge TEXT NOT NULL,
          decided_by INTEGER,
          count INTEGER NOT NULL,
          in_roster INTEGER NOT NULL,
          PRIMARY KEY (account, serial),
          UNIQUE (account, id)
        ) STRICT, WITHOUT ROWID
        """,
      ],
      [
        // Of gateways: which of the addresses was asked, and who is subscribed to which, or is to be told that it is so no
        // longer.
        "ALTER TABLE decision ADD COLUMN target TEXT",
        """
        CREATE TABLE subscription (
          account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
          contact TEXT NOT NULL,
          target TEXT NOT NULL,
          is_over INTEGER NOT NULL DEFAULT 0,
          PRIMARY KEY (account, contact, target)
        ) STRICT, WITHOUT ROWID
        """,
      ],
    ])

  /// How many accounts are kept for one user. Then the one that was not used for longest makes room.
  static let mostAccountsPerUID = 256
  /// How many disclosures are kept for one account: as many as a roster may have contacts.
  static let mostDisclosures = 100_000
  /// No JID is longer (RFC 7622 §3.1), and no resource or mechanism.
  static let mostTextBytes = 3_071

  let database: Database

  /// Pages in the log that are not known to be in the database yet.
  var pagesInLog: Int { Int(database.pagesInLog) }

  init(_ database: Database) { self.database = database }

  func close() { database.close() }

  // MARK: Accounts

  /// The id of an account; nil when nothing is kept of it.
  func account(_ key: AccountKey) throws(StoreError) -> Int64? {
    var id: Int64?
    try database.query("SELECT id FROM account WHERE uid = ? AND jid = ? AND protocol = ?", values(key)) {
      id = $0.integer(0)
    }
    return id
  }

  /// The ids of all accounts.
  func accounts() throws(StoreError) -> Set<Int64> {
    var ids: Set<Int64> = []
    try database.query("SELECT id FROM account") { ids.insert($0.integer(0)) }
    return ids
  }

  /// Begins to keep an account, or notes that it is used again.
  /// - Parameters:
  ///   - key: whose it is.
  ///   - spared: accounts that do not make room for it.
  /// - Returns: its id, and the ids of those that had to make room.
  func begin(
    _ key: AccountKey, sparing spared: Set<Int64>
  ) throws(StoreError) -> (id: Int64, forgotten: [Int64]) {
    try check([key.jid, key.protocol])
    return try database.transaction { () throws(StoreError) in
      let use = "(SELECT coalesce(max(used), 0) + 1 FROM account)"
      if let id = try account(key) {
        try database.query("UPDATE account SET used = \(use) WHERE id = ?", [.integer(id)])
        return (id, [])
      }
      let forgotten = try makeRoom(for: key.uid, sparing: spared)
      var id: Int64
      repeat { id = Int64.random(in: 1...Int64.max) } while try isTaken(id)
      try database.query(
        "INSERT INTO account (uid, jid, protocol, id, used) VALUES (?, ?, ?, ?, \(use))", values(key) + [.integer(id)])
      return (id, forgotten)
    }
  }

  private func isTaken(_ id: Int64) throws(StoreError) -> Bool {
    var found = false
    try database.query("SELECT 1 FROM account WHERE id = ?", [.integer(id)]) { _ in found = true }
    return found
  }

  /// Makes room for one more account of a user. Those go first who left nobody uninformed, hid from nobody and made no
  /// rule: who hid must not come back visible, and whom a rule kept out must not come in.
  private func makeRoom(for uid: UInt32, sparing spared: Set<Int64>) throws(StoreError) -> [Int64] {
    var known: [Int64] = []
    try database.query(
      """
      SELECT id FROM account WHERE uid = ?
      ORDER BY
        EXISTS (SELECT 1 FROM disclosure WHERE disclosure.account = account.id)
        OR EXISTS (SELECT 1 FROM visibility WHERE visibility.account = account.id AND NOT shows_others)
        OR EXISTS (SELECT 1 FROM exception WHERE exception.account = account.id)
        OR EXISTS (SELECT 1 FROM rule WHERE rule.account = account.id)
        OR EXISTS (SELECT 1 FROM subscription WHERE subscription.account = account.id),
        used
      """, [.integer(Int64(uid))]
    ) { known.append($0.integer(0)) }
    let surplus = known.count + 1 - Self.mostAccountsPerUID
    guard surplus > 0 else { return [] }
    let forgotten = known.filter { !spared.contains($0) }.prefix(surplus)
    for id in forgotten { try forget(id) }
    return Array(forgotten)
  }

  /// Keeps nothing more of an account.
  func forget(_ id: Int64) throws(StoreError) {
    try database.query("DELETE FROM account WHERE id = ?", [.integer(id)])
  }

  // MARK: Of one account

  func mechanism(_ id: Int64) throws(StoreError) -> String? {
    var name: String?
    try database.query("SELECT mechanism FROM account WHERE id = ?", [.integer(id)]) { name = $0.optionalText(0) }
    return name
  }

  func setMechanism(_ name: String?, _ id: Int64) throws(StoreError) {
    if let name { try check([name]) }
    try database.query(
      "UPDATE account SET mechanism = ? WHERE id = ?", [name.map { .text($0) } ?? .null, .integer(id)])
  }

  func disclosures(_ id: Int64) throws(StoreError) -> [Disclosure] {
    var found: [Disclosure] = []
    try database.query(
      "SELECT resource, jid FROM disclosure WHERE account = ? ORDER BY resource, jid", [.integer(id)]
    ) { found.append(Disclosure(resource: $0.text(0), jid: $0.text(1))) }
    return found
  }

  func countDisclosures(_ id: Int64) throws(StoreError) -> Int {
    var count: Int64 = 0
    try database.query("SELECT count(*) FROM disclosure WHERE account = ?", [.integer(id)]) { count = $0.integer(0) }
    return Int(count)
  }

  /// Adds disclosures, all of them or none.
  /// - Parameters:
  ///   - present: how many there are already.
  ///   - most: how many there may be.
  /// - Returns: how many were new.
  func addDisclosures(
    _ resource: String, _ jids: [String], _ id: Int64, present: Int, most: Int = mostDisclosures
  ) throws(StoreError) -> Int {
    try check([resource] + jids)
    return try database.transaction { () throws(StoreError) in
      var added = 0
      for jid in jids {
        try database.query(
          "INSERT INTO disclosure (account, resource, jid) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
          [.integer(id), .text(resource), .text(jid)])
        added += database.changes
        guard present + added <= most else {
          throw StoreError(
            .limit, "More than \(most) addresses cannot be shown one account: revoke some first.")
        }
      }
      return added
    }
  }

  /// Removes a disclosure, or with no JID all those of a resource.
  /// - Returns: how many there were.
  func removeDisclosures(_ resource: String, _ jid: String?, _ id: Int64) throws(StoreError) -> Int {
    let all = "DELETE FROM disclosure WHERE account = ? AND resource = ?"
    if let jid {
      try database.query("\(all) AND jid = ?", [.integer(id), .text(resource), .text(jid)])
    } else {
      try database.query(all, [.integer(id), .text(resource)])
    }
    return database.changes
  }

  // MARK: -

  private func values(_ key: AccountKey) -> [Database.Value] {
    [.integer(Int64(key.uid)), .text(key.jid), .text(key.protocol)]
  }

  func check(_ texts: [String]) throws(StoreError) {
    guard texts.allSatisfy({ $0.utf8.count <= Self.mostTextBytes }) else {
      throw StoreError(.limit, "A text of more than \(Self.mostTextBytes) bytes is no address and is not kept.")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

// The rosters, which a server has as well.

extension CacheDatabase {
  /// The most of one account: as many contacts as a roster may have, and texts of this many bytes.
  static let mostContacts = 100_000
  static let mostBytes = 64 << 20

  /// The roster of an account, nil where there is none.
  func roster(of account: Int64) throws(StoreError) -> StoredRoster? {
    try attempt { database throws(StoreError) in
      var version: String?
      var count = 0
      try database.query("SELECT version, contacts FROM roster WHERE account = ?", [.integer(account)]) {
        version = $0.text(0)
        count = Int($0.integer(1))
      }
      guard let version else { return nil }
      var contacts: [StoredContact] = []
      contacts.reserveCapacity(min(max(count, 0), Self.mostContacts))
      try database.query(
        """
        SELECT jid, name, groups, subscription, pending, approved FROM contact WHERE account = ? ORDER BY jid
        """, [.integer(account)]
      ) { row throws(StoreError) in
        guard let groups = Groups.decode(row.bytes(2)) else { throw inconsistent }
        contacts.append(
          StoredContact(
            jid: row.text(0), name: row.text(1), groups: groups, subscription: row.text(3),
            isPending: row.integer(4) != 0, isApproved: row.integer(5) != 0))
      }
      guard contacts.count == count else { throw inconsistent }
      return StoredRoster(version: version, contacts: contacts)
    }
  }

  private var inconsistent: StoreError {
    StoreError.broken(file?.file(name) ?? Database.inMemory, "a roster in it is not what was written")
  }

  /// Writes what changed of an account's roster: all of it, or nothing when it throws.
  func write(_ changes: RosterChanges, of account: Int64) throws(StoreError) {
    try attempt { database throws(StoreError) in
      try database.transaction { () throws(StoreError) in try write(changes, of: account, database) }
    }
  }

  private func write(_ new: RosterChanges, of account: Int64, _ database: Database) throws(StoreError) {
    var size: (contacts: Int64, bytes: Int64)?
    switch new.base {
    case .forgotten: return try forget(account, database)
    case .kept: size = try self.size(of: account, database)
    case .replaced(let contacts):
      guard contacts.count <= Self.mostContacts else { throw tooLarge }
      try forget(account, database)
      for contact in contacts { try put(contact, account, database) }
      // A server may have named a contact twice: what there is now counts.
      try database.query(
        "INSERT INTO roster SELECT ?1, '', count(*), coalesce(sum(bytes), 0) FROM contact WHERE account = ?1",
        [.integer(account)])
      size = try self.size(of: account, database)
    }
    guard var size else { return }
    for (jid, change) in new.changes {
      try database.query("SELECT bytes FROM contact WHERE account = ? AND jid = ?", [.integer(account), .text(jid)]) {
        size = (size.contacts - 1, size.bytes - $0.integer(0))
      }
      switch change {
      case .updated(let contact):
        size = (size.contacts + 1, size.bytes + Int64(contact.byteCount))
        try put(contact, account, database)
      case .removed:
        try database.query("DELETE FROM contact WHERE account = ? AND jid = ?", [.integer(account), .text(jid)])
      }
    }
    guard size.contacts <= Self.mostContacts, size.bytes <= Self.mostBytes else { throw tooLarge }
    try database.query(
      "UPDATE roster SET version = ?, contacts = ?, bytes = ? WHERE account = ?",
      [.text(new.version), .integer(size.contacts), .integer(size.bytes), .integer(account)])
  }

  private func size(of account: Int64, _ database: Database) throws(StoreError) -> (contacts: Int64, bytes: Int64)? {
    var size: (contacts: Int64, bytes: Int64)?
    try database.query("SELECT contacts, bytes FROM roster WHERE account = ?", [.integer(account)]) {
      size = ($0.integer(0), $0.integer(1))
    }
    return size
  }

  private func put(_ contact: StoredContact, _ account: Int64, _ database: Database) throws(StoreError) {
    try database.query(
      """
      INSERT OR REPLACE INTO contact (account, jid, name, groups, subscription, pending, approved, bytes)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .integer(account), .text(contact.jid), .text(contact.name), .bytes(Groups.encode(contact.groups)),
        .text(contact.subscription), .integer(contact.isPending ? 1 : 0), .integer(contact.isApproved ? 1 : 0),
        .integer(Int64(contact.byteCount)),
      ])
  }

  func forget(_ account: Int64, _ database: Database) throws(StoreError) {
    try database.query("DELETE FROM contact WHERE account = ?", [.integer(account)])
    try database.query("DELETE FROM roster WHERE account = ?", [.integer(account)])
  }

  private var tooLarge: StoreError {
    StoreError(
      .limit,
      """
      A roster of more than \(Self.mostContacts) contacts or \(Self.mostBytes >> 20) MiB is not kept: it is \
      transferred whole each time.
      """)
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The rosters, and what others' clients can do, in `cache.db`. Others have it all: the file may be removed at any time, and
/// one that is broken or of a newer version is thrown away.
///
/// Used off the loop. Sendable, because ``RosterQueue`` lets one job at a time use it.
final class RosterCache: @unchecked Sendable {
  static let schema = Schema(
    applicationID: 0x6e63_6331,  // "ncc1"
    steps: [
      [
        """
        CREATE TABLE roster (
          account INTEGER PRIMARY KEY,
          version TEXT NOT NULL,
          contacts INTEGER NOT NULL,
          bytes INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE contact (
          account INTEGER NOT NULL,
          jid TEXT NOT NULL,
          name TEXT NOT NULL,
          groups BLOB NOT NULL,
          subscription TEXT NOT NULL,
          pending INTEGER NOT NULL,
          approved INTEGER NOT NULL,
          bytes INTEGER NOT NULL,
          PRIMARY KEY (account, jid)
        ) STRICT, WITHOUT ROWID
        """,
      ],
      [
        """
        CREATE TABLE capabilities (
          algorithm TEXT NOT NULL,
          hash TEXT NOT NULL,
          info TEXT NOT NULL,
          used INTEGER NOT NULL,
          UNIQUE (algorithm, hash)
        ) STRICT
        """,
        "CREATE INDEX capabilities_by_use ON capabilities (used)",
      ],
    ])

  /// The most of one account: as many contacts as a roster may have, and texts of this many bytes.
  static let mostContacts = 100_000
  static let mostBytes = 64 << 20

  /// The file; nil if in memory.
  private let file: StoreDirectory?
  private let name = "cache.db"
  /// The accounts that there are. What is found of others when the file is opened goes: their end did not get this far.
  private let known: Set<Int64>
  private(set) var opened: Database?

  init(in directory: StoreDirectory?, known: Set<Int64>) {
    file = directory
    self.known = known
  }

  /// Opens the file, should it not be open.
  func open() -> Result<Void, StoreError> { Result { () throws(StoreError) in _ = try database() } }

  /// Closes the file. The next job opens it again.
  func close() {
    opened?.close()
    opened = nil
  }

  // MARK: The file

  /// The database, opened when first needed, and made anew when it is not one that we can use.
  private func database() throws(StoreError) -> Database {
    if let opened { return opened }
    do throws(StoreError) {
      return try openFile()
    } catch {
      guard Self.isWorthless(error) else { throw error }
      try throwAway()
      return try openFile()
    }
  }

  private func openFile() throws(StoreError) -> Database {
    try file?.prepare(name)
    let database = try Database(file?.file(name) ?? Database.inMemory, Self.schema, checkpointsItself: true)
    var strangers: [Int64] = []
    try database.query("SELECT account FROM roster") { row in
      if !known.contains(row.integer(0)) { strangers.append(row.integer(0)) }
    }
    for account in strangers { try forget(account, database) }
    opened = database
    return database
  }

  private static func isWorthless(_ error: StoreError) -> Bool { error.code == .broken || error.code == .tooNew }

  private func throwAway() throws(StoreError) {
    close()
    guard let file else { return }
    // The log first: left alone it would be taken for the new file's.
    for suffix in ["-wal", "-shm", "-journal", ""] {
      let path = file.file(name + suffix)
      guard unlink(path) == 0 || errno == ENOENT else { throw StoreError(errno, on: path, toDo: "removed") }
    }
  }

  /// Does `body`, and once more with a new file when the old one turns out to be broken.
  func attempt<Result>(_ body: (Database) throws(StoreError) -> Result) throws(StoreError) -> Result {
    do throws(StoreError) {
      return try body(try database())
    } catch {
      guard Self.isWorthless(error) else { throw error }
      try throwAway()
      return try body(try database())
    }
  }

  // MARK: Rosters

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

  private func forget(_ account: Int64, _ database: Database) throws(StoreError) {
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

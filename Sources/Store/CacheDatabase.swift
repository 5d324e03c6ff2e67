// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What others would tell again, in `cache.db`: the rosters, and what a hash of capabilities stands for. The file may be
/// removed at any time, and one that is broken or of a newer version is thrown away.
///
/// Used off the loop. Sendable, because ``CacheQueue`` lets one job at a time use it.
final class CacheDatabase: @unchecked Sendable {
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

  /// The file; nil if in memory.
  let file: StoreDirectory?
  let name = "cache.db"
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
}

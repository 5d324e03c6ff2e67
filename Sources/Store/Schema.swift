// SPDX-License-Identifier: Apache-2.0

/// What the tables of a database look like, and how they came to look like it.
struct Schema: Sendable {
  /// Tells our files, and each kind of them, from others' (SQLite's `application_id`).
  let applicationID: Int64
  /// Each step takes the tables from one version to the next, the first from nothing. A step that has been published
  /// is not changed any more.
  let steps: [[String]]

  /// The version that we write.
  var version: Int64 { Int64(steps.count) }

  /// Refuses a database that is not ours to change, having changed nothing.
  /// - Returns: the version it has, 0 for an empty one.
  /// - Throws: ``StoreError`` when it is too new, somebody else's, or broken.
  func check(_ database: Database) throws(StoreError) -> Int64 {
    let found = try number("PRAGMA user_version", database)
    let owner = try number("PRAGMA application_id", database)
    if found == 0, owner == 0, try number("SELECT count(*) FROM sqlite_schema", database) == 0 { return 0 }
    guard owner == applicationID, found > 0 else {
      throw StoreError.broken(database.path, "it was made by another program")
    }
    guard found <= version else {
      throw StoreError(
        .tooNew,
        """
        \(database.path) was written by a newer nightcloak (version \(found) of its tables; this one knows \
        \(version)): run the newer one, or give this one another state directory. Nothing was changed.
        """)
    }
    return found
  }

  /// Makes the tables what they are to be.
  /// - Parameter found: the version that ``check(_:)`` returned.
  func bring(_ database: Database, from found: Int64) throws(StoreError) {
    guard found < version else { return }
    try database.transaction { () throws(StoreError) in
      for step in steps.dropFirst(Int(found)) {
        for statement in step { try database.query(statement) }
      }
      try database.query("PRAGMA application_id = \(applicationID)")
      try database.query("PRAGMA user_version = \(version)")
    }
  }

  private func number(_ sql: String, _ database: Database) throws(StoreError) -> Int64 {
    var result: Int64 = 0
    try database.query(sql) { result = $0.integer(0) }
    return result
  }
}

extension Database {
  /// Opens a database of ours: a file that is there and may be empty, or one in memory.
  /// - Throws: ``StoreError``; what is not ours, or too new, is left as it was.
  convenience init(_ path: String, _ schema: Schema, checkpointsItself: Bool) throws(StoreError) {
    try self.init(path)
    let found = try schema.check(self)
    try startLog(checkpointsItself: checkpointsItself)
    try schema.bring(self, from: found)
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import CSQLite

/// One connection to a SQLite database.
///
/// Sendable, because it may move between threads as long as one at a time uses it: whoever owns it sees to that.
final class Database: @unchecked Sendable {
  /// A value that a statement is given.
  enum Value {
    case integer(Int64)
    case text(String)
    case bytes([UInt8])
    case null

    /// A truth, as one and zero.
    static func truth(_ value: Bool) -> Value { .integer(value ? 1 : 0) }
  }

  /// A row of a result, for as long as it is looked at.
  struct Row {
    fileprivate let statement: OpaquePointer?

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    func text(_ column: Int32) -> String {
      // The text first: asking for it may change how many bytes there are.
      guard let start = sqlite3_column_text(statement, column) else { return "" }
      let count = Int(sqlite3_column_bytes(statement, column))
      return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    func bytes(_ column: Int32) -> [UInt8] {
      let start = sqlite3_column_blob(statement, column)
      return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }
  }

  /// The place of a database that no file holds.
  static let inMemory = ":memory:"
  /// How long a statement waits for another program that looks into the file, in milliseconds. It may be the loop that
  /// waits.
  private static let patience: Int32 = 200

  let path: String
  var isInMemory: Bool { path == Self.inMemory }
  /// Pages in the log of a database with one, after the latest commit.
  private(set) var pagesInLog: Int32 = 0

  private var connection: OpaquePointer?
  private var statements: [String: OpaquePointer] = [:]

  /// Opens a file that is there, and changes nothing in it.
  init(_ path: String) throws(StoreError) {
    self.path = path
    // No mutex: one thread at a time is promised above.
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let result = sqlite3_open_v2(path, &connection, flags, nil)
    guard result == SQLITE_OK, sqlite_distrust_schema(connection) == SQLITE_OK else { throw error(result) }
    // Whoever finds out that the file is not for us must be able to close it as it was.
    sqlite_set_checkpoint_on_close(connection, 0)
    sqlite3_busy_timeout(connection, Self.patience)
  }

  deinit { close() }

  /// Ends the connection; afterwards every statement fails.
  func close() {
    for statement in statements.values { sqlite3_finalize(statement) }
    statements = [:]
    sqlite3_close(connection)
    connection = nil
  }

  /// From here on the log is written by us: closing writes it into the database and removes it.
  /// - Parameter checkpointsItself: whether a commit that makes the log long writes it into the database.
  /// - Throws: ``StoreError`` when the file system does not carry a log.
  func startLog(checkpointsItself: Bool) throws(StoreError) {
    // Deleted text is overwritten; the log of a large change is not kept at that size.
    try query("PRAGMA secure_delete = ON")
    try query("PRAGMA foreign_keys = ON")
    try query("PRAGMA synchronous = NORMAL")
    guard !isInMemory else { return }
    var mode = ""
    try query("PRAGMA journal_mode = WAL") { mode = $0.text(0) }
    guard mode == "wal" else {
      throw StoreError(
        .failed, "\(path) cannot have a write-ahead log: its file system shares no memory. Use another directory.")
    }
    try query("PRAGMA journal_size_limit = 4194304")
    sqlite_set_checkpoint_on_close(connection, 1)
    guard !checkpointsItself else { return }
    sqlite3_wal_hook(
      connection,
      { context, _, _, pages in
        guard let context else { return SQLITE_OK }
        Unmanaged<Database>.fromOpaque(context).takeUnretainedValue().pagesInLog = pages
        return SQLITE_OK
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  /// Writes as much of the log into the database as nobody stands in the way of, durably.
  func checkpoint() throws(StoreError) {
    guard connection != nil else { return }
    let result = sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
    guard result == SQLITE_OK || result & 0xff == SQLITE_BUSY else { throw error(result) }
  }

  // MARK: Statements

  /// Runs a statement, and gives `row` each row of its result.
  func query(
    _ sql: String, _ values: [Value] = [], each row: (Row) throws(StoreError) -> Void = { _ in }
  ) throws(StoreError) {
    let statement = try prepared(sql)
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    var index: Int32 = 0
    for value in values {
      index += 1
      let result = bind(value, to: statement, index)
      guard result == SQLITE_OK else { throw error(result) }
    }
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW: try row(Row(statement: statement))
      case SQLITE_DONE: return
      case let result: throw error(result)
      }
    }
  }

  /// How many rows the latest statement inserted, changed or deleted.
  var changes: Int { Int(sqlite3_changes64(connection)) }

  /// Does all of `body` or, where it throws, nothing of it. Within another one it is a part of that, which must not go on
  /// when it throws.
  func transaction<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
    if connection != nil, sqlite3_get_autocommit(connection) == 0 { return try body() }
    try query("BEGIN IMMEDIATE")
    do throws(StoreError) {
      let result = try body()
      try query("COMMIT")
      return result
    } catch {
      // Some failures have rolled back by themselves.
      if sqlite3_get_autocommit(connection) == 0 { try? query("ROLLBACK") }
      throw error
    }
  }

  private func prepared(_ sql: String) throws(StoreError) -> OpaquePointer {
    if let known = statements[sql] { return known }
    guard let connection else { throw StoreError(.closed, "\(path) has been closed.") }
    var made: OpaquePointer?
    let result = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
    guard result == SQLITE_OK, let made else { throw error(result) }
    statements[sql] = made
    return made
  }

  private func bind(_ value: Value, to statement: OpaquePointer, _ index: Int32) -> Int32 {
    switch value {
    case .null: return sqlite3_bind_null(statement, index)
    case .integer(let number): return sqlite3_bind_int64(statement, index, number)
    case .bytes(let bytes): return sqlite_bind_bytes(statement, index, bytes, UInt64(bytes.count))
    case .text(var text):
      return text.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) {
          sqlite_bind_text(statement, index, $0.baseAddress, UInt64($0.count))
        }
      }
    }
  }

  /// What SQLite's latest failure means for a person.
  private func error(_ result: Int32) -> StoreError {
    let detail = String(cString: connection == nil ? sqlite3_errstr(result) : sqlite3_errmsg(connection))
    return StoreError(result, sqlite3_system_errno(connection), of: path, detail)
  }
}

// SPDX-License-Identifier: Apache-2.0

public import EventLoop

/// What the daemon remembers from one run to the next.
///
/// Two databases in one directory: `state.db` has what must not be lost, is small, and is written before a call returns;
/// `cache.db` has what others would tell again, may be large, is written off the loop, and may be removed at any time.
@LoopActor
public final class Store {
  /// Where it is kept; nil if only in memory.
  public let directory: String?
  /// Called when something could not be kept that nobody waited for. Of a roster an older state is kept, or none.
  public var onFault: @LoopActor (StoreError) -> Void = { _ in }

  let state: StateDatabase
  let log: StateLog?
  let cache: CacheQueue

  private let files: StoreDirectory?
  private let placed: PlacedFiles?
  private var accounts: [AccountKey: Weak] = [:]
  /// How many keys are remembered, whether somebody has the account or not.
  var heldKeys: Int { accounts.count }
  private var mostAccounts = 64
  private var isClosed = false

  private struct Weak {
    weak var account: AccountStore?
  }

  /// What is opened off the loop. Sendable: it is handed over once, to the loop.
  private struct Opened: @unchecked Sendable {
    var state: StateDatabase
    var disk: StateFiles?
    var placed: PlacedFiles?
    var files: StoreDirectory?
    var known: Set<Int64>
  }

  private init(_ opened: Opened) {
    directory = opened.files?.path
    files = opened.files
    placed = opened.placed
    state = opened.state
    log = opened.disk.map { StateLog($0) }
    cache = CacheQueue(CacheDatabase(in: opened.files, known: opened.known))
    log?.onFault = { [weak self] in self?.onFault($0) }
    cache.onFault = { [weak self] in self?.onFault($0) }
  }

  // The database closes its log after this.
  deinit { files?.noteUse(false) }

  /// Opens what is kept in a directory, and makes it where there is none.
  /// - Parameter directory: its absolute path; nil keeps nothing beyond the life of the program.
  /// - Throws: ``StoreError`` when the directory cannot be used, another daemon uses it, or `state.db` is broken or too
  ///   new.
  public static func open(directory: String?) async throws(StoreError) -> Store {
    let store = Store(
      try await offLoop { Result { () throws(StoreError) in try open(directory) } }.get())
    store.cache.open()
    return store
  }

  private nonisolated static func open(_ path: String?) throws(StoreError) -> Opened {
    let schema = StateDatabase.schema
    guard let path else {
      let state = StateDatabase(try Database(Database.inMemory, schema, checkpointsItself: false))
      return Opened(state: state, known: [])
    }
    let files = try StoreDirectory(path)
    do throws(StoreError) {
      let name = "state.db"
      try files.checkWhatWasLeft([name, "\(name)-wal"])
      try files.prepare(name)
      let state = StateDatabase(try Database(files.file(name), schema, checkpointsItself: false))
      let known = try state.accounts()
      let disk = try StateFiles(files.file(name))
      // The tables, should they be new, and the names of the files.
      if let failure = disk.checkpoint() { throw failure }
      try files.sync()
      let placed = try PlacedFiles([files.file(name), files.file("\(name)-wal")])
      files.noteUse(true)
      return Opened(state: state, disk: disk, placed: placed, files: files, known: known)
    } catch {
      files.release()
      throw error
    }
  }

  /// What is kept of one account. Nothing is written by asking; the same key gives the same object for as long as
  /// somebody has it.
  public func account(_ key: AccountKey) -> AccountStore {
    if let known = accounts[key]?.account { return known }
    if accounts.count >= mostAccounts {
      accounts = accounts.filter { $0.value.account != nil }
      mostAccounts = 2 * accounts.count + 64
    }
    let made = AccountStore(key, self)
    accounts[key] = Weak(account: made)
    return made
  }

  /// Writes what is queued, makes everything durable, and lets another daemon have the directory. What is called later
  /// fails.
  public func close() async {
    guard !isClosed else { return }
    isClosed = true
    await cache.close()
    await log?.close()
    // The last connection writes the log into the database, which takes a disk's time.
    let rest = Opened(state: state, files: files, known: [])
    await offLoop {
      rest.files?.noteUse(false)
      rest.state.close()
      rest.files?.release()
    }
  }

  // MARK: For its accounts

  /// The id of an account; nil when nothing is kept of it.
  func id(of key: AccountKey) throws(StoreError) -> Int64? {
    try check()
    return try state.account(key)
  }

  /// Begins to keep an account, or notes that it is used again.
  func begin(_ key: AccountKey) throws(StoreError) -> Int64 {
    try checkForWriting()
    let used = Set(accounts.values.compactMap { $0.account?.knownID })
    let begun = try state.begin(key, sparing: used)
    changed()
    for id in begun.forgotten { cache.forget(id) }
    return begun.id
  }

  func check() throws(StoreError) {
    if isClosed { throw StoreError(.closed, "The store has been closed: the daemon is about to end.") }
  }

  /// Throws where what is written now would not be found again.
  func checkForWriting() throws(StoreError) {
    try check()
    try placed?.check()
  }

  func changed() { log?.changed(pages: state.pagesInLog) }
}

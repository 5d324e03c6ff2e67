// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// Lets the cache be used off the loop by one job at a time, in the order in which they were asked for.
@LoopActor
final class CacheQueue {
  /// Called when something that was queued could not be written.
  var onFault: @LoopActor (StoreError) -> Void = { _ in }

  let database: CacheDatabase
  private var waiting: [Int64: RosterChanges] = [:]
  /// What others can do that has yet to be written.
  var waitingCapabilities: [StoredCapabilities] = []
  /// Whether what waits will be written by a job that has not begun.
  private(set) var isWriterQueued = false
  private var latest: Task<Void, Never>?
  /// Accounts of whose changes one was not written. What is kept of them is true, but old, and further changes would
  /// not lead to any roster that there ever was, until somebody goes on from what is kept.
  private var missed: Set<Int64> = []

  init(_ database: CacheDatabase) { self.database = database }

  // MARK: Changes

  func replace(_ roster: StoredRoster, of account: Int64) {
    missed.remove(account)
    waiting[account, default: RosterChanges()].replace(roster)
    queueWriter()
  }

  func add(_ change: RosterChanges.Change, _ jid: String, version: String, of account: Int64) {
    guard !missed.contains(account) else { return }
    let fits = waiting[account, default: RosterChanges()].add(change, jid, version: version)
    if !fits {
      missed.insert(account)
      onFault(
        StoreError(
          .limit, "A roster changes faster than it can be written. It is not kept, and transferred whole the next time."
        ))
    }
    queueWriter()
  }

  func forget(_ account: Int64) {
    waiting[account, default: RosterChanges()].forget()
    queueWriter()
  }

  private func queueWriter() {
    guard !isWriterQueued else { return }
    isWriterQueued = true
    queue { [self] in
      isWriterQueued = false
      let batch = waiting
      waiting = [:]
      let failures = await offLoop { [database] in Self.write(batch, to: database) }
      for (account, failure) in failures { failed(account, failure) }
    }
  }

  private nonisolated static func write(_ batch: [Int64: RosterChanges], to database: CacheDatabase) -> [Int64:
    StoreError]
  {
    var failures: [Int64: StoreError] = [:]
    for (account, changes) in batch {
      do throws(StoreError) {
        try database.write(changes, of: account)
      } catch {
        failures[account] = error
      }
    }
    return failures
  }

  private func failed(_ account: Int64, _ failure: StoreError) {
    // What was queued meanwhile builds on what has failed, unless it begins anew.
    if case .kept? = waiting[account]?.base { waiting[account] = nil }
    if waiting[account] == nil { missed.insert(account) }
    onFault(failure)
  }

  // MARK: Reading, and the end

  /// Opens the file, which removes what belongs to no account any more.
  func open() {
    queue { [self] in
      if case .failure(let failure) = await offLoop({ [database] in database.open() }) { onFault(failure) }
    }
  }

  /// The roster of an account, with everything that was queued before.
  func roster(of account: Int64) async -> StoredRoster? {
    let answer = Answer<StoredRoster>()
    await queue { [self] in
      let outcome = await offLoop { [database] in
        Result { () throws(StoreError) in try database.roster(of: account) }
      }
      switch outcome {
      case .success(let found):
        answer.value = found
        missed.remove(account)
      case .failure(let failure): onFault(failure)
      }
    }.value
    return answer.value
  }

  /// Removes the roster of an account for good.
  /// - Throws: ``StoreError``; then it may still be there.
  func remove(_ account: Int64) async throws(StoreError) {
    waiting[account] = nil
    missed.remove(account)
    let failure = Answer<StoreError>()
    await queue { [self] in
      failure.value = await offLoop { [database] in
        var forgotten = RosterChanges()
        forgotten.forget()
        return Self.write([account: forgotten], to: database)[account]
      }
    }.value
    if let failure = failure.value { throw failure }
  }

  /// Returns when everything that was queued before is written.
  func settle() async { await latest?.value }

  /// Returns when everything is written and the file closed.
  func close() async {
    await queue { [self] in await offLoop { [database] in database.close() } }.value
  }

  @discardableResult
  func queue(_ job: @escaping @LoopActor @Sendable () async -> Void) -> Task<Void, Never> {
    let previous = latest
    let task = spawn {
      await previous?.value
      await job()
    }
    latest = task
    return task
  }

  /// What a job found.
  @LoopActor
  final class Answer<Value: Sendable> {
    var value: Value?
  }
}

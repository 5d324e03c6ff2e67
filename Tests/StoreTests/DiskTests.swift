// SPDX-License-Identifier: Apache-2.0

import CSQLite
import EventLoop
import Glibc
import Synchronization
import Testing

@testable import Store

/// A disk that a test controls, and that counts what it is asked for.
private final class FakeDisk: StateDisk {
  struct Counts {
    var syncs = 0
    var checkpoints = 0
    var failure: StoreError?
    var isClosed = false
  }
  let counts = Mutex(Counts())

  func sync() -> StoreError? {
    counts.withLock {
      $0.syncs += 1
      return $0.failure
    }
  }
  func checkpoint() -> StoreError? {
    counts.withLock {
      $0.checkpoints += 1
      return $0.failure
    }
  }
  func close() { counts.withLock { $0.isClosed = true } }
}

@Suite("The store and its disk")
struct DiskTests {
  init() { EventLoop.runInBackground() }

  // MARK: Durability

  @Test("What was written is made durable once, also when many wait for it; nothing new asks nothing of the disk")
  @LoopActor func flush() async throws {
    let disk = FakeDisk()
    let log = StateLog(disk)
    try await log.flush()
    #expect(disk.counts.withLock { $0.syncs } == 0)
    for _ in 0..<10 { log.changed(pages: 1) }
    let waiting = (0..<10).map { _ in spawn { try? await log.flush() } }
    for task in waiting { await task.value }
    #expect(disk.counts.withLock { $0.syncs } == 1)
    try await log.flush()
    #expect(disk.counts.withLock { $0.syncs } == 1)
    log.changed(pages: 1)
    // One that comes while another is at work is not content with that one, which may have begun before its change.
    let first = spawn { try? await log.flush() }
    let second = spawn {
      log.changed(pages: 1)
      try? await log.flush()
    }
    await first.value
    await second.value
    #expect(disk.counts.withLock { $0.syncs } == 3)
    await log.close()
    #expect(disk.counts.withLock { $0.isClosed })
  }

  @Test("A disk that failed once is not believed again")
  @LoopActor func failedSync() async throws {
    let disk = FakeDisk()
    let log = StateLog(disk)
    log.changed(pages: 1)
    disk.counts.withLock { $0.failure = StoreError(.failed, "no") }
    #expect(await failure { () async throws(StoreError) in try await log.flush() }?.message == "no")
    disk.counts.withLock { $0.failure = nil }
    log.changed(pages: 1)
    #expect(await failure { () async throws(StoreError) in try await log.flush() }?.message == "no")
  }

  @Test("A long log is written into the database; when that fails it is told, and tried again when it has grown")
  @LoopActor func checkpoints() async {
    let disk = FakeDisk()
    let log = StateLog(disk)
    var faults = 0
    log.onFault = { _ in faults += 1 }
    func checkpoints() -> Int { disk.counts.withLock { $0.checkpoints } }
    log.changed(pages: 999)
    await log.settle()
    #expect(checkpoints() == 0)
    disk.counts.withLock { $0.failure = StoreError(.full, "no room") }
    for _ in 0..<5 { log.changed(pages: 1_000) }
    await log.settle()
    #expect(checkpoints() == 1 && faults == 1)
    log.changed(pages: 1_999)
    await log.settle()
    #expect(checkpoints() == 1)
    disk.counts.withLock { $0.failure = nil }
    log.changed(pages: 2_000)
    await log.settle()
    #expect(checkpoints() == 2 && faults == 1)
    // It has begun anew.
    log.changed(pages: 1)
    log.changed(pages: 1_000)
    await log.settle()
    #expect(checkpoints() == 3)
  }

  @Test("The log of the state does not grow with what is written to it")
  @LoopActor func boundedLog() async throws {
    let home = try Home()
    let store = try await home.open()
    let account = store.account(juliet)
    for round in 0..<6_000 {
      try account.noteDisclosure(resource: "r", jid: "\(round % 50)@x")
      try account.removeDisclosure(resource: "r", jid: "\(round % 50)@x")
      if round % 100 == 0 { await store.log?.settle() }
    }
    let pages = (home.bytes("state.db-wal")?.count ?? 0) / 4_096
    #expect(pages < 2 * StateLog.mostPages, "\(pages) pages")
    #expect(pages > 0)
    try await account.flush()
    await store.close()
    #expect(home.bytes("state.db-wal") == nil)
  }

  // MARK: Failures

  @Test("A full disk is an error that says so; what was there stays, and is written to again when there is room")
  @LoopActor func full() async throws {
    let home = try Home()
    let store = try await home.open()
    let account = store.account(juliet)
    try account.noteDisclosure(resource: "r", jid: "first@x")
    try account.setLeastMechanism("PLAIN")
    try store.state.database.query("PRAGMA max_page_count = 1")  // as small as it is now
    var written = ["first@x"]
    var refused: StoreError?
    while refused == nil, written.count < 1_000 {
      let jid = "\(written.count)-\(String(repeating: "x", count: 900))"
      refused = await failure { () throws(StoreError) in try account.noteDisclosure(resource: "r", jid: jid) }
      if refused == nil { written.append(jid) }
    }
    #expect(refused?.code == .full)
    #expect(refused?.message.contains(home.file("state.db")) == true)
    #expect(
      await failure { () throws(StoreError) in
        try account.noteDisclosures(resource: "r", jids: (0..<50).map { "\($0)-\(String(repeating: "y", count: 900))" })
      }?.code == .full)
    #expect(try account.leastMechanism() == "PLAIN")
    #expect(try account.disclosures().map(\.jid) == written.sorted())
    try store.state.database.query("PRAGMA max_page_count = 1000000")
    try account.noteDisclosure(resource: "r", jid: "last@x")
    #expect(try account.disclosures().count == written.count + 1)
    await store.close()
    #expect(try await home.open().account(juliet).disclosures().count == written.count + 1)
  }

  @Test("A state that cannot be written to is an error that says so, and can still be read")
  @LoopActor func readOnly() async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(juliet)
    try account.setLeastMechanism("PLAIN")
    try store.state.database.query("PRAGMA query_only = ON")
    #expect(await failure { () throws(StoreError) in try account.setLeastMechanism("X") }?.code == .readOnly)
    #expect(
      await failure { () throws(StoreError) in try account.noteDisclosure(resource: "r", jid: "a") }?.code == .readOnly)
    #expect(await failure { () async throws(StoreError) in try await account.forget() }?.code == .readOnly)
    #expect(try account.leastMechanism() == "PLAIN")
    #expect(try account.disclosures() == [])
  }

  @Test(
    "What the system says about a failure decides what is said",
    arguments: [
      (ENOSPC, StoreError.Code.full), (EDQUOT, .full), (EROFS, .readOnly), (EIO, .failed),
    ])
  func systemErrors(system: Int32, code: StoreError.Code) {
    #expect(StoreError(SQLITE_IOERR, system, of: "/f", "disk I/O error").code == code)
    let error = StoreError(system, on: "/f", toDo: "written")
    #expect(error.code == code)
    #expect(error.message.contains("/f"))
  }

  /// Lets the file grow no further than this; with fewer pages than it has, not at all. No job may be at work.
  private func limit(_ cache: CacheDatabase, pages: Int) throws(StoreError) {
    try cache.opened?.query("PRAGMA max_page_count = \(pages)")
  }

  @Test("A roster for which there is no room is told of once, and what is kept is the last that was whole")
  @LoopActor func fullCache() async throws {
    let home = try Home()
    let cache = CacheDatabase(in: try StoreDirectory(home.path), known: [])
    let queue = CacheQueue(cache)
    var faults: [StoreError.Code] = []
    queue.onFault = { faults.append($0.code) }
    let small = StoredRoster(version: "1", contacts: [contact(1)])
    for account: Int64 in [1, 2] { queue.replace(small, of: account) }
    #expect(await queue.roster(of: 1) == small)
    try limit(cache, pages: 1)
    let large = (0..<1_000).map { contact($0) }
    for contact in large { queue.add(.updated(contact), contact.jid, version: "2", of: 1) }
    await queue.settle()
    try limit(cache, pages: 1_000_000)
    // There is room again, but a change was lost: another one on top would be wrong.
    queue.add(.updated(contact(7)), contact(7).jid, version: "3", of: 1)
    queue.add(.updated(contact(7)), contact(7).jid, version: "3", of: 2)
    #expect(await queue.roster(of: 1) == small)
    #expect(await queue.roster(of: 2)?.version == "3")
    #expect(faults == [.full])
    queue.replace(StoredRoster(version: "4", contacts: large), of: 1)
    queue.add(.removed, contact(0).jid, version: "5", of: 1)
    #expect(await queue.roster(of: 1) == StoredRoster(version: "5", contacts: Array(large.dropFirst())))
    await queue.close()
  }

  @Test("Changes that were queued while a write failed do not go on top of what was not written")
  @LoopActor func changesDuringFailure() async throws {
    let cache = CacheDatabase(in: nil, known: [])
    let queue = CacheQueue(cache)
    queue.replace(StoredRoster(version: "1", contacts: []), of: 1)
    await queue.settle()
    try limit(cache, pages: 1)
    for number in 0..<1_000 { queue.add(.updated(contact(number)), contact(number).jid, version: "2", of: 1) }
    queue.onFault = { _ in try? limit(cache, pages: 1_000_000) }
    while queue.isWriterQueued { await Task.yield() }
    queue.add(.updated(contact(7)), contact(7).jid, version: "3", of: 1)
    await queue.settle()
    #expect(await queue.roster(of: 1) == StoredRoster(version: "1", contacts: []))
  }
}

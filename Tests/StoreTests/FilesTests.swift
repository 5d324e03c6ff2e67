// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import Support
import Testing

@testable import Store

@Suite("The files of the store")
struct FilesTests {
  init() { EventLoop.runInBackground() }

  @LoopActor private func refusal(_ path: String) async -> StoreError? {
    await failure { () async throws(StoreError) in _ = try await Store.open(directory: path) }
  }

  /// A store with something in it, closed.
  @LoopActor private func filled(_ home: Home) async throws {
    let store = try await home.open()
    try store.account(juliet).setLeastMechanism("SCRAM-SHA-256")
    store.account(juliet).replaceRoster(StoredRoster(version: "1", contacts: [contact(1, name: "Benvolio")]))
    await store.close()
  }

  // MARK: The directory

  @Test("Directory and files are made with what leads to them, and are nobody else's to read")
  @LoopActor func permissions() async throws {
    let home = try Home()
    let path = home.temporary.file("a/b//state/")
    let store = try await Store.open(directory: path)
    try store.account(juliet).setLeastMechanism("PLAIN")
    store.account(juliet).replaceRoster(StoredRoster(version: "1", contacts: []))
    await store.cache.settle()
    func mode(_ name: String) -> UInt32 {
      var status = stat()
      return stat(home.temporary.file(name), &status) == 0 ? status.st_mode & 0o7777 : 0
    }
    for directory in ["a", "a/b", "a/b/state"] { #expect(mode(directory) == 0o700, "\(directory)") }
    for file in ["state.db", "state.db-wal", "state.db-shm", "cache.db", "cache.db-wal", "lock"] {
      #expect(mode("a/b/state/\(file)") == 0o600, "\(file)")
    }
  }

  @Test("A file that others could read is closed to them")
  @LoopActor func tightened() async throws {
    let home = try Home()
    try await filled(home)
    for name in ["state.db", "cache.db"] { chmod(home.file(name), 0o644) }
    let store = try await home.open()
    await store.cache.settle()
    for name in ["state.db", "cache.db"] { #expect(home.mode(name) & 0o777 == 0o600) }
  }

  @Test("A directory that cannot be used is refused by name, with the reason")
  @LoopActor func unusable() async throws {
    let home = try Home()
    mkdir(home.path, 0o700)
    try home.write("file", [])
    symlink("/nowhere/at/all", home.file("dangling"))
    mkdir(home.file("open"), 0o700)
    chmod(home.file("open"), 0o777)
    let cases = [
      ("state", "absolute"), ("", "absolute"), ("/proc/nightcloak/state", "/proc/nightcloak cannot be made"),
      (home.file("file"), "not a directory"), (home.file("file/state"), "cannot be made"),
      (home.file("dangling"), "cannot"), (home.file("open"), "chmod 700"),
    ]
    for (path, reason) in cases {
      let error = await refusal(path)
      #expect(error?.code == .directory, "\(path)")
      #expect(
        error?.message.contains(path) == true && error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }
    #expect(home.mode("open") & 0o777 == 0o777)
    #expect(home.mode("open/lock") == 0)
  }

  @Test("A directory of another user is refused, also to root")
  @LoopActor func foreign() async throws {
    let home = try Home()
    mkdir(home.path, 0o700)
    // Root can give a directory away, and whoever is not root finds /etc to be another's.
    let path = geteuid() == 0 && chown(home.path, 65_534, 65_534) == 0 ? home.path : "/etc"
    let error = await refusal(path)
    #expect(error?.code == .directory)
    #expect(error?.message.contains("\(path) cannot be used: it belongs to user") == true, "\(error?.message ?? "")")
  }

  @Test("A second daemon on one directory is refused with the name of both; after the first it may have it")
  @LoopActor func locked() async throws {
    let home = try Home()
    let first = try await home.open()
    let refused = await refusal(home.path)
    #expect(refused?.code == .inUse)
    #expect(refused?.message.contains("\(home.path) is used by another") == true, "\(refused?.message ?? "")")
    #expect(refused?.message.contains("process \(getpid())") == true, "\(refused?.message ?? "")")
    try first.account(juliet).setLeastMechanism("PLAIN")
    await first.close()
    #expect(try await home.open().account(juliet).leastMechanism() == "PLAIN")
  }

  @Test("Links and directories in place of the files are not followed and not written to")
  @LoopActor func links() async throws {
    for name in ["state.db", "lock"] {
      let home = try Home()
      mkdir(home.path, 0o700)
      symlink(home.temporary.file("elsewhere"), home.file(name))
      #expect(await refusal(home.path)?.message.contains(home.file(name)) == true)
      unlink(home.file(name))
      mkfifo(home.file(name), 0o600)
      #expect(await refusal(home.path)?.message.contains(home.file(name)) == true)
      unlink(home.file(name))
      #expect(await refusal(home.path) == nil)
      var status = stat()
      #expect(lstat(home.temporary.file("elsewhere"), &status) != 0)
    }
  }

  // MARK: Versions

  private static let next = Schema(
    applicationID: StateDatabase.schema.applicationID,
    steps: StateDatabase.schema.steps + [
      [
        "ALTER TABLE account ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'",
        "CREATE INDEX by_colour ON account (colour)",
      ]
    ])

  @Test("A database of an older version is brought up to date, with what is in it")
  @LoopActor func migration() async throws {
    let home = try Home()
    try await filled(home)
    let database = try Database(home.file("state.db"), Self.next, checkpointsItself: false)
    var found: [String] = []
    try database.query("SELECT mechanism, colour FROM account") { found = [$0.text(0), $0.text(1)] }
    #expect(found == ["SCRAM-SHA-256", "blue"])
  }

  @Test("A migration that fails leaves the old version")
  @LoopActor func failedMigration() async throws {
    let home = try Home()
    try await filled(home)
    let broken = Schema(
      applicationID: Self.next.applicationID, steps: Self.next.steps + [["CREATE TABLE more (x)", "NO SQL"]])
    #expect(
      await failure { () throws(StoreError) in
        _ = try Database(home.file("state.db"), broken, checkpointsItself: false)
      } != nil)
    #expect(try await home.open().account(juliet).leastMechanism() == "SCRAM-SHA-256")
  }

  @Test("A database of a newer version is refused and stays as it was, to the byte", arguments: [true, false])
  @LoopActor func tooNew(closedCleanly: Bool) async throws {
    let home = try Home()
    try await filled(home)
    let database = try Database(home.file("state.db"), Self.next, checkpointsItself: false)
    try database.query("UPDATE account SET colour = 'red'")
    if closedCleanly { database.close() }
    // As a crash would leave it: the newer tables are in the log alone.
    let files = ["state.db", "state.db-wal", "cache.db"].map { home.bytes($0) }
    #expect((files[1] == nil) == closedCleanly)
    let other = try Home()
    mkdir(other.path, 0o700)
    for (name, bytes) in zip(["state.db", "state.db-wal", "cache.db"], files) {
      if let bytes { try other.write(name, bytes) }
    }

    let refused = await refusal(other.path)
    #expect(refused?.code == .tooNew)
    #expect(refused?.message.contains("\(other.file("state.db")) was written by a newer nightcloak") == true)
    // SQLite makes an empty log to look into it. As a Bool: nobody wants to read the bytes of a failure.
    let isUntouched = ["state.db", "state.db-wal", "cache.db"].map { other.bytes($0) ?? [] } == files.map { $0 ?? [] }
    #expect(isUntouched)
    // And it is not locked for the newer one.
    let again = try Database(other.file("state.db"), Self.next, checkpointsItself: false)
    var colour = ""
    try again.query("SELECT colour FROM account") { colour = $0.text(0) }
    #expect(colour == "red")
  }

  @Test("A newer cache is thrown away: there is nothing in it that a server would not tell again")
  @LoopActor func newerCache() async throws {
    let home = try Home()
    try await filled(home)
    let next = Schema(
      applicationID: CacheDatabase.schema.applicationID, steps: CacheDatabase.schema.steps + [["CREATE TABLE more (x)"]]
    )
    try Database(home.file("cache.db"), next, checkpointsItself: true).close()
    let store = try await home.open()
    #expect(await store.account(juliet).roster() == nil)
    store.account(juliet).replaceRoster(StoredRoster(version: "2", contacts: []))
    #expect(await store.account(juliet).roster()?.version == "2")
    #expect(try store.account(juliet).leastMechanism() == "SCRAM-SHA-256")
  }

  // MARK: Broken files

  @Test("A state that is broken or somebody else's is refused by name, and left alone")
  @LoopActor func brokenState() async throws {
    let home = try Home()
    try await filled(home)
    let good = try #require(home.bytes("state.db"))
    let foreign = try Home()
    mkdir(foreign.path, 0o700)
    try foreign.write("state.db", [])
    let database = try Database(foreign.file("state.db"))
    try database.query("CREATE TABLE theirs (x)")
    database.close()
    let theirs = try #require(foreign.bytes("state.db"))
    for bytes in [Array("not a database, and long enough to be looked at\n".utf8), Array(good.prefix(100)), theirs] {
      try home.write("state.db", bytes)
      let refused = await refusal(home.path)
      #expect(refused?.code == .broken)
      #expect(refused?.message.contains(home.file("state.db")) == true)
      let isUntouched = home.bytes("state.db") == bytes
      #expect(isUntouched)
    }
    try home.write("state.db", good)
    #expect(try await home.open().account(juliet).leastMechanism() == "SCRAM-SHA-256")
  }

  @Test("A cache that is broken anywhere is made anew, and whoever reads it gets nothing or what was written")
  @LoopActor func brokenCache() async throws {
    let home = try Home()
    let roster = StoredRoster(version: "1", contacts: (0..<300).map { contact($0, name: "name \($0)") })
    let store = try await home.open()
    store.account(juliet).replaceRoster(roster)
    await store.close()
    let good = try #require(home.bytes("cache.db"))
    var random = Seeded(state: 1)
    var lost = 0
    for round in 0..<24 {
      var bytes = good
      switch round % 4 {
      case 0: bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random))
      case 1: for index in 0..<100 { bytes[index] = UInt8.random(in: .min ... .max, using: &random) }
      default:
        // A page of garbage: a single bit of a name would be a name.
        let page = Int.random(in: 1..<(bytes.count / 4_096), using: &random) * 4_096
        for index in page..<(page + 4_096) { bytes[index] = UInt8.random(in: .min ... .max, using: &random) }
      }
      try home.write("cache.db", bytes)
      if round % 3 == 0 { try home.write("cache.db-wal", Array(bytes.prefix(5_000))) }
      let store = try await home.open()
      let account = store.account(juliet)
      let found = await account.roster()
      #expect(found == nil || found == roster)
      if found == nil { lost += 1 }
      account.updateRoster(version: "2", contact: contact(1))
      let after = await account.roster()
      #expect(after == nil || after?.version == "2" && after?.contacts.count == 300)
      account.replaceRoster(roster)
      #expect(await account.roster() == roster)
      await store.close()
      let again = try await home.open()
      #expect(await again.account(juliet).roster() == roster)
      await again.close()
    }
    #expect(lost > 12)
  }

  @Test("A cache that was removed while nobody looked is empty")
  @LoopActor func removedCache() async throws {
    let home = try Home()
    try await filled(home)
    unlink(home.file("cache.db"))
    #expect(try await home.open().account(juliet).roster() == nil)
  }

  @Test("A cache for which there can be no file is told of, and the state goes on")
  @LoopActor func impossibleCache() async throws {
    let home = try Home()
    mkdir(home.path, 0o700)
    mkdir(home.file("cache.db"), 0o700)
    let store = try await home.open()
    var faults: [StoreError] = []
    store.onFault = { faults.append($0) }
    try store.account(juliet).setLeastMechanism("PLAIN")
    store.account(juliet).replaceRoster(StoredRoster(version: "1", contacts: []))
    #expect(await store.account(juliet).roster() == nil)
    #expect(faults.count == 3 && faults.allSatisfy { $0.message.contains(home.file("cache.db")) }, "\(faults)")
  }
}

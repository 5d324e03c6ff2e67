// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import Support
import Testing

@testable import Store

/// A child process does the dying.
@Suite("A sudden end", .timeLimit(.minutes(2)))
struct CrashTests {
  init() { EventLoop.runInBackground() }

  /// What the roster of a version is in these tests: the changes up to it, told by its number alone.
  static func roster(_ version: Int) -> StoredRoster {
    var contacts: [String: StoredContact] = [:]
    for number in 0..<200 { contacts[contact(number).jid] = contact(number) }
    for step in 1..<max(version + 1, 1) { change(step)(&contacts) }
    return StoredRoster(version: "\(version)", contacts: contacts.values.sorted { $0.jid < $1.jid })
  }

  static func change(_ version: Int) -> (inout [String: StoredContact]) -> Void {
    let new = contact(version % 37, name: "in \(version)")
    return { $0[new.jid] = version % 5 == 0 ? nil : new }
  }

  /// Ends this process from another thread, at a time that nobody knows.
  static func killSoon(_ yields: Int) {
    spawn {
      await offLoop {
        for _ in 0..<yields { sched_yield() }
        kill(getpid(), SIGKILL)
      }
    }
  }

  @Test("What a call has noted is there after SIGKILL, with and without a flush")
  @LoopActor func killed() async throws {
    let home = try Home()
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = home.path as String] in
      EventLoop.runInBackground()
      try await CrashTests.note(path, upTo: 500)
      kill(getpid(), SIGKILL)
    }
    let account = try await home.open().account(juliet)
    #expect(try account.leastMechanism() == "SCRAM-499")
    #expect(try account.disclosures().map(\.jid) == (0..<500).map { "\(10_000 + $0)@x" })
  }

  @LoopActor static func note(_ path: String, upTo end: Int) async throws {
    let account = try await Store.open(directory: path).account(juliet)
    for number in 0..<end {
      try account.setLeastMechanism("SCRAM-\(number)")
      try account.noteDisclosure(resource: "r", jid: "\(10_000 + number)@x")
      if number % 100 == 7 { try await account.flush() }
    }
  }

  @Test(
    "A file that was taken away after a sudden end is missed at each start, until it is back or nobody wants it",
    arguments: ["state.db", "state.db-wal"])
  @LoopActor func takenAway(_ name: String) async throws {
    let home = try Home()
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = home.path as String] in
      EventLoop.runInBackground()
      try await CrashTests.endOpen(path)
    }
    rename(home.file(name), home.file("elsewhere"))
    for _ in 1...2 {
      let error = await failure { () async throws(StoreError) in _ = try await Store.open(directory: home.path) }
      #expect(error?.code == .broken && error?.message.contains("\(home.file(name)) is missing") == true)
    }
    rename(home.file("elsewhere"), home.file(name))
    let store = try await home.open()
    #expect(try store.account(juliet).leastMechanism() == "SCRAM-9")
    await store.close()
    // Closed in order there is no log, and nothing to miss.
    await (try home.open()).close()
  }

  @LoopActor static func endOpen(_ path: String) async throws {
    let store = try await Store.open(directory: path)
    let account = store.account(juliet)
    try account.setLeastMechanism("SCRAM-9")
    try await account.flush()
    kill(getpid(), SIGKILL)
    await store.close()
  }

  @Test("Whoever wants to go on without a file that is gone removes the note of it")
  @LoopActor func givenUp() async throws {
    let home = try Home()
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = home.path as String] in
      EventLoop.runInBackground()
      try await CrashTests.endOpen(path)
    }
    unlink(home.file("state.db-wal"))
    unlink(home.file("lock"))
    #expect(try await home.open().account(juliet).leastMechanism() != "SCRAM-9")
  }

  @Test("Whenever it comes, what was acknowledged is there, and the roster is one that there was")
  @LoopActor func killedAnywhere() async throws {
    for yields in [0, 300, 2_000, 10_000, 40_000] {
      let home = try Home()
      await #expect(processExitsWith: .signal(SIGKILL)) { [path = home.path as String, yields = yields as Int] in
        EventLoop.runInBackground()
        try await CrashTests.work(path, killedAfter: yields)
      }
      let acknowledged = Int(readFile(home.temporary.file("acknowledged")).split(separator: "\n").last ?? "0") ?? 0
      let store = try await home.open()
      let account = store.account(juliet)
      // One more may have been noted than was acknowledged.
      let noted = try account.disclosures().count
      #expect(noted == acknowledged || noted == acknowledged + 1, "after \(yields)")
      if let roster = await account.roster() {
        let version = try #require(Int(roster.version))
        let isTrue = roster == Self.roster(version)
        #expect(isTrue, "version \(version) after \(yields)")
        #expect(version <= noted, "after \(yields)")
      }
      await store.close()
    }
  }

  /// Notes, changes the roster and writes down what is done, until the end comes.
  @LoopActor static func work(_ path: String, killedAfter yields: Int) async throws {
    let account = try await Store.open(directory: path).account(juliet)
    let log = open("\(path)/../acknowledged", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    account.replaceRoster(roster(0))
    killSoon(yields)
    for version in 1..<90_000 {
      try account.noteDisclosure(resource: "r", jid: "\(version)@x")
      let line = Array("\(version)\n".utf8)
      write(log, line, line.count)
      let new = contact(version % 37, name: "in \(version)")
      if version % 5 == 0 {
        account.removeFromRoster(version: "\(version)", jid: new.jid)
      } else {
        account.updateRoster(version: "\(version)", contact: new)
      }
      if version % 10 == 0 { await Task.yield() }
    }
    // The end is late: what is kept of one account has a limit.
    while true { pause() }
  }

  @Test("Between the two files: an account that was forgotten in one leaves no roster in the other")
  @LoopActor func betweenTheFiles() async throws {
    let home = try Home()
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = home.path as String] in
      EventLoop.runInBackground()
      try await CrashTests.forgetHalf(path)
    }
    #expect(home.contains("Mercutio", in: ["cache.db", "cache.db-wal"]))
    let store = try await home.open()
    let account = store.account(juliet)
    #expect(try account.leastMechanism() == nil)
    try account.setLeastMechanism("PLAIN")
    #expect(await account.roster() == nil)
    await store.close()
    #expect(!home.contains("Mercutio"))
  }

  @LoopActor static func forgetHalf(_ path: String) async throws {
    let store = try await Store.open(directory: path)
    let account = store.account(juliet)
    try account.setLeastMechanism("SCRAM-SHA-1")
    account.replaceRoster(StoredRoster(version: "1", contacts: [contact(1, name: "Mercutio")]))
    await store.cache.settle()
    spawn { try? await account.forget() }
    await Task.yield()
    // The state forgets before anything is awaited; the cache has only been asked to.
    guard try store.state.accounts().isEmpty else { return }
    kill(getpid(), SIGKILL)
  }

  @Test("A roster is nobody else's, though the state be lost or an old copy of it put back")
  @LoopActor func lostState() async throws {
    let home = try Home()
    var store = try await home.open()
    await store.close()
    let old = try #require(home.bytes("state.db"))
    store = try await home.open()
    let paris = AccountKey(uid: 1001, jid: "paris@example.org", protocol: "xmpp")
    try store.account(paris).setLeastMechanism("PLAIN")
    await store.close()
    let known = try #require(home.bytes("state.db"))
    store = try await home.open()
    try await store.account(paris).forget()
    store.account(juliet).replaceRoster(StoredRoster(version: "1", contacts: [contact(1, name: "Mercutio")]))
    await store.close()
    let cache = try #require(home.bytes("cache.db"))
    for state in [nil, old, known] {
      unlink(home.file("state.db"))
      if let state { try home.write("state.db", state) }
      try home.write("cache.db", cache)
      #expect(home.contains("Mercutio"))
      let store = try await home.open()
      try store.account(paris).setLeastMechanism("PLAIN")
      #expect(await store.account(paris).roster() == nil)
      #expect(await store.account(juliet).roster() == nil)
      await store.close()
      #expect(!home.contains("Mercutio"))
    }
  }

  @Test("A disk that takes no more in the middle of it: errors, and afterwards everything that was acknowledged")
  @LoopActor func noRoom() async throws {
    let home = try Home()
    await #expect(processExitsWith: .exitCode(3)) { [path = home.path as String] in
      EventLoop.runInBackground()
      try await CrashTests.fill(path)
    }
    let acknowledged = Int(readFile(home.temporary.file("acknowledged")).split(separator: "\n").last ?? "0") ?? 0
    #expect(acknowledged > 10)
    #expect(try await home.open().account(juliet).disclosures().count == acknowledged)
  }

  @LoopActor static func fill(_ path: String) async throws {
    let account = try await Store.open(directory: path).account(juliet)
    signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit(rlim_cur: 200_000, rlim_max: 200_000)
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    let log = open("\(path)/../acknowledged", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    for number in 1..<1_000_000 {
      do throws(StoreError) {
        try account.noteDisclosure(resource: "r", jid: "\(number)@x")
      } catch {
        exit(error.code == .failed || error.code == .full ? 3 : 4)
      }
      let line = Array("\(number)\n".utf8)
      write(log, line, line.count)
    }
  }
}

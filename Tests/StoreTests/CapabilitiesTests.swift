// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing

@testable import Store

@Suite("Capabilities by their hash", .timeLimit(.minutes(1)))
struct StoredCapabilitiesTests {
  init() { EventLoop.runInBackground() }

  private let other = AccountKey(uid: 1001, jid: "paris@example.net", protocol: "xmpp")

  private func capabilities(_ number: Int, _ info: String = "<query/>") -> StoredCapabilities {
    StoredCapabilities(algorithm: "sha-1", hash: "hash\(number)", info: info)
  }

  @Test("They are there after a new start, for all accounts, each hash function with its own")
  @LoopActor func kept() async throws {
    let home = try Home()
    let store = try await home.open()
    let account = store.account(juliet)
    #expect(await account.capabilities(algorithm: "sha-1", hash: "hash1") == nil)
    account.keepCapabilities(capabilities(1, "old"))
    account.keepCapabilities(capabilities(1, "<query>\u{0}é</query>"))
    account.keepCapabilities(StoredCapabilities(algorithm: "sha-256", hash: "hash1", info: "other"))
    account.keepCapabilities(capabilities(2, "gone"))
    account.forgetCapabilities(algorithm: "sha-1", hash: "hash2")
    await store.close()
    let again = try await home.open()
    for key in [juliet, other] {
      #expect(await again.account(key).capabilities(algorithm: "sha-1", hash: "hash1") == "<query>\u{0}é</query>")
      #expect(await again.account(key).capabilities(algorithm: "sha-256", hash: "hash1") == "other")
      #expect(await again.account(key).capabilities(algorithm: "sha-1", hash: "hash2") == nil)
    }
    // To ask is not to begin an account.
    #expect(try again.state.accounts() == [])
    await again.close()
    #expect(!home.contains("gone"))
  }

  @Test("1,000 are the most; the one that was not used for longest goes, also across a new start")
  @LoopActor func most() async throws {
    let home = try Home()
    var store = try await home.open()
    #expect(StoredCapabilities.most == 1_000)
    for number in 0..<1_000 {
      store.account(juliet).keepCapabilities(capabilities(number))
      if number % 50 == 49 { await store.cache.settle() }
    }
    await store.close()
    store = try await home.open()
    let account = store.account(juliet)
    // Used again: by reading the one, by writing the other.
    #expect(await account.capabilities(algorithm: "sha-1", hash: "hash0") != nil)
    account.keepCapabilities(capabilities(1))
    for number in 1_000..<1_003 { account.keepCapabilities(capabilities(number)) }
    await store.cache.settle()
    var there: [Int] = []
    try store.cache.database.opened?.query("SELECT hash FROM capabilities") {
      there.append(Int($0.text(0).dropFirst(4)) ?? -1)
    }
    #expect(there.sorted() == [0, 1] + Array(5..<1_003))
  }

  @Test("What is too long is not kept, and what was kept stays")
  @LoopActor func tooLong() async throws {
    let account = try await Store.open(directory: nil).account(juliet)
    #expect(StoredCapabilities.mostBytes == 65_536)
    let longest = String(repeating: "é", count: 32_768)
    account.keepCapabilities(capabilities(1, longest))
    account.keepCapabilities(capabilities(1, longest + "x"))
    #expect(await account.capabilities(algorithm: "sha-1", hash: "hash1") == longest)
    let long = StoredCapabilities(algorithm: "sha-1", hash: String(repeating: "x", count: 3_067), info: "i")
    account.keepCapabilities(long)
    #expect(await account.capabilities(algorithm: long.algorithm, hash: long.hash) == nil)
  }

  @Test("While many wait to be written no more are taken, and afterwards they are again")
  @LoopActor func waiting() async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(juliet)
    let most = CacheQueue.mostWaitingCapabilities
    for number in 0..<(most + 3) { account.keepCapabilities(capabilities(number)) }
    #expect(store.cache.waitingCapabilities.count == most)
    #expect(await account.capabilities(algorithm: "sha-1", hash: "hash\(most - 1)") != nil)
    #expect(await account.capabilities(algorithm: "sha-1", hash: "hash\(most)") == nil)
    account.keepCapabilities(capabilities(most))
    #expect(await account.capabilities(algorithm: "sha-1", hash: "hash\(most)") != nil)
  }

  @Test("A cache of the version before them is brought up to date, and the rosters in it stay")
  @LoopActor func migration() async throws {
    let home = try Home()
    var store = try await home.open()
    store.account(juliet).replaceRoster(StoredRoster(version: "1", contacts: [contact(1)]))
    await store.close()
    // Back to what the first step made.
    let old = try Database(home.file("cache.db"), CacheDatabase.schema, checkpointsItself: true)
    try old.query("DROP TABLE capabilities")
    try old.query("PRAGMA user_version = 1")
    old.close()
    store = try await home.open()
    store.account(juliet).keepCapabilities(capabilities(1))
    #expect(await store.account(juliet).capabilities(algorithm: "sha-1", hash: "hash1") == "<query/>")
    #expect(await store.account(juliet).roster()?.contacts == [contact(1)])
  }

  @Test("A cache that is broken has none, and keeps them again")
  @LoopActor func broken() async throws {
    let home = try Home()
    var store = try await home.open()
    store.account(juliet).keepCapabilities(capabilities(1))
    await store.close()
    try home.write("cache.db", Array("not a database, and long enough to be looked at\n".utf8))
    store = try await home.open()
    #expect(await store.account(juliet).capabilities(algorithm: "sha-1", hash: "hash1") == nil)
    store.account(juliet).keepCapabilities(capabilities(1))
    #expect(await store.account(juliet).capabilities(algorithm: "sha-1", hash: "hash1") == "<query/>")
  }

  @Test("A disk that takes nothing is told of, and what was kept can still be read")
  @LoopActor func unwritable() async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(juliet)
    var faults: [StoreError.Code] = []
    store.onFault = { faults.append($0.code) }
    account.keepCapabilities(capabilities(1))
    await store.cache.settle()
    try store.cache.database.opened?.query("PRAGMA query_only = ON")
    #expect(await account.capabilities(algorithm: "sha-1", hash: "hash1") == "<query/>")
    #expect(faults == [])
    account.keepCapabilities(capabilities(2))
    account.forgetCapabilities(algorithm: "sha-1", hash: "hash1")
    #expect(await account.capabilities(algorithm: "sha-1", hash: "hash2") == nil)
    #expect(faults == [.readOnly, .readOnly])
  }

  @Test("After the end nothing is kept or found, and the file stays closed")
  @LoopActor func closed() async throws {
    let home = try Home()
    let store = try await home.open()
    let account = store.account(juliet)
    account.keepCapabilities(capabilities(1))
    await store.close()
    account.keepCapabilities(capabilities(2))
    account.forgetCapabilities(algorithm: "sha-1", hash: "hash1")
    #expect(await account.capabilities(algorithm: "sha-1", hash: "hash1") == nil)
    await store.cache.settle()
    #expect(store.cache.database.opened == nil)
    #expect(await (try home.open()).account(juliet).capabilities(algorithm: "sha-1", hash: "hash1") == "<query/>")
  }
}

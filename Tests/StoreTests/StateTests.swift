// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing

@testable import Store

@Suite("The state of an account")
struct StateTests {
  init() { EventLoop.runInBackground() }

  @Test("What is noted is there after a new start, of each account its own", arguments: [false, true])
  @LoopActor func kept(inMemory: Bool) async throws {
    let home = try Home()
    let store = try await Store.open(directory: inMemory ? nil : home.path)
    #expect(store.directory == (inMemory ? nil : home.path))
    let others = [
      AccountKey(uid: 1001, jid: juliet.jid, protocol: juliet.protocol),
      AccountKey(uid: 1000, jid: "romeo@example.org", protocol: "xmpp"),
      AccountKey(uid: 1000, jid: juliet.jid, protocol: "xmpp-component"),
    ]
    for (number, key) in ([juliet] + others).enumerated() {
      let account = store.account(key)
      #expect(try account.leastMechanism() == nil)
      #expect(try account.disclosures() == [])
      try account.setLeastMechanism("SCRAM-\(number)")
      try account.noteDisclosure(resource: "balcony", jid: "friend\(number)@example.org/phone")
      try account.noteDisclosure(resource: "balcony", jid: "friend\(number)@example.org/phone")
    }
    @LoopActor func check(_ store: Store) throws {
      for (number, key) in ([juliet] + others).enumerated() {
        #expect(try store.account(key).leastMechanism() == "SCRAM-\(number)")
        #expect(
          try store.account(key).disclosures()
            == [Disclosure(resource: "balcony", jid: "friend\(number)@example.org/phone")])
      }
    }
    try check(store)
    guard !inMemory else { return }
    await store.close()
    try check(try await home.open())
  }

  @Test("Reading writes nothing")
  @LoopActor func reading() async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(juliet)
    _ = try account.leastMechanism()
    _ = try account.disclosures()
    try account.removeDisclosures(resource: "balcony")
    try account.setLeastMechanism(nil)
    account.updateRoster(version: "1", contact: contact(1))
    #expect(await account.roster() == nil)
    #expect(try store.state.accounts() == [])
  }

  @Test("Disclosures go one by one, or all of a resource")
  @LoopActor func removal() async throws {
    let account = try await Store.open(directory: nil).account(juliet)
    try account.noteDisclosures(resource: "balcony", jids: ["a@x", "b@x", "c@x"])
    try account.noteDisclosure(resource: "tomb", jid: "a@x")
    try account.removeDisclosure(resource: "balcony", jid: "b@x")
    try account.removeDisclosure(resource: "balcony", jid: "nobody@x")
    #expect(try account.disclosures().map(\.jid) == ["a@x", "c@x", "a@x"])
    try account.removeDisclosures(resource: "balcony")
    #expect(try account.disclosures() == [Disclosure(resource: "tomb", jid: "a@x")])
  }

  @Test("The mechanism can be forgotten; texts are bytes, whatever is in them")
  @LoopActor func texts() async throws {
    let account = try await Store.open(directory: nil).account(
      AccountKey(uid: .max, jid: "jülîét\u{0}';--@example.org", protocol: ""))
    for text in ["", "\u{0}a\u{0}", "'); DROP TABLE account; --", "\u{1F339}", String(repeating: "x", count: 3_071)] {
      try account.setLeastMechanism(text)
      #expect(try account.leastMechanism() == text)
      try account.noteDisclosure(resource: text, jid: text)
      #expect(try account.disclosures() == [Disclosure(resource: text, jid: text)])
      try account.removeDisclosure(resource: text, jid: text)
    }
    try account.setLeastMechanism(nil)
    #expect(try account.leastMechanism() == nil)
  }

  @Test("What is longer than an address can be is refused, and nothing of it kept")
  @LoopActor func longTexts() async throws {
    let account = try await Store.open(directory: nil).account(juliet)
    let long = String(repeating: "x", count: 3_072)
    #expect(await failure { () throws(StoreError) in try account.setLeastMechanism(long) }?.code == .limit)
    #expect(
      await failure { () throws(StoreError) in try account.noteDisclosures(resource: "r", jids: ["a@x", long]) }?.code
        == .limit)
    #expect(try account.leastMechanism() == nil)
    #expect(try account.disclosures() == [])
  }

  @Test("100,000 disclosures are the most; one more is refused, and those it came with", .timeLimit(.minutes(1)))
  @LoopActor func mostDisclosures() async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(juliet)
    try account.setLeastMechanism("PLAIN")
    // By SQLite alone, which takes no time: other tests use the loop, too.
    try store.state.database.query(
      """
      INSERT INTO disclosure
      WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 99999)
      SELECT account.id, 'r', n || '@x' FROM number, account
      """)
    let refused = await failure { () throws(StoreError) in
      try account.noteDisclosures(resource: "r", jids: ["a@x", "b@x"])
    }
    #expect(refused?.code == .limit)
    try account.noteDisclosures(resource: "r", jids: ["a@x", "1@x"])
    #expect(
      await failure { () throws(StoreError) in try account.noteDisclosure(resource: "r", jid: "b@x") }?.code == .limit)
    #expect(try store.state.countDisclosures(try #require(account.knownID)) == 100_000)
    try account.removeDisclosure(resource: "r", jid: "1@x")
    try account.noteDisclosure(resource: "r", jid: "b@x")
  }

  @Test("Of 256 accounts of one user the one not used for longest makes room, but none that is in use")
  @LoopActor func mostAccounts() async throws {
    let store = try await Store.open(directory: nil)
    func key(_ number: Int, uid: UInt32 = 1000) -> AccountKey {
      AccountKey(uid: uid, jid: "\(number)@example.org", protocol: "xmpp")
    }
    let other = store.account(key(0, uid: 1001))
    try other.setLeastMechanism("other")
    let used = store.account(key(0))
    try used.setLeastMechanism("used")
    try store.account(key(1)).noteDisclosure(resource: "r", jid: "a@x")
    store.account(key(2)).replaceRoster(StoredRoster(version: "2", contacts: [contact(2)]))
    for number in 3..<256 { try store.account(key(number)).setLeastMechanism("\(number)") }
    try store.account(key(3)).noteDisclosures(resource: "r", jids: ["a@x"])
    try store.account(key(3)).removeDisclosures(resource: "r")
    #expect(try store.state.accounts().count == 257)
    #expect(await store.account(key(2)).roster() != nil)

    try store.account(key(256)).setLeastMechanism("256")
    // 0 is in use, 1 has somebody to tell, 2 was used before all others: it is gone, and with it its roster.
    #expect(try store.account(key(0)).leastMechanism() == "used")
    #expect(try store.account(key(1)).disclosures().count == 1)
    #expect(await store.account(key(2)).roster() == nil)
    try store.account(key(257)).setLeastMechanism("257")
    // 3 was used again after 4.
    #expect(try store.account(key(3)).leastMechanism() == "3")
    #expect(try store.account(key(4)).leastMechanism() == nil)
    #expect(try store.account(key(5)).leastMechanism() == "5")
    #expect(try other.leastMechanism() == "other")
    #expect(try store.state.accounts().count == 257)
  }

  @Test("Forgetting an account leaves nothing of it in any file, and nothing undone of the others")
  @LoopActor func forgetting() async throws {
    let home = try Home()
    let store = try await home.open()
    let account = store.account(juliet)
    let other = store.account(AccountKey(uid: 1001, jid: "nurse@example.org", protocol: "xmpp"))
    for account in [account, other] {
      try account.setLeastMechanism("SCRAM-SHA-1")
      try account.noteDisclosure(resource: "balcony", jid: "romeo@example.net/orchard")
      account.replaceRoster(StoredRoster(version: "v1", contacts: [contact(1, name: "Mercutio")]))
    }
    account.updateRoster(version: "v2", contact: contact(2, name: "Tybalt"))
    try await account.forget()
    #expect(try account.leastMechanism() == nil)
    #expect(try account.disclosures() == [])
    #expect(await account.roster() == nil)
    account.updateRoster(version: "v3", contact: contact(3, name: "Paris"))
    #expect(await account.roster() == nil)
    #expect(try other.leastMechanism() == "SCRAM-SHA-1")
    #expect(await other.roster()?.version == "v1")

    try await other.forget()
    await store.close()
    for trace in [juliet.jid, "nurse", "romeo", "balcony", "Mercutio", "Tybalt", "Paris", "v1"] {
      #expect(!home.contains(trace), "\(trace)")
    }
    let again = try await home.open().account(juliet)
    #expect(try again.leastMechanism() == nil)
    try again.setLeastMechanism("PLAIN")
    #expect(try again.leastMechanism() == "PLAIN")
  }

  @Test("The same key is the same account; keys that nobody uses cost nothing")
  @LoopActor func identity() async throws {
    let store = try await Store.open(directory: nil)
    let first = store.account(juliet)
    for number in 0..<10_000 { _ = store.account(AccountKey(uid: 1, jid: "\(number)@x", protocol: "xmpp")) }
    #expect(store.account(juliet) === first)
    #expect(store.heldKeys < 200)
  }

  @Test("After the end every call fails, and none ends the program")
  @LoopActor func closed() async throws {
    let home = try Home()
    let store = try await home.open()
    let account = store.account(juliet)
    try account.setLeastMechanism("PLAIN")
    var faults: [StoreError.Code] = []
    store.onFault = { faults.append($0.code) }
    await store.close()
    await store.close()
    #expect(await failure { () throws(StoreError) in _ = try account.leastMechanism() }?.code == .closed)
    #expect(await failure { () throws(StoreError) in try account.setLeastMechanism("X") }?.code == .closed)
    #expect(
      await failure { () throws(StoreError) in try account.noteDisclosure(resource: "r", jid: "a@x") }?.code == .closed)
    #expect(await failure { () async throws(StoreError) in try await account.flush() }?.code == .closed)
    #expect(await failure { () async throws(StoreError) in try await account.forget() }?.code == .closed)
    account.replaceRoster(StoredRoster(version: "1", contacts: []))
    #expect(await account.roster() == nil)
    #expect(faults == [.closed, .closed])
  }
}

// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing

@testable import Store

@Suite("Who was wanted to see an account", .timeLimit(.minutes(1)))
struct StoredVisibilityTests {
  init() { EventLoop.runInBackground() }

  private static let base = StoredVisibility.Base(showsOthers: false, probes: true, acceptsLess: false)
  private let other = AccountKey(uid: 1001, jid: juliet.jid, protocol: "xmpp")

  private func contacts(_ numbers: Range<Int>) -> [StoredVisibility.Exception] {
    numbers.map { .contact("contact\($0)@example.org") }
  }

  @Test("It is there after a new start, of each account its own, and is forgotten with it")
  @LoopActor func kept() async throws {
    let home = try Home()
    let store = try await home.open()
    #expect(try store.account(juliet).visibility() == nil)
    #expect(try store.state.accounts() == [])
    let hidden = StoredVisibility(
      Self.base,
      exceptions: [.contact("romeo@example.net"), .group("romeo@example.net"), .withheld("tybalt@example.net")])
    let less = StoredVisibility(.init(showsOthers: true, probes: false, acceptsLess: true), exceptions: [.group("Kin")])
    try store.account(juliet).setVisibility(hidden)
    try store.account(other).setVisibility(less)
    await store.close()
    let again = try await home.open()
    #expect(try again.account(juliet).visibility() == hidden)
    #expect(try again.account(other).visibility() == less)
    try await again.account(juliet).forget()
    #expect(try again.account(juliet).visibility() == nil)
    #expect(try again.account(other).visibility() == less)
    await again.close()
    #expect(!home.contains("romeo") && !home.contains("tybalt"))
    #expect(home.contains("Kin"))
  }

  @Test("A change changes what it names, and a whole replaces all")
  @LoopActor func changes() async throws {
    let account = try await Store.open(directory: nil).account(juliet)
    let visible = StoredVisibility.Base(showsOthers: true, probes: true, acceptsLess: true)
    try account.changeVisibility(visible, removing: contacts(0..<1), adding: contacts(0..<3) + contacts(0..<3))
    #expect(try account.visibility() == StoredVisibility(visible, exceptions: Set(contacts(0..<3))))
    try account.changeVisibility(Self.base, removing: contacts(1..<2), adding: [.group("contact1@example.org")])
    #expect(
      try account.visibility()
        == StoredVisibility(
          Self.base, exceptions: Set(contacts(0..<1) + contacts(2..<3) + [.group("contact1@example.org")])))
    try account.setVisibility(StoredVisibility(visible))
    #expect(try account.visibility() == StoredVisibility(visible))
  }

  @Test("10,000 contacts and 1,000 groups are the most; a change with one more changes nothing")
  @LoopActor func limits() async throws {
    let account = try await Store.open(directory: nil).account(juliet)
    let (most, mostGroups) = (StoredVisibility.mostContacts, StoredVisibility.mostGroups)
    #expect(most == 10_000 && mostGroups == 1_000)
    let groups = (0..<mostGroups).map { StoredVisibility.Exception.group("\($0)") }
    let full = StoredVisibility(Self.base, exceptions: Set(contacts(1..<most) + groups + [.withheld("a@b")]))
    try account.setVisibility(full)
    let visible = StoredVisibility.Base(showsOthers: true, probes: true, acceptsLess: true)
    for added in [contacts(0..<1), [.withheld("c@d")], [.group("one more")]] {
      #expect(
        await failure { () throws(StoreError) in
          try account.changeVisibility(visible, removing: [], adding: added)
        }?.code == .limit)
    }
    let isUnchanged = try account.visibility() == full
    #expect(isUnchanged)
    // One for one, and those that are there already, are no more.
    try account.changeVisibility(Self.base, removing: [.withheld("a@b")], adding: contacts(0..<2))
    // An account that was not counted before is counted.
    let later = try await Store.open(directory: nil)
    try later.account(juliet).setVisibility(full)
    later.account(juliet).countOfExceptions = nil
    #expect(
      await failure { () throws(StoreError) in
        try later.account(juliet).changeVisibility(visible, removing: [], adding: contacts(0..<1))
      }?.code == .limit)
  }

  @Test("A name has a limit, and holds whatever bytes it has")
  @LoopActor func names() async throws {
    let account = try await Store.open(directory: nil).account(juliet)
    let longest = String(repeating: "é", count: StoredVisibility.mostGroupBytes / 2)
    let names = [longest, "", "\u{0}a", "'); DROP TABLE exception; --"]
    try account.changeVisibility(Self.base, removing: [], adding: names.map { .group($0) })
    #expect(try account.visibility()?.exceptions == Set(names.map { .group($0) }))
    for long: StoredVisibility.Exception in [
      .group(longest + "x"), .contact(String(repeating: "x", count: 3_072)),
    ] {
      #expect(
        await failure { () throws(StoreError) in
          try account.changeVisibility(Self.base, removing: [], adding: [.group("new"), long])
        }?.code == .limit)
    }
    #expect(try account.visibility()?.exceptions.count == names.count)
  }

  @Test("A change of one contact writes as much among 10,000 as among ten")
  @LoopActor func cost() async throws {
    @LoopActor func pagesOfChange(among count: Int) async throws -> Int {
      let home = try Home()
      let store = try await home.open()
      let account = store.account(juliet)
      try account.setVisibility(StoredVisibility(Self.base, exceptions: Set(contacts(0..<count))))
      let before = store.state.pagesInLog
      try account.changeVisibility(Self.base, removing: [], adding: [.contact("one.more@example.org")])
      return store.state.pagesInLog - before
    }
    let few = try await pagesOfChange(among: 10)
    let many = try await pagesOfChange(among: StoredVisibility.mostContacts - 1)
    // The tree is a little higher, and a leaf may be full.
    #expect(few > 0 && many > 0 && many <= few + 4, "\(few) and \(many) pages")
  }

  @Test("What cannot be understood is an error, and not somebody fewer who is hidden from")
  @LoopActor func unknownKind() async throws {
    let store = try await Store.open(directory: nil)
    try store.account(juliet).setVisibility(StoredVisibility(Self.base, exceptions: Set(contacts(0..<2))))
    try store.state.database.query("UPDATE exception SET kind = 'moon' WHERE name LIKE 'contact1%'")
    #expect(
      await failure { () throws(StoreError) in _ = try store.account(juliet).visibility() }?.code == .broken)
  }

  @Test("An account that hides does not make room for one more, as long as another can")
  @LoopActor func room() async throws {
    let store = try await Store.open(directory: nil)
    func key(_ number: Int) -> AccountKey { AccountKey(uid: 1000, jid: "\(number)@example.org", protocol: "xmpp") }
    let visible = StoredVisibility.Base(showsOthers: true, probes: true, acceptsLess: false)
    try store.account(key(0)).setVisibility(StoredVisibility(Self.base))
    try store.account(key(1)).setVisibility(StoredVisibility(visible, exceptions: [.group("Kin")]))
    try store.account(key(2)).setVisibility(StoredVisibility(visible))
    for number in 3...256 { try store.account(key(number)).setLeastMechanism("\(number)") }
    #expect(try store.account(key(0)).visibility() != nil)
    #expect(try store.account(key(1)).visibility() != nil)
    #expect(try store.account(key(2)).visibility() == nil)
  }

  @Test("A store of the version before this one is brought up to date, with what is in it")
  @LoopActor func migration() async throws {
    let home = try Home()
    let first = Schema(
      applicationID: StateDatabase.schema.applicationID, steps: Array(StateDatabase.schema.steps.prefix(1)))
    // The directory and the files as the program makes them; then the tables as they were.
    let files = try StoreDirectory(home.path)
    try files.prepare("state.db")
    let old = try Database(home.file("state.db"), first, checkpointsItself: false)
    try old.query(
      "INSERT INTO account VALUES (7, ?, ?, ?, 1, 'SCRAM-SHA-1')",
      [.integer(Int64(juliet.uid)), .text(juliet.jid), .text(juliet.protocol)])
    try old.query("INSERT INTO disclosure VALUES (7, 'balcony', 'romeo@example.net')")
    old.close()
    files.release()
    let account = try await home.open().account(juliet)
    #expect(try account.leastMechanism() == "SCRAM-SHA-1")
    #expect(try account.disclosures().map(\.jid) == ["romeo@example.net"])
    #expect(try account.visibility() == nil)
    try account.setVisibility(StoredVisibility(Self.base))
    #expect(try account.visibility() == StoredVisibility(Self.base))
  }

  @Test("After the end every call fails")
  @LoopActor func closed() async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(juliet)
    try account.setVisibility(StoredVisibility(Self.base))
    await store.close()
    #expect(await failure { () throws(StoreError) in _ = try account.visibility() }?.code == .closed)
    #expect(
      await failure { () throws(StoreError) in try account.setVisibility(StoredVisibility(Self.base)) }?.code == .closed
    )
  }
}

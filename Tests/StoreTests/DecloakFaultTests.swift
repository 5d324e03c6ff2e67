// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import Support
import Testing

@testable import Store

@Suite("Rules and decisions when something goes wrong", .timeLimit(.minutes(2)))
struct DecloakFaultTests {
  init() { EventLoop.runInBackground() }

  private static func rule(_ subject: String, _ decision: String = "deny") -> StoredRule {
    StoredRule(subject: subject, decision: decision, madeAt: 1, madeBy: 1000, madeWith: "Deny")
  }

  @LoopActor private static func lookAtRules(of account: AccountStore) throws(StoreError) {
    let rules = try account.rules()
    #expect(rules.count < 10)
  }

  @LoopActor private static func lookAtDecisions(of account: AccountStore) throws(StoreError) {
    let decisions = try account.decisions(contact: nil, since: .min, after: nil, limit: 9)
    #expect(decisions.count < 10)
  }

  // MARK: Versions

  @Test("A store of an earlier version is brought up to date, with what is in it", arguments: [1, 2])
  @LoopActor func migration(from version: Int) async throws {
    let home = try Home()
    let schema = Schema(
      applicationID: StateDatabase.schema.applicationID, steps: Array(StateDatabase.schema.steps.prefix(version)))
    // The directory and the files as the program makes them; then the tables as they were.
    let files = try StoreDirectory(home.path)
    try files.prepare("state.db")
    let old = try Database(home.file("state.db"), schema, checkpointsItself: false)
    try old.query(
      "INSERT INTO account VALUES (7, ?, ?, ?, 1, 'SCRAM-SHA-1')",
      [.integer(Int64(juliet.uid)), .text(juliet.jid), .text(juliet.protocol)])
    try old.query("INSERT INTO disclosure VALUES (7, 'balcony', 'romeo@example.net')")
    let base = StoredVisibility.Base(showsOthers: false, probes: true, acceptsLess: false)
    if version > 1 {
      try old.query("INSERT INTO visibility VALUES (7, 0, 1, 0)")
      try old.query("INSERT INTO exception VALUES (7, 'contact', 'tybalt@example.net')")
    }
    old.close()
    files.release()
    let account = try await home.open().account(juliet)
    #expect(try account.leastMechanism() == "SCRAM-SHA-1")
    #expect(try account.disclosures().map(\.jid) == ["romeo@example.net"])
    #expect(
      try account.visibility()
        == (version > 1 ? StoredVisibility(base, exceptions: [.contact("tybalt@example.net")]) : nil))
    #expect(try account.policy() == nil)
    #expect(try account.rules() == [])
    #expect(try account.decisions(contact: nil, since: .min, after: nil, limit: 9) == [])
    try account.setPolicy("ask")
    try account.setRule(Self.rule("@example.net"))
    try account.addDecision(decision(1))
    #expect(try account.policy() == "ask")
    #expect(try account.rules() == [Self.rule("@example.net")])
    #expect(try account.decisions(contact: nil, since: .min, after: nil, limit: 9) == [decision(1)])
  }

  // MARK: A sudden end

  @Test("Whenever the end comes, what was acknowledged is there: rules, the policy and what was decided")
  @LoopActor func killedAnywhere() async throws {
    for yields in [0, 300, 2_000, 10_000, 40_000] {
      let home = try Home()
      await #expect(processExitsWith: .signal(SIGKILL)) { [path = home.path as String, yields = yields as Int] in
        EventLoop.runInBackground()
        try await DecloakFaultTests.work(path, killedAfter: yields)
      }
      let acknowledged = Int(readFile(home.temporary.file("acknowledged")).split(separator: "\n").last ?? "0") ?? 0
      let account = try await home.open().account(juliet)
      // Of the step after the last one that was acknowledged, the first calls may have been made.
      let rules = try account.rules()
      let known = rules.first { $0.subject == "step" }.map { Int($0.madeAt) } ?? 0
      #expect(known == acknowledged || known == acknowledged + 1, "after \(yields)")
      let policy = Int(try account.policy() ?? "0") ?? -1
      #expect(policy == acknowledged || policy == known, "after \(yields)")
      let newest = try account.decisions(contact: nil, since: .min, after: nil, limit: .max)
      let latest = newest.first.map { Int($0.receivedAt / 10) } ?? 0
      #expect(latest == acknowledged || latest == policy, "after \(yields)")
      // None is missing among them, and none too many is there.
      #expect(newest.map(\.id) == (1..<latest + 1).reversed().prefix(StoredDecision.most).map { decision($0).id })
    }
  }

  /// Sets, decides and writes down what is done, until the end comes.
  @LoopActor static func work(_ path: String, killedAfter yields: Int) async throws {
    let account = try await Store.open(directory: path).account(juliet)
    let log = open("\(path)/../acknowledged", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    CrashTests.killSoon(yields)
    var step = 1
    while true {
      var latest = rule("step", "ask")
      latest.madeAt = Int64(step)
      try account.setRule(latest)
      try account.setPolicy("\(step)")
      try account.addDecision(decision(step))
      let line = Array("\(step)\n".utf8)
      write(log, line, line.count)
      if step % 10 == 0 { try await account.flush() }
      step += 1
    }
  }

  // MARK: The disk

  @Test("A full disk is an error that says so, and what was kept before stays, rules as well as decisions")
  @LoopActor func full() async throws {
    let home = try Home()
    let store = try await home.open()
    let account = store.account(juliet)
    try account.setPolicy("ask")
    try account.setRule(Self.rule("first@x"))
    try account.addDecision(decision(0))
    try store.state.database.query("PRAGMA max_page_count = 1")  // as small as it is now
    var rules = [Self.rule("first@x")]
    var refused: StoreError?
    while refused == nil, rules.count < 1_000 {
      let new = Self.rule("z\(1_000 + rules.count)-\(String(repeating: "x", count: 900))")
      refused = await failure { () throws(StoreError) in try account.setRule(new) }
      if refused == nil { rules.append(new) }
    }
    #expect(refused?.code == .full)
    #expect(refused?.message.contains(home.file("state.db")) == true)
    #expect(account.countOfRules == rules.count)
    var decisions = [decision(0)]
    refused = nil
    while refused == nil, decisions.count < 1_000 {
      let new = decision(decisions.count, contact: String(repeating: "y", count: 900))
      refused = await failure { () throws(StoreError) in try account.addDecision(new) }
      if refused == nil { decisions.append(new) }
    }
    #expect(refused?.code == .full)
    #expect(try account.policy() == "ask")
    #expect(try account.rules() == rules)
    #expect(try account.decisions(contact: nil, since: .min, after: nil, limit: .max) == decisions.reversed())
    // To take back a rule needs no room.
    try account.removeRule("first@x")
    try store.state.database.query("PRAGMA max_page_count = 1000000")
    try account.setRule(Self.rule("last@x"))
    await store.close()
    let again = try await home.open().account(juliet)
    #expect(try again.rules() == [Self.rule("last@x")] + rules.dropFirst())
    #expect(try again.decisions(contact: nil, since: .min, after: nil, limit: .max) == decisions.reversed())
  }

  @Test("What cannot be written to is an error that says so, changes nothing, and can still be read")
  @LoopActor func readOnly() async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(juliet)
    try account.setPolicy("ask")
    try account.setRule(Self.rule("a@x"))
    try account.addDecision(decision(1))
    try store.state.database.query("PRAGMA query_only = ON")
    #expect(await failure { () throws(StoreError) in try account.setPolicy("allow") }?.code == .readOnly)
    #expect(
      await failure { () throws(StoreError) in try account.setRule(Self.rule("a@x", "allow")) }?.code == .readOnly)
    #expect(await failure { () throws(StoreError) in try account.setRule(Self.rule("b@x")) }?.code == .readOnly)
    #expect(await failure { () throws(StoreError) in try account.removeRule("a@x") }?.code == .readOnly)
    #expect(await failure { () throws(StoreError) in try account.addDecision(decision(2)) }?.code == .readOnly)
    #expect(
      await failure { () throws(StoreError) in try account.recount(id: decision(1).id, count: 2) }?.code == .readOnly)
    // What holds already is no change.
    try account.setPolicy("ask")
    #expect(try account.policy() == "ask")
    #expect(try account.rules() == [Self.rule("a@x")])
    #expect(account.countOfRules == 1)
    #expect(try account.decisions(contact: nil, since: .min, after: nil, limit: 9) == [decision(1)])
  }

  @Test(
    "A number that was never written is an error: a file that others had in their hands is not half believed",
    arguments: [
      "UPDATE rule SET made_by = -1", "UPDATE decision SET count = 4294967296", "UPDATE decision SET decided_by = -1",
    ])
  @LoopActor func impossibleNumbers(_ change: String) async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(juliet)
    try account.setRule(Self.rule("a@x"))
    try account.addDecision(decision(1))
    try store.state.database.query(change)
    let error = await failure { () throws(StoreError) in
      try Self.lookAtRules(of: account)
      try Self.lookAtDecisions(of: account)
    }
    #expect(error?.code == .broken)
  }

  @Test("After the end every call fails, and none ends the program")
  @LoopActor func closed() async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(juliet)
    try account.setPolicy("ask")
    try account.setRule(Self.rule("a@x"))
    await store.close()
    #expect(await failure { () throws(StoreError) in _ = try account.policy() }?.code == .closed)
    #expect(await failure { () throws(StoreError) in try account.setPolicy("allow") }?.code == .closed)
    #expect(await failure { () throws(StoreError) in try Self.lookAtRules(of: account) }?.code == .closed)
    #expect(await failure { () throws(StoreError) in try account.setRule(Self.rule("b@x")) }?.code == .closed)
    #expect(await failure { () throws(StoreError) in try account.removeRule("a@x") }?.code == .closed)
    #expect(await failure { () throws(StoreError) in try account.addDecision(decision(2)) }?.code == .closed)
    #expect(await failure { () throws(StoreError) in try account.recount(id: "a", count: 2) }?.code == .closed)
    #expect(await failure { () throws(StoreError) in try Self.lookAtDecisions(of: account) }?.code == .closed)
  }
}

// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing

@testable import Store

@Suite("What was decided about those who ask", .timeLimit(.minutes(1)))
struct StoredDecloakTests {
  init() { EventLoop.runInBackground() }

  private let other = AccountKey(uid: 1001, jid: juliet.jid, protocol: "xmpp")

  private func rule(_ number: Int, _ decision: String = "deny") -> StoredRule {
    StoredRule(
      subject: "contact\(10_000 + number)@example.org", decision: decision, madeAt: Int64(number), madeBy: 1000,
      madeWith: "SetRule")
  }

  // MARK: Policy and rules

  @Test("Policy and rules are there after a new start, of each account its own, and are forgotten with it")
  @LoopActor func kept() async throws {
    let home = try Home()
    let store = try await home.open()
    #expect(try store.account(juliet).policy() == nil)
    #expect(try store.account(juliet).rules() == [])
    #expect(try store.account(juliet).decisions(contact: nil, since: 0, after: nil, limit: 9) == [])
    #expect(try store.state.accounts() == [])
    let domain = StoredRule(
      subject: "@verona.lit", decision: "ask", madeAt: .max, madeBy: .max, madeWith: "Approve")
    try store.account(juliet).setPolicy("ask")
    try store.account(juliet).setRule(rule(1))
    try store.account(juliet).setRule(domain)
    try store.account(juliet).addDecision(decision(1))
    try store.account(other).setPolicy("rules")
    try store.account(other).setRule(rule(1, "allow"))
    try store.account(other).addDecision(decision(1, contact: "paris@example.net"))
    await store.close()
    let again = try await home.open()
    #expect(try again.account(juliet).policy() == "ask")
    #expect(try again.account(juliet).rules() == [domain, rule(1)])
    #expect(try again.account(juliet).decisions(contact: nil, since: 0, after: nil, limit: 9) == [decision(1)])
    try await again.account(juliet).forget()
    #expect(try again.account(juliet).policy() == nil)
    #expect(try again.account(juliet).rules() == [])
    #expect(try again.account(juliet).decisions(contact: nil, since: 0, after: nil, limit: 9) == [])
    #expect(try again.account(other).policy() == "rules")
    #expect(try again.account(other).rules() == [rule(1, "allow")])
    await again.close()
    #expect(!home.contains("romeo") && !home.contains("verona.lit"))
    #expect(home.contains("paris"))
  }

  @Test("A rule takes the place of the one about the same subject; one that is removed is gone")
  @LoopActor func changes() async throws {
    let account = try await Store.open(directory: nil).account(juliet)
    try account.setPolicy("ask")
    try account.setPolicy("off")
    #expect(try account.policy() == "off")
    for number in 0..<3 { try account.setRule(rule(number)) }
    try account.setRule(rule(1, "allow"))
    try account.removeRule(rule(0).subject)
    try account.removeRule(rule(0).subject)
    try account.removeRule("nobody@example.org")
    #expect(try account.rules() == [rule(1, "allow"), rule(2)])
    #expect(account.countOfRules == 2)
  }

  @Test("10,000 rules are the most; one more changes nothing, while those that are there can change and go")
  @LoopActor func mostRules() async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(juliet)
    #expect(StoredRule.most == 10_000)
    for number in 0..<StoredRule.most { try account.setRule(rule(number)) }
    func refusal() async -> StoreError.Code? {
      await failure { () throws(StoreError) in try account.setRule(rule(StoredRule.most)) }?.code
    }
    #expect(await refusal() == .limit)
    try account.setRule(rule(7, "allow"))
    // Also when they are counted anew, as after a start.
    account.countOfRules = nil
    #expect(await refusal() == .limit)
    #expect(try account.rules().count == StoredRule.most)
    try account.removeRule(rule(3).subject)
    #expect(await refusal() == nil)
    #expect(await refusal() == nil, "it is there already")
    try store.account(other).setRule(rule(0))
  }

  @Test("Texts have a limit, and hold whatever bytes they have")
  @LoopActor func texts() async throws {
    let account = try await Store.open(directory: nil).account(juliet)
    let long = String(repeating: "x", count: 3_072)
    for odd in ["", "\u{0}a", "'); DROP TABLE rule; --", String(long.dropFirst())] {
      let rule = StoredRule(subject: odd, decision: odd, madeAt: .min, madeBy: 0, madeWith: odd)
      let decision = StoredDecision(
        id: odd, contact: odd, requester: odd, reason: odd, receivedAt: .min, decidedAt: .max, outcome: odd, judge: odd,
        decidedBy: .max, count: .max, isInRoster: true)
      try account.setRule(rule)
      try account.addDecision(decision)
      #expect(try account.rules().contains(rule))
      #expect(try account.decisions(contact: odd, since: 0, after: nil, limit: 9) == [decision])
    }
    #expect(await failure { () throws(StoreError) in try account.setPolicy(long) }?.code == .limit)
    var tooLong = rule(1)
    tooLong.subject = long
    #expect(await failure { () throws(StoreError) in try account.setRule(tooLong) }?.code == .limit)
    var asked = decision(1)
    asked.requester = long
    #expect(await failure { () throws(StoreError) in try account.addDecision(asked) }?.code == .limit)
    #expect(try account.rules().count == 4)
  }

  @Test("An account with rules does not make room for one more, as long as another can")
  @LoopActor func room() async throws {
    let store = try await Store.open(directory: nil)
    func key(_ number: Int) -> AccountKey { AccountKey(uid: 1000, jid: "\(number)@example.org", protocol: "xmpp") }
    try store.account(key(0)).setRule(rule(0))
    try store.account(key(1)).setPolicy("ask")
    for number in 2...256 { try store.account(key(number)).setLeastMechanism("\(number)") }
    #expect(try store.account(key(0)).rules() == [rule(0)])
    #expect(try store.account(key(1)).policy() == nil)
  }

  // MARK: Decisions

  @Test("They come newest first, in the order in which they were decided whatever the clock did, and as they are now")
  @LoopActor func order() async throws {
    let account = try await Store.open(directory: nil).account(juliet)
    let asked = [decision(5), decision(2, contact: "tybalt@example.net"), decision(9, by: nil)]
    for decision in asked { try account.addDecision(decision) }
    #expect(try account.decisions(contact: nil, since: .min, after: nil, limit: 9) == asked.reversed())
    #expect(try account.decisions(contact: "tybalt@example.net", since: .min, after: nil, limit: 9) == [asked[1]])
    #expect(try account.decisions(contact: "nurse@example.net", since: .min, after: nil, limit: 9) == [])
    #expect(
      try account.decisions(contact: nil, since: asked[0].decidedAt, after: nil, limit: 9) == [asked[2], asked[0]])
    #expect(try account.decisions(contact: nil, since: asked[0].decidedAt + 1, after: nil, limit: 9) == [asked[2]])
    #expect(try account.decisions(contact: nil, since: .min, after: nil, limit: 2) == [asked[2], asked[1]])
    for none in [0, -1] {
      #expect(try account.decisions(contact: nil, since: .min, after: nil, limit: none) == [])
    }
    try account.recount(id: asked[1].id, count: 77)
    try account.recount(id: "unknown", count: 78)
    var corrected = asked[0]
    corrected.outcome = "denied"
    try account.addDecision(corrected)
    let now = try account.decisions(contact: nil, since: .min, after: nil, limit: .max)
    #expect(now.map(\.id) == asked.reversed().map(\.id))
    #expect(now.map(\.count) == [1, 77, 1])
    #expect(now.map(\.outcome) == ["expired", "expired", "denied"])
  }

  @Test("The newest 1,000 of each account are kept, and the oldest goes")
  @LoopActor func mostDecisions() async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(juliet)
    #expect(StoredDecision.most == 1_000)
    try store.account(other).addDecision(decision(1))
    for number in 0..<1_003 { try account.addDecision(decision(number)) }
    let kept = try account.decisions(contact: nil, since: .min, after: nil, limit: .max)
    #expect(kept == (3..<1_003).reversed().map { decision($0) })
    // What is no longer kept is passed over, and what is corrected makes no room.
    try account.recount(id: decision(2).id, count: 5)
    try account.addDecision(decision(3))
    #expect(try account.decisions(contact: nil, since: .min, after: nil, limit: .max) == kept)
    #expect(try store.account(other).decisions(contact: nil, since: .min, after: nil, limit: 9).count == 1)
  }

  @Test("One more decision writes as much among 1,000 as among ten")
  @LoopActor func cost() async throws {
    @LoopActor func pages(among count: Int) async throws -> Int {
      let home = try Home()
      let store = try await home.open()
      let account = store.account(juliet)
      for number in 0..<count { try account.addDecision(decision(number)) }
      await store.log?.settle()
      var most = 0
      for number in count..<(count + 10) {
        let before = store.state.pagesInLog
        try account.addDecision(decision(number))
        // Where the log began anew there is no difference to look at.
        most = max(most, store.state.pagesInLog - before)
      }
      return most
    }
    let few = try await pages(among: 10)
    let many = try await pages(among: 3_000)
    // The trees are a little higher, and the oldest is taken out at their other end.
    #expect(few > 0 && many > 0 && many <= few + 12, "\(few) and \(many) pages")
  }

  @Test("Pages miss nothing and repeat nothing, whatever is decided, counted or dropped between them")
  @LoopActor func paging() async throws {
    let account = try await Store.open(directory: nil).account(juliet)
    func contact(_ number: Int) -> String { "contact\(number % 3)@example.net" }
    for number in 0..<StoredDecision.most { try account.addDecision(decision(number, contact: contact(number))) }
    var next = StoredDecision.most
    for wanted in [nil, contact(1)] {
      let begun = next
      var seen: [String] = []
      while true {
        let page = try account.decisions(contact: wanted, since: .min, after: seen.last, limit: 7)
        #expect(page.count <= 7)
        guard !page.isEmpty else { break }
        seen += page.map(\.id)
        // Meanwhile more is decided, and as much of the oldest goes.
        try account.addDecision(decision(next, contact: contact(next)))
        try account.recount(id: seen[0], count: 3)
        next += 1
      }
      // All that there were when it began and are there still, in order; none of those that came later.
      let there = (next - StoredDecision.most..<begun).reversed().filter { wanted == nil || contact($0) == wanted }
      let gone = Set((0..<next - StoredDecision.most).map { decision($0).id })
      #expect(seen.filter { !gone.contains($0) } == there.map { decision($0).id }, "\(wanted ?? "everybody")")
      #expect(Set(seen).count == seen.count)
    }
    // The one after which to go on has gone, and with it all that came before it.
    #expect(try account.decisions(contact: nil, since: .min, after: decision(0).id, limit: 7) == [])
    // Whoever asks for another contact's goes on from the same place.
    let place = decision(next - 5, contact: contact(next - 5)).id
    #expect(
      try account.decisions(contact: contact(next - 6), since: .min, after: place, limit: 1).map(\.id)
        == [decision(next - 6).id])
  }
}

/// The request of this number and what became of it.
func decision(_ number: Int, contact: String = "romeo@example.net", by person: UInt32? = 1000) -> StoredDecision {
  StoredDecision(
    id: "nonce-\(number)", contact: contact, requester: "\(contact)/orchard", reason: "media",
    receivedAt: Int64(number) * 10, decidedAt: Int64(number) * 10 + 5, outcome: "expired", judge: "nobody",
    decidedBy: person, count: 1, isInRoster: number % 2 == 0)
}

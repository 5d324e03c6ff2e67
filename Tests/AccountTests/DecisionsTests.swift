// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Store
import Testing
import XMPP

@Suite("What was asked while nobody watched", .timeLimit(.minutes(1)))
struct DecisionsTests {
  private let romeo = "romeo@montague.lit/garden"

  init() { EventLoop.runInBackground() }

  @LoopActor
  private func listed(_ home: Home, _ contact: String? = nil, since: UInt64 = 0) throws -> [String] {
    try home.account.decisions(of: contact.map { try BareJID($0) }, since: since, after: nil, limit: 100).map {
      "\($0.requester) \($0.reason) \($0.outcome) \($0.kindOfJudge) \($0.rule ?? "-") \($0.count)"
    }
  }

  @Test("Each request is there with what became of it, the newest first, and again in a later run")
  @LoopActor func outcomes() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.setPolicy(.ask)
    try home.account.setRule(.allow, for: .contact(BareAddress("nurse@capulet.lit")))
    try home.account.setRule(.deny, for: .domain("verona.lit"))
    try home.ask(romeo)
    try home.ask("tybalt@capulet.lit/x", reason: "text")
    #expect(try listed(home).isEmpty)
    try home.ask("nurse@capulet.lit/x", reason: "file")
    try home.ask("paris@verona.lit/x", reason: "")
    try home.server.say("<presence from='tybalt@capulet.lit/x' type='unavailable'/>")
    home.time.advance(by: .seconds(121))
    let all = [
      "\(romeo) media expired nobody - 1",
      "tybalt@capulet.lit text withdrawn nobody - 1",
      "paris@verona.lit/x  denied rule @verona.lit 1",
      "nurse@capulet.lit/x file approved rule nurse@capulet.lit 1",
    ]
    #expect(try listed(home) == all)
    #expect(try listed(home, "romeo@montague.lit") == [all[0]])
    #expect(try listed(home, "mercutio@montague.lit").isEmpty)
    #expect(try listed(try await Home(store: home.store)) == all)
    let newest = try #require(try home.account.decisions(of: nil, since: 0, after: nil, limit: 1).first)
    #expect(newest.decidedAt - newest.receivedAt >= 120_000_000)
    #expect(try listed(home, since: UInt64(newest.decidedAt)) == [all[0]])
    #expect(try listed(home, since: UInt64(newest.decidedAt) + 1).isEmpty)
    #expect(try listed(home, since: UInt64.max).isEmpty)
    let rest = try home.account.decisions(of: nil, since: 0, after: newest.id, limit: 2)
    #expect(rest.map(\.outcome) == ["withdrawn", "denied"])
  }

  @Test("With the policy off nothing is recorded, and what was recorded before is still there")
  @LoopActor func off() async throws {
    let home = try await Home()
    try await home.connect()
    try home.ask(romeo)
    #expect(try listed(home).isEmpty)
    try home.account.setPolicy(.rules)
    try home.ask(romeo)
    let before = try listed(home)
    try home.account.setPolicy(.off)
    try home.ask("tybalt@capulet.lit/x")
    #expect(try listed(home) == before)
  }

  @Test("Repeats in the silence after a no are counted at once, and written down in the end")
  @LoopActor func repeats() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.setPolicy(.ask)
    try home.ask(romeo)
    try home.account.deny(try #require(home.announced().first).id)
    for _ in 0..<3 { try home.ask(romeo) }
    #expect(try home.account.decisions(of: nil, since: 0, after: nil, limit: 9).map(\.count) == [4])
    #expect(try home.store.decisions(contact: nil, since: 0, after: nil, limit: 9).map(\.count) == [1])
    home.time.advance(by: .seconds(3600))
    // It need not be at once: whoever looks meanwhile is told of all of them.
    try home.ask("tybalt@capulet.lit/x")
    #expect(try home.account.decisions(of: nil, since: 0, after: nil, limit: 9).map(\.count) == [4])
    home.time.advance(by: .seconds(121))
    #expect(try home.store.decisions(contact: "romeo@montague.lit", since: 0, after: nil, limit: 9).map(\.count) == [4])
  }
}

// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XMPP

@testable import Store

/// What was decided about those who ask, beyond the life of the program.
@Suite("The policy and the rules that are kept", .timeLimit(.minutes(1)))
struct KeptDecloakTests {
  private let romeo = "romeo@montague.lit/garden"
  private let key = AccountKey(uid: 1000, jid: "juliet@localhost", protocol: "xmpp")
  private let montagues = RuleSubject.domain("montague.lit")
  private let rome = RuleSubject.contact(BareAddress("romeo@montague.lit"))

  init() { EventLoop.runInBackground() }

  @LoopActor
  private func refusal(_ work: @LoopActor () throws -> Void) -> AccountError? {
    #expect(throws: AccountError.self) { try work() }
  }

  @Test("A later run begins with them: the first request is answered by a rule of an earlier one")
  @LoopActor func later() async throws {
    let first = try await Home()
    try first.account.setPolicy(.rules)
    try first.account.setRule(.deny, for: montagues, by: 1001)
    try first.account.setRule(.allow, for: rome)
    try first.account.setRule(.ask, for: .contact(BareAddress("paris@verona.lit")))
    try first.account.setRule(nil, for: .contact(BareAddress("paris@verona.lit")))
    let home = try await Home(store: first.store)
    #expect(home.account.decloak.policy == .rules)
    #expect(home.account.decloak.rules.all == [montagues: .deny, rome: .allow])
    try await home.connect()
    try home.ask("mercutio@montague.lit/x")
    #expect(try home.server.take().isEmpty)
    try home.ask(romeo)
    #expect(try presences(home.server.take()).count == 1)
    let kept = try home.store.rules()
    #expect(kept.map(\.subject) == ["@montague.lit", "romeo@montague.lit"])
    #expect(kept.map(\.madeBy) == [1001, 1000])
    #expect(kept.map(\.madeWith) == ["SetRule", "SetRule"])
    #expect(kept.allSatisfy { $0.madeAt > 0 })
  }

  @Test("A no to a domain is one in a later run, too, whatever letters the domain begins with")
  @LoopActor func strangeDomain() async throws {
    let first = try await Home()
    try first.account.setRule(.deny, for: .domain("\u{301}x.lit"))
    let home = try await Home(store: first.store)
    #expect(home.account.decloak.rules.all == [.domain("\u{301}x.lit"): .deny])
  }

  @Test("What was written by nobody here is no leave: an unknown policy is off, an unknown rule a no")
  @LoopActor func unknown() async throws {
    let store = try await Home.emptyStore()
    try store.setPolicy("always")
    let off = try await Home(store: store)
    #expect(off.account.decloak.policy == .off)
    try store.setPolicy("allow")
    try store.setRule(
      StoredRule(subject: "romeo@montague.lit", decision: "maybe", madeAt: 0, madeBy: 0, madeWith: "SetRule"))
    let home = try await Home(store: store)
    #expect(home.account.decloak.policy == .allow && home.account.decloak.rules[rome] == .deny)
  }

  @Test("Where they cannot be read nobody is answered, and nothing is decided without them")
  @LoopActor func unreadable() async throws {
    let store = try await Store.open(directory: nil)
    let kept = store.account(key)
    try kept.setPolicy("allow")
    try kept.setRule(
      StoredRule(subject: "romeo@montague.lit", decision: "deny", madeAt: 0, madeBy: 0, madeWith: "SetRule"))
    try store.state.database.query("UPDATE rule SET made_by = -1")
    let home = try await Home(store: kept)
    #expect(home.account.decloak.policy == .off)
    try await home.connect()
    // That they could be read by now does not tell the account what is in them.
    try store.state.database.query("UPDATE rule SET made_by = 0")
    #expect(refusal { try home.account.setPolicy(.allow) }?.code == .storageFailed)
    #expect(refusal { try home.account.setRule(.allow, for: rome) }?.code == .storageFailed)
    try home.ask(romeo)
    #expect(try home.server.take().isEmpty)
    #expect(try kept.policy() == "allow" && kept.rules().map(\.decision) == ["deny"])
  }

  @Test("They are written down before anything of them leaves or is told")
  @LoopActor func first() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.setPolicy(.ask)
    try home.ask(romeo)
    let request = try #require(home.announced().first)
    var found: [String] = []
    func look() {
      let rules = (try? home.store.rules().map(\.subject)) ?? []
      let decisions = (try? home.store.decisions(contact: nil, since: 0, after: nil, limit: 9).map(\.outcome)) ?? []
      found.append((rules + decisions).joined(separator: " "))
    }
    try home.server.onSend = look
    home.onEvent = { _ in look() }
    try home.account.approve(request.id, scope: .domain, full: false, lifetime: nil)
    #expect(found.count > 2)
    #expect(Set(found) == ["@montague.lit approved"])
  }

  @Test("What cannot be written down has not happened: no answer leaves, and the request waits on")
  @LoopActor func unwritable() async throws {
    let store = try await Store.open(directory: nil)
    let home = try await Home(store: store.account(key))
    try await home.connect()
    try home.account.setPolicy(.ask)
    try home.ask(romeo)
    let request = try #require(home.announced().first)
    _ = try home.server.take()
    try store.state.database.query("PRAGMA query_only = ON")
    var events = 0
    home.onEvent = { _ in events += 1 }
    let account = home.account
    for work: @LoopActor () throws -> Void in [
      { try account.approve(request.id, full: false, lifetime: nil) },
      { try account.approve(request.id, scope: .contact, full: true, lifetime: 5) },
      { try account.approve(request.id, scope: .domain, full: false, lifetime: nil) },
      { try account.deny(request.id) },
      { try account.deny(request.id, scope: .domain) },
      { try account.setRule(.allow, for: self.rome) },
      { try account.setRule(.deny, for: self.montagues) },
      { try account.setPolicy(.allow) },
    ] { #expect(refusal(work)?.code == .storageFailed) }
    #expect(account.decloak.policy == .ask && account.decloak.rules.count == 0)
    #expect(account.decloak.pendingRequests.map(\.id) == [request.id])
    #expect(account.audience.sessions.isEmpty && events == 0)
    #expect(try home.server.take().isEmpty)
  }

  @Test("Whom a rule answers does not depend on whether that can be written down")
  @LoopActor func automatic() async throws {
    let store = try await Store.open(directory: nil)
    let home = try await Home(store: store.account(key))
    try await home.connect()
    try home.account.setPolicy(.rules)
    try home.account.setRule(.allow, for: rome)
    try store.state.database.query("PRAGMA query_only = ON")
    try home.ask("mercutio@montague.lit/x")
    #expect(try home.server.take().isEmpty)
    try home.ask(romeo)
    #expect(try presences(home.server.take()).count == 1)
  }

  @Test("Each change is told once, and what changes nothing is neither told nor written")
  @LoopActor func told() async throws {
    let home = try await Home()
    var (policies, rules) = (0, 0)
    home.onEvent = {
      if case .policyChanged = $0 { policies += 1 }
      if case .rulesChanged = $0 { rules += 1 }
    }
    for uid: UInt32 in [1000, 1001] {
      try home.account.setPolicy(.ask, by: uid)
      try home.account.setRule(.allow, for: rome, by: uid)
    }
    try home.account.setRule(nil, for: montagues)
    #expect([policies, rules] == [1, 1])
    #expect(try home.store.rules().map(\.madeBy) == [1000])
    try home.account.setRule(.ask, for: rome)
    try home.account.setRule(nil, for: rome)
    try home.account.setPolicy(.off)
    #expect([policies, rules] == [2, 3])
  }

  @Test("An answer with a scope makes its rule, and says who made it; once makes none")
  @LoopActor func scopes() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.setPolicy(.ask)
    for asker in ["a@one.lit/x", "b@two.lit/x", "c@three.lit/x", "d@three.lit/x"] { try home.ask(asker) }
    let ids = home.announced().map(\.id)
    try #require(ids.count == 4)
    try home.account.approve(ids[0], full: false, lifetime: nil, by: 7)
    try home.account.deny(ids[1], scope: .contact, by: 8)
    #expect(try presences(home.server.take()).count == 1)
    try home.account.approve(ids[2], scope: .domain, full: false, lifetime: nil, by: 9)
    #expect(try presences(home.server.take()).count == 2)
    let rules = try home.store.rules()
    #expect(
      rules.map { "\($0.subject) \($0.decision) \($0.madeBy) \($0.madeWith)" } == [
        "@three.lit allow 9 Approve", "b@two.lit deny 8 Deny",
      ])
    let kept = try home.account.decisions(of: nil, since: 0, after: nil, limit: 10)
    #expect(
      Set(kept.map { "\($0.contact) \($0.outcome) \($0.kindOfJudge) \($0.decidedBy.map(String.init) ?? "")" })
        .isSuperset(of: ["a@one.lit approved person 7", "b@two.lit denied person 8", "c@three.lit approved person 9"]))
    #expect(kept.count == 4)
    // The same again succeeds, and makes no rule where there was none.
    try home.account.approve(ids[0], full: false, lifetime: nil)
    #expect(try home.account.decisions(of: nil, since: 0, after: nil, limit: 10).count == 4)
  }

  @Test("It sees itself anyway, and is not decided about; once removed, nothing is")
  @LoopActor func refused() async throws {
    let home = try await Home()
    let ours = RuleSubject.contact(BareAddress("juliet@localhost"))
    #expect(refusal { try home.account.setRule(.deny, for: ours) }?.code == .invalidArgument)
    await home.account.retire()
    try await home.account.forget()
    #expect(refusal { try home.account.setPolicy(.ask) }?.code == .cancelled)
    #expect(refusal { try home.account.setRule(.deny, for: rome) }?.code == .cancelled)
    #expect(try home.store.policy() == nil && home.store.rules().isEmpty)
  }
}

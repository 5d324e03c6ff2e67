// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing

@testable import Store

@Suite("What is kept of a gateway", .timeLimit(.minutes(1)))
struct StoredGatewayTests {
  private let key = AccountKey(uid: 1000, jid: "sip.example.org", protocol: "xmpp-component")

  init() { EventLoop.runInBackground() }

  private func disclosure(_ number: Int, _ target: String = "romeo%h@sip.example.org") -> Disclosure {
    Disclosure(resource: target, jid: "user\(number)@example.org/r")
  }
  private func subscription(_ number: Int) -> StoredSubscription {
    StoredSubscription(contact: "user\(number)@example.org", target: "romeo%h@sip.example.org")
  }

  @Test("What one turn decided is there after a new start, of each gateway its own, and is forgotten with it")
  @LoopActor func kept() async throws {
    let home = try Home()
    let store = try await home.open()
    var changes = GatewayChanges()
    changes.shown = [disclosure(1), disclosure(1, "b@sip.example.org"), disclosure(2)]
    changes.subscribed = [subscription(2), subscription(1)]
    var answered = decision(1)
    answered.target = "romeo%h@sip.example.org"
    changes.decisions = [answered]
    try store.account(key).write(changes)
    var more = GatewayChanges()
    more.hidden = [disclosure(2)]
    more.unsubscribed = [subscription(1)]
    more.recounts = [(answered.id, 7)]
    try store.account(key).write(more)
    await store.close()
    let again = try await home.open()
    let account = again.account(key)
    #expect(try account.disclosures() == [disclosure(1, "b@sip.example.org"), disclosure(1)])
    #expect(try account.subscriptions() == [subscription(2)])
    answered.count = 7
    #expect(try account.decisions(contact: nil, since: .min, after: nil, limit: 9) == [answered])
    #expect(try again.account(juliet).subscriptions() == [])
    try await account.forget()
    #expect(try account.subscriptions() == [] && account.disclosures() == [])
  }

  @Test("Of whom it is to be told that a subscription is over is kept until it is told, and no longer")
  @LoopActor func ended() async throws {
    let account = try await Store.open(directory: nil).account(key)
    var changes = GatewayChanges()
    changes.subscribed = [subscription(1), subscription(2), subscription(3)]
    try account.write(changes)
    changes = GatewayChanges()
    (changes.unsubscribed, changes.ended) = ([subscription(1), subscription(2)], [subscription(1), subscription(2)])
    try account.write(changes)
    #expect(try account.subscriptions() == [subscription(3)])
    #expect(try account.endedSubscriptions() == [subscription(1), subscription(2)])
    changes = GatewayChanges()
    changes.subscribed = [subscription(2)]
    try account.write(changes)
    changes = GatewayChanges()
    changes.told = [subscription(1), subscription(2), subscription(3)]
    #expect(!changes.isEmpty)
    try account.write(changes)
    #expect(try account.subscriptions() == [subscription(2), subscription(3)])
    #expect(try account.endedSubscriptions() == [])
  }

  @Test("All of it is written or nothing, and what it counts stays true")
  @LoopActor func together() async throws {
    let account = try await Store.open(directory: nil).account(key)
    var changes = GatewayChanges()
    changes.shown = [disclosure(1)]
    try account.write(changes)
    changes.shown = [disclosure(2)]
    changes.subscribed = [StoredSubscription(contact: String(repeating: "x", count: 4_000), target: "a@b")]
    #expect(throws: StoreError.self) { try account.write(changes) }
    #expect(try account.disclosures() == [disclosure(1)])
    changes.subscribed = [subscription(1), subscription(1)]
    try account.write(changes)
    #expect(try account.disclosures() == [disclosure(1), disclosure(2)])
    #expect(try account.subscriptions() == [subscription(1)])
    #expect(account.countOfDisclosures == 2)
  }

  @Test("What ends and begins anew in one turn is there; so many can be shown, and no more")
  @LoopActor func again() async throws {
    let account = try await Store.open(directory: nil).account(key)
    var changes = GatewayChanges()
    changes.shown = [disclosure(1)]
    try account.write(changes)
    changes.hidden = [disclosure(1)]
    try account.write(changes)
    #expect(try account.disclosures() == [disclosure(1)])
    account.countOfDisclosures = GatewayChanges.mostDisclosures
    changes.hidden = []
    changes.shown = [disclosure(2)]
    let error = #expect(throws: StoreError.self) { try account.write(changes) }
    #expect(error?.code == .limit)
  }

  @Test("Tables from before there were gateways are brought up to date, with the decisions in them")
  @LoopActor func migration() async throws {
    let home = try Home()
    let schema = Schema(
      applicationID: StateDatabase.schema.applicationID, steps: Array(StateDatabase.schema.steps.prefix(3)))
    let files = try StoreDirectory(home.path)
    try files.prepare("state.db")
    let old = try Database(home.file("state.db"), schema, checkpointsItself: false)
    try old.query(
      "INSERT INTO account (id, uid, jid, protocol, used) VALUES (7, ?, ?, ?, 1)",
      [.integer(Int64(juliet.uid)), .text(juliet.jid), .text(juliet.protocol)])
    try old.query(
      "INSERT INTO decision VALUES (7, 1, 'id', 'a@b', 'a@b/c', 'media', 1, 2, 'denied', 'person', 1000, 1, 0)")
    old.close()
    files.release()
    let account = try await home.open().account(juliet)
    let found = try #require(try account.decisions(contact: nil, since: .min, after: nil, limit: 9).first)
    #expect(found.id == "id" && found.target == nil && found.decidedBy == 1000)
    #expect(try account.subscriptions() == [])
  }
}

// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Store
import Testing
import XML
import XMPP

@testable import Gateway

@Suite("Subscriptions to a gateway's addresses")
struct SubscriptionTests {
  private let nurse = "nurse@shakespeare.lit"

  init() { EventLoop.runInBackground() }

  private var subscribed: String { "<presence from='\(House.romeo)' to='\(nurse)' type='subscribed'/>" }

  @Test("By policy a subscription is granted and shown; it ends with unavailable, and is kept meanwhile")
  @LoopActor func allowed() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.presence("subscribe", from: nurse)
    let sent = try house.taken()
    #expect(sent.count == 2 && sent[0] == subscribed && isShown(sent[1], to: nurse))
    #expect(try house.store.subscriptions().map(\.target) == [House.romeo])
    try house.presence("unsubscribe", from: nurse)
    let ended = try house.taken()
    #expect(Set(ended) == [gone(to: nurse), "<presence from='\(House.romeo)' to='\(nurse)' type='unsubscribed'/>"])
    #expect(try house.store.subscriptions().isEmpty)
  }

  @Test("Where a person is to be asked it is listed; the other side hears nothing before the yes, and nothing of a no")
  @LoopActor func asked() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.ask)
    try house.presence("subscribe", from: nurse)
    try house.presence("subscribe", from: "tybalt@shakespeare.lit")
    #expect(try house.taken().isEmpty)
    #expect(house.account.gateway.subscriptions.requests.map(\.subscription.contact.text).contains(nurse))
    try house.account.denySubscription(try BareJID("tybalt@shakespeare.lit"), target: nil)
    #expect(try house.taken().isEmpty)
    try house.account.authorizeSubscription(try BareJID(nurse), target: nil, reveal: false)
    let sent = try house.taken()
    #expect(sent.count == 2 && sent[0] == subscribed && isShown(sent[1], to: nurse))
    #expect(throws: AccountError.self) {
      try house.account.authorizeSubscription(try BareJID(nurse), target: nil, reveal: false)
    }
  }

  @Test("Probes are answered for those who are subscribed or were shown the address, and for nobody else")
  @LoopActor func probes() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.presence("probe", from: "\(nurse)/a")
    #expect(try house.taken().isEmpty)
    try house.presence("subscribe", from: nurse)
    try house.ask()
    _ = try house.taken()
    try house.presence("probe", from: "\(nurse)/a")
    try house.presence("probe")
    try house.presence("probe", from: "tybalt@shakespeare.lit")
    let sent = try house.taken()
    #expect(sent.count == 2 && isShown(sent[0], to: "\(nurse)/a") && isShown(sent[1]))
  }

  @Test("Where others serve the domain, too, nobody is subscribed, and a person is told")
  @LoopActor func balanced() async throws {
    let house = try await House(isBalanced: true).connect()
    #expect(house.account.degradations == ["no-subscriptions"])
    try house.account.setPolicy(.allow)
    try house.presence("subscribe", from: nurse)
    #expect(try house.taken().isEmpty)
    try house.ask()
    #expect(try house.taken().count == 1)
  }

  @Test("A subscription that is taken back while there is no connection is ended with the next one")
  @LoopActor func cancelledOffline() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.presence("subscribe", from: nurse)
    _ = try house.taken()
    try house.server.cut()
    #expect(try house.account.cancelSubscription(try BareJID(nurse), target: nil) == 1)
    #expect(try house.store.subscriptions().isEmpty)
    house.time.advance(by: .seconds(1))
    let sent = try house.taken()
    #expect(Set(sent) == [gone(to: nurse), "<presence from='\(House.romeo)' to='\(nurse)' type='unsubscribed'/>"])
  }

  @Test("The end of a subscription that nobody could be told of is told by the next run, and once")
  @LoopActor func cancelledAndForgotten() async throws {
    let store = try await House.emptyStore()
    let first = try await House(store: store).connect()
    try first.account.setPolicy(.allow)
    try first.presence("subscribe", from: nurse)
    _ = try first.taken()
    await first.account.disconnect()
    #expect(try first.account.cancelSubscription(try BareJID(nurse), target: nil) == 1)
    let second = try await House(nonce: "second", store: store)
    try await second.account.connect()
    let end = "<presence from='\(House.romeo)' to='\(nurse)' type='unsubscribed'/>"
    #expect(try second.taken() == [end])
    second.account.doorkeeper.flush()
    let third = try await House(nonce: "third", store: store)
    try await third.account.connect()
    #expect(try third.taken().isEmpty)
    // Who is subscribed again meanwhile stays it.
    try third.presence("subscribe", from: nurse)
    try third.presence("unsubscribe", from: nurse)
    try third.presence("subscribe", from: nurse)
    #expect(try third.taken().contains(end))
    third.account.doorkeeper.flush()
    #expect(try store.subscriptions().map(\.contact) == [nurse] && store.endedSubscriptions().isEmpty)
  }

  @Test("The end of a subscription that is lost with the stream is told by the next one")
  @LoopActor func lostEnd() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.presence("subscribe", from: nurse)
    _ = try house.taken()
    try house.presence("unsubscribe", from: nurse)
    try house.server.cut()
    house.time.advance(by: .seconds(1))
    #expect(try house.taken().contains("<presence from='\(House.romeo)' to='\(nurse)' type='unsubscribed'/>"))
    house.account.doorkeeper.flush()
    #expect(try house.store.endedSubscriptions().isEmpty)
  }

  @Test("Thousands who are subscribed are shown the address one after the other, not all at once")
  @LoopActor func paced() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    for number in 0..<2_500 { try house.presence("subscribe", from: "user\(number)@d\(number % 10).lit") }
    _ = try house.taken()
    try house.server.cut()
    house.account.surroundingsChanged()
    #expect(try house.taken().count == GatewayAccount.burst)
    house.time.advance(by: GatewayAccount.interval)
    #expect(try house.taken().count == GatewayAccount.burst)
    house.time.advance(by: GatewayAccount.interval)
    #expect(try house.taken().count == 500)
  }
}

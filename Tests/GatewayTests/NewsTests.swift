// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XMPP

@testable import Gateway

@Suite("What a gateway tells of strangers who do things without end")
struct NewsTests {
  init() { EventLoop.runInBackground() }

  private func address(_ number: Int) -> String { "\(number)%shakespeare.lit@sip.shakespeare.lit" }

  @Test("Of sessions that end at once some are told, and so many a second of those that follow")
  @LoopActor func ends() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    for number in 0..<64 { try house.ask(address(number)) }
    #expect(house.account.gateway.sessionCount == 64)
    try house.account.setPolicy(.off)
    #expect(house.account.gateway.sessionCount == 0)
    #expect(house.sessionEnds().count == Limits.toldAtOnce)
    house.time.advance(by: .seconds(1))
    try house.account.setPolicy(.allow)
    for number in 0..<64 { try house.ask(address(number)) }
    #expect(house.account.revoke(nil) >= 64)
    #expect(house.sessionEnds().count == Limits.toldAtOnce + Limits.toldPerSecond)
  }

  @Test("The end of a session in which a program has a part is always told, and nothing is remembered of it")
  @LoopActor func followed() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    for number in 0..<64 { try house.ask(address(number)) }
    let (own, juliet) = (try JID(address(63)), try JID(House.juliet))
    _ = try house.account.sendMessage(
      .chat, to: juliet, from: own, payload: "<body>Hello</body>", reveal: false, from: ":1.1")
    try house.account.share(try JID("nurse@shakespeare.lit"), from: own, full: false, lifetime: nil)
    #expect(house.account.news.followedCount == 2)
    try house.account.setPolicy(.off)
    _ = house.account.revoke(nil)
    for contact in ["juliet@shakespeare.lit", "nurse@shakespeare.lit"] {
      #expect(house.sessionEnds().contains { $0.hasPrefix("\(own) \(contact) they-see-me") }, "\(contact)")
    }
    #expect(house.account.news.followedCount == 0)
    _ = try? house.account.sendMessage(
      .chat, to: juliet, from: own, payload: "<body>Hello</body>", reveal: true, from: ":1.1")
    #expect(house.account.news.followedCount == 0, "there is no session that could end")
  }

  @Test("Who subscribes and leaves without end is told of now and then")
  @LoopActor func subscribers() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    for _ in 0..<50 {
      try house.presence("subscribe", from: "juliet@shakespeare.lit")
      try house.presence("unsubscribe", from: "juliet@shakespeare.lit")
    }
    try house.presence("subscribe", from: "juliet@shakespeare.lit")
    let told = house.events.count { if case .subscriberChanged = $0 { true } else { false } }
    #expect(told == Limits.toldAtOnce)
    #expect(house.account.gateway.subscriptions.count == 1, "the list has it")
  }

  @Test("Of many who ask for a subscription at once some are told, and all are listed")
  @LoopActor func subscriptionRequests() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.ask)
    for number in 0..<50 { try house.presence("subscribe", from: "juliet@\(number).lit") }
    let told = house.events.count { if case .subscriptionRequested = $0 { true } else { false } }
    #expect(told == Limits.toldAtOnce)
    #expect(house.account.gateway.subscriptions.requests.count == 50)
  }
}

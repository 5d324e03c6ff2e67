// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XMPP

@testable import Gateway
@testable import Store

@Suite("A gateway shares presence on behalf of others")
struct SharingTests {
  init() { EventLoop.runInBackground() }

  @Test(
    "Listings 4 and 5: by policy a request is answered at once, with capabilities and no more, in the address's name")
  @LoopActor func listings() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.ask()
    let sent = try house.taken()
    #expect(sent.count == 1)
    let hash = house.account.ownCapabilities.hash
    #expect(
      sent.first
        == "<presence from='\(House.romeo)' to='\(House.juliet)'>"
        + "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://nightcloak.org' ver='\(hash)'/>"
        + "<x xmlns='vcard-temp:x:update'><photo/></x></presence>")
    #expect(house.announced().first?.isAutomatic == true)
  }

  @Test("Nothing is sent by policy off, by policy rules without a rule, or to whoever a rule keeps out")
  @LoopActor func silence() async throws {
    let house = try await House().connect()
    try house.ask()
    try house.account.setPolicy(.rules)
    try house.ask(from: "tybalt@shakespeare.lit/library")
    try house.account.setPolicy(.allow)
    try house.account.setRule(.deny, for: .domain("montague.lit"))
    try house.ask(from: "romeo@montague.lit/garden")
    #expect(try house.taken().isEmpty)
    #expect(house.account.gateway.sessionCount == 0)
  }

  @Test(
    "A request that waits shows nothing before the yes, which is written down first; the yes is for this asker alone")
  @LoopActor func approved() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.ask)
    try house.ask()
    try house.ask(from: "tybalt@shakespeare.lit/library")
    #expect(try house.taken().isEmpty)
    let request = try #require(house.announced().first)
    try house.account.approve(request.id, full: false, lifetime: nil)
    #expect(try house.store.disclosures().map(\.jid) == [House.juliet])
    let sent = try house.taken()
    #expect(sent.count == 1 && isShown(sent[0]))
    let decision = try #require(try house.account.decisions(of: nil, since: 0, after: nil, limit: 10).first)
    #expect(decision.target == House.romeo && decision.contact == "juliet@shakespeare.lit")
    #expect(decision.outcome == "approved" && decision.judge == "person")
    let error = #expect(throws: AccountError.self) { try house.account.deny(request.id) }
    #expect(error?.code == .alreadyResolved)
  }

  @Test(
    "A session ends with unavailable to whoever saw the address, and nothing to whoever has gone by itself",
    arguments: ["revoke", "expire", "off", "invisible", "disconnect", "left"])
  @LoopActor func ends(_ way: String) async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.ask()
    try house.ask(from: "tybalt@shakespeare.lit/library")
    try house.presence("unavailable", from: "tybalt@shakespeare.lit/library")
    #expect(try house.taken().count == 2)
    switch way {
    case "revoke": #expect(house.account.revoke(try BareJID("juliet@shakespeare.lit")) == 2)
    case "expire": house.time.advance(by: .seconds(3600))
    case "off": try house.account.setPolicy(.off)
    case "invisible": try await house.account.setVisibility(.invisible)
    case "disconnect": await house.account.disconnect()
    default: try house.presence("unavailable")
    }
    #expect(try house.taken() == (way == "left" ? [] : [gone()]))
    #expect(house.account.gateway.sessionCount == 0)
    house.account.doorkeeper.flush()
    #expect(try house.store.disclosures().isEmpty)
    let cause = [
      "revoke": "revoked", "expire": "expired", "off": "revoked", "invisible": "hidden", "disconnect": "disconnected",
      "left": "peer-left",
    ][way]
    #expect(house.sessionEnds().contains("\(House.romeo) juliet@shakespeare.lit they-see-me \(cause ?? "")"))
  }

  @Test("What one turn decides is written in one go, and before any of it is sent")
  @LoopActor func batch() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    for number in 0..<100 { try house.ask(from: "user\(number)@shakespeare.lit/r") }
    #expect(try house.server.take().isEmpty)
    #expect(try house.store.disclosures().isEmpty)
    var known: [Int] = []
    try house.server.onSend = { _ in
      known.append((try? house.store.disclosures().count) ?? 0)
      return nil
    }
    house.account.doorkeeper.flush()
    #expect(known == Array(repeating: 100, count: 100))
  }

  @Test("What cannot be written down is not shown, and the caller is told")
  @LoopActor func unwritten() async throws {
    let kept = try await Store.open(directory: nil)
    let house = try await House(store: kept.account(House.key)).connect()
    try house.account.setPolicy(.allow)
    await kept.close()
    try house.ask()
    #expect(try house.taken().isEmpty)
    let error = #expect(throws: AccountError.self) {
      try house.account.share(
        try JID("tybalt@shakespeare.lit"), from: try JID(House.romeo), full: false, lifetime: nil)
    }
    #expect(error?.code == .storageFailed)
    #expect(try house.taken().isEmpty)
  }

  @Test("A full disk keeps nobody from hiding: it is done, told that it will be forgotten, and kept when there is room")
  @LoopActor func hidingOnAFullDisk() async throws {
    let store = try await Store.open(directory: nil)
    let house = try await House(store: store.account(House.key)).connect()
    try house.account.setPolicy(.allow)
    try house.ask()
    #expect(try house.taken().count == 1)
    try store.state.database.query("PRAGMA query_only = ON")
    for round in 0..<2 {
      let error = await #expect(throws: AccountError.self) { try await house.account.setVisibility(.invisible) }
      #expect(error?.code == .storageFailed && error?.text.contains("holds now") == true)
      #expect(try house.taken() == (round == 0 ? [gone()] : []))
    }
    let error = #expect(throws: AccountError.self) { try house.account.setPolicy(.off) }
    #expect(error?.text.contains("holds now") == true && house.account.gateway.policy == .off)
    #expect(try house.store.policy() == "allow")
    try store.state.database.query("PRAGMA query_only = OFF")
    try await house.account.setVisibility(.invisible)
    try house.account.setPolicy(.off)
    #expect(try VisibilityWish.kept(in: house.store) == .invisible && house.store.policy() == "off")
  }

  @Test("Show and status go to those who see all of it, and to nobody else")
  @LoopActor func showAndStatus() async throws {
    let house = try await House().connect()
    house.account.setPresence(show: .away, status: "On the road")
    try house.account.setPolicy(.allow)
    try house.ask()
    let first = try house.taken()
    #expect(first.count == 1 && !first[0].contains("away"))
    try house.account.share(
      try JID("nurse@shakespeare.lit"), from: try JID(House.romeo), full: true, lifetime: nil)
    let shared = try house.taken()
    #expect(shared.count == 1 && shared[0].contains("<show>away</show>"))
    house.account.setPresence(show: .dnd, status: "")
    let sent = try house.taken()
    #expect(sent.count == 1 && sent[0].contains("to='nurse@shakespeare.lit'") && sent[0].contains("dnd"))
  }
}

// SPDX-License-Identifier: Apache-2.0

import Audience
import EventLoop
import Store
import Testing
import XMPP

@testable import Account

@Suite("Upgrading a session")
struct UpgradeTests {
  init() { EventLoop.runInBackground() }

  @Test("Upgrade of a session with one resource asks the whole account for a subscription")
  @LoopActor func upgradeOfOneResource() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.setPolicy(.ask)
    try home.ask("romeo@localhost/r")
    let id = try #require(home.announced().first?.id)
    try home.account.approve(id, full: false, lifetime: nil)
    _ = try home.server.take()
    try await home.account.upgrade(BareJID("romeo@localhost"), reveal: false)
    let sent = try presences(home.server.take())
    #expect(sent.count == 2)
    #expect(sent.allSatisfy { $0.contains("to='romeo@localhost'") })
    #expect(sent.first?.contains("'subscribed'") == true && sent.last?.contains("'subscribe'") == true)
  }

  @Test("A list lets an upgrade through, and whoever is to see us is not told meanwhile that we went")
  @LoopActor func upgradeBehindList() async throws {
    let lists = ScriptedLists()
    let home = try await Home(mode: .invisible)
    home.onOpen = { lists.attach(to: $0) }
    try await home.account.connect()
    try home.account.setPolicy(.ask)
    try home.ask("romeo@localhost/r")
    try home.account.approve(#require(home.announced().first?.id), full: false, lifetime: nil)
    try await home.account.upgrade(BareJID("romeo@localhost"), reveal: true)
    try await home.account.fence()
    _ = lists.take()
    try home.server.say(
      """
      <iq type='set' id='p'><query xmlns='jabber:iq:roster'>\
      <item jid='romeo@localhost' subscription='none' ask='subscribe'/></query></iq>
      """)
    try await home.account.fence()
    #expect(lists.take().filter { $0.contains("<presence") }.isEmpty)
    #expect(try !home.store.disclosures().map(\.jid).contains("romeo@localhost"))
  }
}

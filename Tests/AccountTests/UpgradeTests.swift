// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XMPP

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
}

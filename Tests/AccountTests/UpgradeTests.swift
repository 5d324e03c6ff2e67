// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XMPP

@Suite("From a session to a subscription")
struct UpgradeTests {
  init() { EventLoop.runInBackground() }

  @Test("An upgrade of a session with one resource reaches the contact")
  @LoopActor func oneResource() async throws {
    let home = try Home()
    try await home.connect()
    home.account.setPolicy(.allow)
    try home.ask("romeo@montague.lit/garden")
    _ = try home.server.take()
    try home.account.upgrade(BareJID("romeo@montague.lit"), reveal: false)
    let sent = try presences(home.server.take())
    #expect(sent.count == 2)
    #expect(sent.first?.contains("type='subscribed'") == true)
    #expect(sent.last?.contains("type='subscribe'") == true)
    #expect(sent.allSatisfy { $0.contains("to='romeo@montague.lit'") })
  }
}

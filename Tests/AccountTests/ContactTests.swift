// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XMPP

@Suite("Contacts")
struct ContactTests {
  init() { EventLoop.runInBackground() }

  @Test("Of a status text without end, the beginning is kept")
  @LoopActor func longStatus() async throws {
    let home = try await Home(roster: "<item jid='nurse@localhost' subscription='to'/>")
    try await home.connect()
    let status = String(repeating: "e\u{301}", count: 5000)
    try home.server.say("<presence from='nurse@localhost/r'><status>\(status)</status></presence>")
    let kept = try #require(home.account.presences.best(of: BareJID("nurse@localhost"))?.status)
    #expect(kept.unicodeScalars.count == 1024)
  }

  @Test("Taking a contact off the roster that we have asked for a subscription needs reveal: the server tells it")
  @LoopActor func removalWhileAsking() async throws {
    let home = try await Home(roster: "<item jid='nurse@localhost' subscription='none' ask='subscribe'/>")
    try await home.connect()
    let nurse = try BareJID("nurse@localhost")
    await #expect(throws: AccountError.self) { try await home.account.removeContact(nurse, reveal: false) }
    #expect(try home.server.take().isEmpty)
  }
}

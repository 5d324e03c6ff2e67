// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Store
import Testing
import XML
import XMPP

@Suite("A roster of 100,000 contacts", .timeLimit(.minutes(2)))
struct LargeRosterTests {
  init() { EventLoop.runInBackground() }

  @Test("It is taken, kept, and read back; contacts above the limit are left out")
  @LoopActor func hundredThousand() async throws {
    let items = (0..<100_001).map { number in
      "<item jid='contact\(number)@example.org' name='C \(number)' subscription='both'><group>G</group></item>"
    }
    let store = try await Home.emptyStore()
    let home = try await Home(roster: items.joined(), store: store)
    home.onOpen = {
      $0.features = StreamFeatures([Element("ver", "urn:xmpp:features:rosterver")])
      $0.rosterVersion = "v1"
    }
    try await home.account.connect()
    #expect(home.account.roster.items.count == 100_000)
    #expect(home.account.audience.subscribers.count == 100_000)
    let later = try await Home(store: store)
    later.onOpen = {
      $0.features = StreamFeatures([Element("ver", "urn:xmpp:features:rosterver")])
      $0.rosterVersion = "v1"
    }
    try await later.account.connect()
    #expect(later.account.roster.items == home.account.roster.items)
  }
}

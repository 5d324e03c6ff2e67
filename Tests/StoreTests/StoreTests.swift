// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Store
import Testing

@Suite("The store")
struct StoreTests {
  init() { EventLoop.runInBackground() }

  @Test("What is written is read again")
  @LoopActor func writeAndRead() async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(AccountKey(uid: 1000, jid: "juliet@example.org", protocol: "xmpp"))
    #expect(try account.leastMechanism() == nil)
    try account.setLeastMechanism("SCRAM-SHA-256")
    #expect(try account.leastMechanism() == "SCRAM-SHA-256")
  }
}

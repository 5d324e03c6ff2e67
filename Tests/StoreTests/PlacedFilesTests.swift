// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import Support
import Testing

@testable import Store

@Suite("Files that go while they are open")
struct PlacedFilesTests {
  init() { EventLoop.runInBackground() }

  @Test("Nothing is promised about a file that no later run will find", arguments: ["state.db", "state.db-wal"])
  @LoopActor func moved(_ name: String) async throws {
    let home = try Home()
    let store = try await home.open()
    let account = store.account(juliet)
    let other = AccountKey(uid: 1001, jid: juliet.jid, protocol: "xmpp")
    try account.setPolicy("ask")
    rename(home.file(name), home.file("elsewhere"))
    let error = #expect(throws: StoreError.self) { try account.setPolicy("allow") }
    #expect(error?.message.contains(name) == true)
    #expect(try account.policy() == "ask")
    // Another of that name is another file.
    try home.write(name, [])
    #expect(throws: StoreError.self) { try store.account(other).setPolicy("allow") }
    rename(home.file("elsewhere"), home.file(name))
    try account.setPolicy("allow")
    try await account.flush()
  }
}

// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XMPP

@Suite("Connecting")
struct ConnectingTests {
  init() { EventLoop.runInBackground() }

  @Test("A server that gives one resource to all, also the one that we would have asked for, is not tried for ever")
  @LoopActor func oneResource() async throws {
    let home = try await Home(mode: .invisible, resource: "balcony")
    home.onOpen = { $0.resource = "balcony" }
    try await home.connect()
    #expect(home.servers.count == 1)
  }

  @Test("A visible account learns how absence looks, gets its roster, and only then shows itself, once")
  @LoopActor func visibleStart() async throws {
    let home = try await Home()
    try await home.account.connect()
    let sent = try home.server.take()
    let kinds = sent.map { String($0.prefix(while: { $0 != " " && $0 != ">" })) }
    #expect(kinds == ["<message", "<iq", "<message", "<iq", "<iq", "<iq", "<presence", "<iq"])
    #expect(sent[4].contains("disco#info"))
    #expect(sent[5].contains("jabber:iq:roster"))
    #expect(!sent[6].contains(" to="))
    #expect(sent[7].contains("urn:xmpp:ping"))
  }

  @Test("An invisible account sends no presence at all, and takes a resource that nobody can know")
  @LoopActor func invisibleStart() async throws {
    let home = try await Home(mode: .invisible, resource: "known")
    try await home.account.connect()
    #expect(try presences(home.server.take()).isEmpty)
    #expect(try home.server.resource != "known")
    #expect(home.account.status == .connected)
  }

  @Test("A second Connect joins the first; one while connected succeeds at once")
  @LoopActor func joinedConnect() async throws {
    let home = try await Home()
    async let first: Void = home.account.connect()
    async let second: Void = home.account.connect()
    _ = try await (first, second)
    try await home.account.connect()
    #expect(home.servers.count == 1)
  }

  @Test("A server that never answers makes Connect fail in time, and leaves the account disconnected")
  @LoopActor func muteServer() async throws {
    let home = try await Home()
    let failure = home.connecting()
    home.onOpen = { $0.isMute = true }
    await home.opened()
    home.time.advance(by: .seconds(25))
    let error = await failure.value()
    #expect(error?.code == .timedOut)
    #expect(home.account.status == .disconnected)
  }

  @Test("Disconnect while connecting ends the Connect with Cancelled")
  @LoopActor func cancelledConnect() async throws {
    let home = try await Home()
    home.onOpen = { $0.isMute = true }
    let failure = home.connecting()
    await home.opened()
    await home.account.disconnect()
    #expect(await failure.value()?.code == .cancelled)
    #expect(home.account.status == .disconnected)
  }

  @Test("Disconnect tells those in sessions first, then withdraws the broadcast, then closes")
  @LoopActor func orderlyEnd() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    let server = try home.server
    _ = server.take()
    await home.account.disconnect()
    let sent = server.take()
    #expect(sent.count == 2)
    #expect(sent.first?.contains("to='romeo@localhost/r'") == true && sent.first?.contains("unavailable") == true)
    #expect(sent.last?.contains("to=") == false && sent.last?.contains("unavailable") == true)
    #expect(server.isClosed)
  }

  @Test("An invisible account that goes offline never sends undirected unavailable")
  @LoopActor func invisibleEnd() async throws {
    let home = try await Home(mode: .invisible, roster: "<item jid='nurse@localhost' subscription='both'/>")
    try await home.connect()
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    let server = try home.server
    _ = server.take()
    await home.account.disconnect()
    let sent = server.take()
    #expect(sent.count == 1)
    #expect(sent.first?.contains("romeo@localhost/r") == true)
  }

  @Test("A change that the server never confirmed ends hidden and says so; the next try is made on a new stream")
  @LoopActor func unconfirmedChange() async throws {
    let home = try await Home(mode: .invisible)
    try await home.connect()
    try home.server.isMute = true
    let failure = Waiter<AccountError?>()
    spawn {
      do throws(AccountError) {
        try await home.account.setVisibility(.visible)
        failure.finish(nil)
      } catch { failure.finish(error) }
    }
    await home.sentSomething()
    home.time.advance(by: .seconds(11))
    let error = await failure.value()
    #expect(error?.code == .timedOut)
    #expect(error?.text.contains("your contacts see you as offline") == true)
    #expect(home.account.audience.mode == .invisible)
    #expect(try presences(home.server.take()).last == "<presence type='unavailable'/>")
    #expect(home.account.isVisibilityPending)
    try home.server.isMute = false
    try await home.account.setVisibility(.visible)
    #expect(!home.account.isVisibilityPending)
    #expect(home.servers.count == 2)
    #expect(home.account.audience.mode == .visible)
  }
}

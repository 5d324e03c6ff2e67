// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XMPP

/// Calls that come while another one waits for the server.
@Suite("Calls that overtake each other", .timeLimit(.minutes(1)))
struct RaceTests {
  init() { EventLoop.runInBackground() }

  @Test("Disconnect while SetVisible or SetInvisible waits for the old stream to close leaves us offline")
  @LoopActor func disconnectDuringReopen() async throws {
    let home = try await Home()
    home.onOpen = { $0.isSlowToClose = true }
    try await home.connect()
    let hiding = outcome { () async throws(AccountError) in try await home.account.setVisibility(.invisible) }
    while try !home.server.isClosed { await home.sentSomething(); _ = try home.server.take() }
    await home.account.disconnect()
    let error = await hiding.value()
    #expect(error?.code == .cancelled)
    #expect(home.account.status == .disconnected)
    #expect(home.servers.count == 1)
  }

  @Test("A change of visibility while connecting goes on with a new stream, and Connect succeeds")
  @LoopActor func hideWhileSettling() async throws {
    let home = try await Home()
    // The first stream is held back behind its first question, and answers it only after it was told to close.
    var held: ScriptedServer?
    home.onOpen = { server in
      guard held == nil else { return }
      held = server
      server.isSlowToClose = true
      server.holdsAnswers = true
    }
    let connecting = outcome { () async throws(AccountError) in try await home.account.connect() }
    await home.opened()
    await home.sentSomething()
    let hiding = outcome { () async throws(AccountError) in try await home.account.setVisibility(.invisible) }
    let first = try #require(held)
    while !first.isClosed { await home.sentSomething(); _ = first.take() }
    first.releaseAnswers()
    spawn { first.end() }
    #expect(await hiding.value() == nil)
    #expect(await connecting.value() == nil)
    #expect(home.account.status == .connected)
    #expect(home.account.audience.mode == .invisible)
    #expect(home.servers.count == 2)
    #expect(try presences(home.server.take()).isEmpty)
  }

  @Test("An account that was removed never connects again, whoever still asks it to")
  @LoopActor func retired() async throws {
    let home = try await Home()
    await home.account.retire()
    let error = await outcome { () async throws(AccountError) in try await home.account.connect() }.value()
    #expect(error?.code == .cancelled)
    #expect(home.servers.isEmpty)
  }

  @Test("Disconnect behind a SetVisible that outlives its connection ends it, also when it is on its way back")
  @LoopActor func disconnectWhileComingBack() async throws {
    let home = try await Home(mode: .invisible)
    try await home.connect()
    try home.server.holdsAnswers = true
    let showing = outcome { () async throws(AccountError) in try await home.account.setVisibility(.visible) }
    await home.sentSomething()
    let leaving = outcome { () async throws(AccountError) in await home.account.disconnect() }
    await turns()
    home.onOpen = { $0.isMute = true }
    try home.server.cut(time: home.time)
    home.time.advance(by: .seconds(2))
    #expect(home.account.status == .connecting)
    home.time.advance(by: .seconds(10))
    #expect(await showing.value() != nil)
    _ = await leaving.value()
    #expect(home.account.status == .disconnected)
    home.time.advance(by: .seconds(3600))
    #expect(home.servers.count == 2)
  }

  @Test("Connect during a Disconnect waits for it, and then connects")
  @LoopActor func connectDuringDisconnect() async throws {
    let home = try await Home()
    home.onOpen = { $0.isSlowToClose = true }
    try await home.connect()
    let first = try home.server
    let leaving = outcome { () async throws(AccountError) in await home.account.disconnect() }
    while !first.isClosed { await home.sentSomething(); _ = first.take() }
    #expect(throws: AccountError.self) {
      try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    }
    let connecting = outcome { () async throws(AccountError) in try await home.account.connect() }
    spawn { first.end() }
    _ = await leaving.value()
    #expect(await connecting.value() == nil)
    #expect(home.account.status == .connected)
    #expect(home.servers.count == 2)
  }

  @Test(
    "A change that takes a new stream waits for the next try where the server cannot serve at once", arguments: [1, 3])
  @LoopActor func serverCannotServe(failures: Int) async throws {
    let home = try await Home()
    try await home.connect()
    home.onOpen = { $0.isMute = home.servers.count <= failures }
    let hidden = outcome(of: { () async throws(AccountError) in try await home.account.setVisibility(.invisible) })
    for count in 1...failures {
      await turns(5_000) { home.servers.count <= count }
      try home.server.onEvent(.ended(StreamEnd(.streamError(.internalServerError), "It says no."), nil))
      #expect(home.account.status == .waiting)
      // Whoever waits for the outcome gets to hear of it first.
      await turns()
      // The third wait is the longest; all of it is within the time that a call has.
      home.time.advance(by: .seconds(4))
    }
    #expect(await hidden.value()?.text == (failures > 2 ? "It says no." : nil))
    await home.status(.connected)
    #expect(home.account.audience.mode == .invisible)
    for server in home.servers.dropFirst() { #expect(presences(server.take()).isEmpty) }
  }
}

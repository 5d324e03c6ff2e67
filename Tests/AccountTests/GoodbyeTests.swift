// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Store
import Testing
import XML
import XMPP

/// What is said of our going when the connection breaks around it, and the server tells later what it had.
@Suite("Goodbyes across an outage", .timeLimit(.minutes(1)))
struct GoodbyeTests {
  init() { EventLoop.runInBackground() }

  private static let nurse = "<item jid='nurse@localhost' subscription='both'/>"

  /// Sets a change of visibility off, and says what came of it.
  @LoopActor private func changing(_ home: Home, _ mode: Mode) -> Waiter<AccountError?> {
    let waiter = Waiter<AccountError?>()
    spawn {
      do throws(AccountError) {
        try await home.account.setVisibility(mode == .visible ? .visible : .invisible)
        waiter.finish(nil)
      } catch { waiter.finish(error) }
    }
    return waiter
  }

  /// All presence that was said to servers after the first.
  @LoopActor private func saidLater(_ home: Home) -> [String] {
    home.servers.dropFirst().flatMap { presences($0.take()) }
  }

  @Test("A goodbye that arrived is not said a second time, although it was not confirmed before the cut")
  @LoopActor func arrived() async throws {
    for resumes in [true, false] {
      let home = try await Home(mode: .invisible)
      try await home.connect()
      try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
      #expect(home.account.revoke(nil) == 1)
      home.onOpen = {
        $0.lost = 0
        $0.resumes = resumes
      }
      try home.server.cut(unacknowledged: 1, time: home.time)
      home.time.advance(by: .seconds(2))
      await home.status(.connected)
      #expect(saidLater(home).isEmpty)
      #expect((home.account.fullJID?.resource == "r1") == resumes)
      #expect(home.account.audience.shown.isEmpty)
      #expect(try home.store.disclosures().isEmpty)
    }
  }

  @Test("Nor is one in front of a question that was answered, where the server cannot tell any more what it had")
  @LoopActor func answered() async throws {
    for isAnswered in [true, false] {
      let home = try await Home(mode: .invisible, roster: Self.nurse)
      try await home.connect()
      try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
      try home.server.holdsAnswers = !isAnswered
      #expect(home.account.revoke(nil) == 1)
      let nurse = try BareJID("nurse@localhost")
      let changing = outcome { () async throws(AccountError) in
        try await home.account.showTo([nurse], groups: [])
      }
      if isAnswered { #expect(await changing.value() == nil) } else { await home.sentSomething() }
      home.onOpen = { $0.resumes = false }
      try home.server.cut(unacknowledged: try home.server.sent.count, time: home.time)
      home.time.advance(by: .seconds(2))
      await home.status(.connected)
      #expect(saidLater(home).contains { $0.contains("romeo") && $0.contains("unavailable") } == !isAnswered)
      #expect(try !home.store.disclosures().contains { $0.jid.contains("romeo") })
    }
  }

  @Test("Presence that arrived is not said a second time either")
  @LoopActor func presenceArrived() async throws {
    let home = try await Home(roster: Self.nurse)
    try await home.connect()
    home.account.setPresence(show: .away, status: "", priority: nil)
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    home.onOpen = { $0.lost = 0 }
    try home.server.cut(unacknowledged: 2, time: home.time)
    home.time.advance(by: .seconds(2))
    await home.status(.connected)
    #expect(saidLater(home).isEmpty)
    #expect(home.account.audience.sessions.count == 1)
  }

  @Test("Nobody is told that we are gone whom no word of us had reached")
  @LoopActor func neverSeen() async throws {
    for meanwhile in [false, true] {
      let home = try await Home(mode: .invisible)
      try await home.connect()
      try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
      if !meanwhile { #expect(home.account.revoke(nil) == 1) }
      try home.server.cut(unacknowledged: meanwhile ? 1 : 2, time: home.time)
      if meanwhile { #expect(home.account.revoke(nil) == 1) }
      home.time.advance(by: .seconds(2))
      await home.status(.connected)
      #expect(saidLater(home).isEmpty)
      #expect(try home.store.disclosures().isEmpty)
    }
  }

  @Test("Contacts are told nothing when a SetVisible never reached the server, and SetInvisible came after it")
  @LoopActor func neverBroadcast() async throws {
    let home = try await Home(mode: .invisible, roster: Self.nurse)
    try await home.connect()
    try home.server.holdsAnswers = true
    let showing = changing(home, .visible)
    await home.sentSomething()
    try home.server.cut(unacknowledged: 2, time: home.time)
    home.onOpen = { $0.isMute = true }
    home.time.advance(by: .seconds(11))
    #expect(await showing.value() != nil)
    if home.account.status == .connecting { try home.server.cut(time: home.time) }
    try await home.account.setVisibility(.invisible)
    home.onOpen = { _ in }
    home.time.advance(by: .seconds(5))
    await home.status(.connected)
    #expect(saidLater(home).isEmpty)
    #expect(home.account.audience.mode == .invisible)
  }

  @Test("SetInvisible whose goodbye arrived before the cut says it once, and takes a new resource")
  @LoopActor func withdrawalArrived() async throws {
    for isConfirmed in [true, false] {
      let home = try await Home(roster: Self.nurse)
      try await home.connect()
      let first = try home.server
      first.isSlowToClose = true
      let hiding = changing(home, .invisible)
      while !first.isClosed { await home.sentSomething() }
      #expect(presences(first.take()).count == 1)
      home.onOpen = { $0.lost = 0 }
      if isConfirmed {
        first.cut(unacknowledged: 0, time: home.time)
      } else {
        first.send(Presence(type: .unavailable).element, [])
        first.cut(unacknowledged: 1, time: home.time)
      }
      #expect(await hiding.value() == nil)
      #expect(saidLater(home).isEmpty)
      #expect(home.account.fullJID?.resource != "r1", "the resource that contacts have seen")
      #expect(home.account.audience.mode == .invisible)
    }
  }

  @Test("Whoever saw us by directed presence is told when the broadcast that took its place never arrived")
  @LoopActor func absorbed() async throws {
    let home = try await Home(mode: .invisible, roster: Self.nurse)
    try await home.connect()
    try home.account.share(JID("nurse@localhost/n"), full: false, lifetime: nil)
    _ = try home.server.take()
    let first = try home.server
    first.holdsAnswers = true
    first.isSlowToClose = true
    let showing = changing(home, .visible)
    await home.sentSomething()
    home.time.advance(by: .seconds(11))
    #expect(await showing.value() != nil)
    let hiding = changing(home, .invisible)
    while !first.isClosed { await home.sentSomething() }
    first.cut(unacknowledged: first.sent.count, time: home.time)
    #expect(await hiding.value() == nil)
    let said = saidLater(home)
    #expect(said.count == 1, "\(said)")
    #expect(said.first?.contains("nurse@localhost/n") == true && said.first?.contains("unavailable") == true)
  }

  @Test("Whoever saw us by directed presence is owed a goodbye until the server has the broadcast that takes its place")
  @LoopActor func broadcastLost() async throws {
    let nurse = BareAddress("nurse@localhost")
    let home = try await Home(wish: VisibilityWish(showsOthers: false, contacts: [nurse]), roster: Self.nurse)
    try await home.connect()
    let first = try home.server
    first.holdsAnswers = true
    let showing = changing(home, .visible)
    while !first.isClosed, presences(first.sent.map { $0.serialized(within: "jabber:client") }).isEmpty {
      await home.sentSomething()
    }
    #expect(try home.store.disclosures().map(\.jid) == ["nurse@localhost"])
    first.cut(unacknowledged: first.sent.count, time: home.time)
    home.onOpen = { $0.resumes = false }
    home.time.advance(by: .seconds(11))
    #expect(await showing.value() != nil)
    await home.status(.connected)
    #expect(saidLater(home).first?.contains("unavailable") == true)
    #expect(home.account.fullJID?.resource != "r1")
    #expect(try home.store.disclosures().isEmpty)
  }

  @Test("A session that is given up during an outage ends before the next one shows or hides anything")
  @LoopActor func givenUp() async throws {
    let home = try await Home(roster: Self.nurse)
    try await home.connect()
    try home.server.cut(time: home.time)
    #expect(home.account.status == .waiting)
    await home.account.disconnect()
    #expect(try home.store.disclosures().map(\.resource) == ["r1"])
    try await home.account.setVisibility(.invisible)
    try await home.account.connect()
    // The server ends the old session where the new one takes its resource.
    #expect(home.servers.dropFirst().first?.configuration.resource == "r1")
    #expect(home.account.fullJID?.resource != "r1")
    #expect(saidLater(home).isEmpty)
    #expect(try home.store.disclosures().isEmpty)
  }

  @Test("Goodbyes that were owed from before are said once, and leave no hidden session under a resource that is known")
  @LoopActor func owedAcrossCut() async throws {
    for resumes in [true, false] {
      let store = try await Home.emptyStore()
      try store.noteDisclosure(resource: "old", jid: "romeo@localhost/r")
      let home = try await Home(mode: .invisible, store: store)
      home.onOpen = {
        $0.lost = 0
        $0.resumes = resumes
        $0.isSlowToClose = $0.resource == "old" && $0.resumption == nil
      }
      let connecting = Waiter<AccountError?>()
      spawn {
        do throws(AccountError) {
          try await home.account.connect()
          connecting.finish(nil)
        } catch { connecting.finish(error) }
      }
      await home.opened()
      let first = try #require(home.servers.first)
      while !first.isClosed { await home.sentSomething() }
      let goodbye = presences(first.take())
      #expect(goodbye.count == 1)
      first.send(Presence(to: try JID("romeo@localhost/r"), type: .unavailable).element, [])
      first.cut(unacknowledged: 1, time: home.time)
      #expect(await connecting.value() == nil)
      #expect(saidLater(home).isEmpty)
      #expect(home.account.fullJID?.resource != "old")
      #expect(try store.disclosures().isEmpty)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XMPP

/// What becomes of an account whose connection is lost, and what others see of it.
@Suite("Outages", .timeLimit(.minutes(1)))
struct OutageTests {
  init() { EventLoop.runInBackground() }

  private static let nurse = "<item jid='nurse@localhost' subscription='both'/>"

  /// Cuts the connection, and lets the time of the next try come.
  @LoopActor private func cutAndReturn(_ home: Home, unacknowledged: Int = 0) async throws {
    let server = try home.server
    server.cut(unacknowledged: unacknowledged, time: home.time)
    #expect(home.account.status == .waiting)
    _ = server.take()
    home.time.advance(by: .seconds(2))
    await home.status(.connected)
  }

  @Test("A connection that was lost comes back by itself; the session goes on and nobody is sent anything")
  @LoopActor func resume() async throws {
    let home = try await Home(roster: Self.nurse)
    try await home.connect()
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    try await cutAndReturn(home)
    #expect(try presences(home.server.take()).isEmpty)
    #expect(home.servers.count == 2)
    #expect(home.sessionEnds().isEmpty)
    #expect(home.account.audience.sessions.count == 1)
    #expect(home.account.fullJID?.resource == "r1")
    #expect(home.account.roster.items.count == 1)
  }

  @Test("What was set before there was a connection is not sent once more when its session goes on")
  @LoopActor func presenceOfBefore() async throws {
    let home = try await Home(roster: Self.nurse)
    home.account.setPresence(show: .away, status: "gone for tea", priority: nil)
    try await home.connect()
    try await cutAndReturn(home)
    #expect(try presences(home.server.take()).isEmpty)
  }

  @Test("A new session shows what is wanted once; sessions have ended with disconnected and nothing is shown again")
  @LoopActor func newSession() async throws {
    let home = try await Home(roster: Self.nurse)
    try await home.connect()
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    home.onOpen = { $0.resumes = false }
    try await cutAndReturn(home)
    let sent = try presences(home.server.take())
    #expect(sent.count == 1)
    #expect(sent.first?.contains(" to=") == false)
    #expect(home.sessionEnds() == ["romeo@localhost they-see-me disconnected"])
  }

  @Test("Where the server does not keep the session it is over as soon as the connection is lost")
  @LoopActor func unkeptSession() async throws {
    let home = try await Home()
    home.onOpen = { $0.keepsSessions = false }
    try await home.connect()
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    try home.server.cut(time: home.time)
    #expect(home.account.status == .waiting)
    #expect(home.sessionEnds() == ["romeo@localhost they-see-me disconnected"])
    #expect(home.account.audience.members.isEmpty)
  }

  @Test("A hidden account that lost its session comes back without a single presence")
  @LoopActor func hiddenNewSession() async throws {
    let home = try await Home(mode: .invisible, roster: Self.nurse)
    try await home.connect()
    home.onOpen = { $0.resumes = false }
    try await cutAndReturn(home)
    #expect(try presences(home.server.take()).isEmpty)
    #expect(home.account.audience.mode == .invisible)
  }

  @Test("A first connection that fails leaves the account disconnected, and nothing is tried again")
  @LoopActor func firstFailure() async throws {
    let home = try await Home()
    home.onOpen = { $0.isMute = true }
    let failure = home.connecting()
    await home.opened()
    try home.server.cut(time: home.time)
    #expect(await failure.value()?.code == .networkError)
    #expect(home.account.status == .disconnected)
    home.time.advance(by: .seconds(3600))
    #expect(home.servers.count == 1)
  }

  @Test("An account that connects by itself goes on trying from the start, unless that cannot help")
  @LoopActor func connectsByItself() async throws {
    let home = try await Home()
    home.onOpen = { $0.isMute = true }
    home.account.connectByItself()
    try home.server.cut(time: home.time)
    #expect(home.account.status == .waiting)
    home.onOpen = { _ in }
    home.time.advance(by: .seconds(2))
    await home.status(.connected)

    let refused = try await Home()
    refused.onOpen = { $0.isMute = true }
    refused.account.connectByItself()
    try refused.server.onEvent(.ended(StreamEnd(.authentication, "The password is wrong."), nil))
    #expect(refused.account.status == .disconnected)
    refused.time.advance(by: .seconds(3600))
    #expect(refused.servers.count == 1)
  }

  @Test("What retrying cannot mend ends the connection, says why, and is not tried again")
  @LoopActor func finalEnd() async throws {
    let home = try await Home()
    try await home.connect()
    try home.server.onEvent(.ended(StreamEnd(.streamError(.conflict), "Another program took its place."), nil))
    #expect(home.account.status == .disconnected)
    #expect(home.account.statusReason.contains("took its place"))
    home.time.advance(by: .seconds(3600))
    #expect(home.servers.count == 1)
  }

  @Test("Waiting says why and when; a Connect tries at once")
  @LoopActor func connectWhileWaiting() async throws {
    let home = try await Home()
    try await home.connect()
    try home.server.cut(time: home.time)
    #expect(home.account.statusReason.contains("The connection broke."))
    #expect(home.account.statusReason.contains("next try"))
    try await home.account.connect()
    #expect(home.account.status == .connected)
    #expect(home.servers.count == 2)
    home.time.advance(by: .seconds(10))
    #expect(home.servers.count == 2)
  }

  @Test(
    "When the network or the machine comes back a lost connection is tried at once, and one that is there is checked")
  @LoopActor func surroundings() async throws {
    let home = try await Home()
    try await home.connect()
    home.account.surroundingsChanged()
    #expect(try home.server.checks == 1)
    try home.server.cut(time: home.time)
    home.account.surroundingsChanged()
    await home.status(.connected)
    #expect(home.servers.count == 2)
  }

  @Test("Disconnect while waiting ends it, and nothing is tried again")
  @LoopActor func disconnectWhileWaiting() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    try home.server.cut(time: home.time)
    await home.account.disconnect()
    #expect(home.account.status == .disconnected)
    #expect(home.account.audience.sessions.isEmpty)
    home.time.advance(by: .seconds(3600))
    #expect(home.servers.count == 1)
  }

  @Test("A session that the server does not keep any longer is over, also while nothing is connected")
  @LoopActor func expiry() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    home.onOpen = { $0.isMute = true }
    try home.server.cut(keeping: .milliseconds(100), time: home.time)
    #expect(home.sessionEnds().isEmpty)
    home.time.advance(by: .milliseconds(200))
    #expect(home.sessionEnds() == ["romeo@localhost they-see-me disconnected"])
    home.time.advance(by: .seconds(2))
    #expect(try home.server.resumption == nil)
  }

  @Test("It is over, too, when its time ends during a try that comes to nothing")
  @LoopActor func expiryDuringTry() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    home.onOpen = { $0.isMute = true }
    try home.server.cut(keeping: .seconds(5), time: home.time)
    home.time.advance(by: .seconds(2))
    #expect(home.account.status == .connecting)
    home.time.advance(by: .seconds(5))
    #expect(home.sessionEnds().isEmpty)
    try home.server.cut(time: home.time)
    #expect(home.account.status == .waiting)
    #expect(home.sessionEnds() == ["romeo@localhost they-see-me disconnected"])
  }

  // MARK: What was on its way when the connection broke

  @Test("Presence that was lost is made anew, as it is by then")
  @LoopActor func lostPresence() async throws {
    let home = try await Home()
    try await home.connect()
    home.account.setPresence(show: .away, status: "gone for tea", priority: nil)
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    try home.server.cut(unacknowledged: 2, time: home.time)
    home.account.setPresence(show: .dnd, status: "writing", priority: nil)
    home.time.advance(by: .seconds(2))
    await home.status(.connected)
    let sent = try presences(home.server.take())
    #expect(sent.count == 2)
    #expect(sent.first?.contains("writing") == true && sent.first?.contains(" to=") == false)
    #expect(sent.last?.contains("romeo@localhost/r") == true)
    #expect(!sent.contains { $0.contains("tea") })
  }

  @Test("A change of presence during an outage is shown once, also where the session was a new one")
  @LoopActor func shownOnce() async throws {
    let home = try await Home()
    try await home.connect()
    home.onOpen = { $0.resumes = false }
    try home.server.cut(time: home.time)
    home.account.setPresence(show: .away, status: "", priority: nil)
    home.time.advance(by: .seconds(2))
    await home.status(.connected)
    #expect(try presences(home.server.take()).count == 1)
    home.onOpen = { $0.resumes = true }
    try home.server.cut(time: home.time)
    home.time.advance(by: .seconds(5))
    await home.status(.connected)
    #expect(try presences(home.server.take()).isEmpty)
  }

  @Test("Whoever lost the right to see us during an outage is told so, and only that")
  @LoopActor func revokedMeanwhile() async throws {
    let home = try await Home(mode: .invisible)
    try await home.connect()
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    _ = try home.server.take()
    try home.server.cut(time: home.time)
    #expect(home.account.revoke(nil) == 1)
    home.time.advance(by: .seconds(2))
    await home.status(.connected)
    let sent = try presences(home.server.take())
    #expect(sent.count == 1)
    #expect(sent.first?.contains("type='unavailable'") == true && sent.first?.contains("romeo@localhost/r") == true)
  }

  @Test("A goodbye that was lost is said again")
  @LoopActor func lostGoodbye() async throws {
    let home = try await Home(mode: .invisible)
    try await home.connect()
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    _ = try home.server.take()
    #expect(home.account.revoke(nil) == 1)
    try home.server.cut(unacknowledged: 1, time: home.time)
    home.time.advance(by: .seconds(2))
    await home.status(.connected)
    let sent = try presences(home.server.take())
    #expect(sent.count == 1)
    #expect(sent.first?.contains("type='unavailable'") == true)
  }

  @Test("A request to decloak that was lost is asked again, as a request")
  @LoopActor func lostRequest() async throws {
    let home = try await Home()
    try await home.connect()
    _ = try await home.account.requestDecloak(
      BareJID("romeo@localhost"), reason: .media, wait: .zero, lifetime: nil, reveal: false)
    try await cutAndReturn(home, unacknowledged: 1)
    let sent = try presences(home.server.take())
    #expect(sent.count == 1)
    #expect(sent.first?.contains("urn:xmpp:decloak:0") == true)
  }

  @Test("Stanzas that are no presence are sent again, but not to whom they would reveal us by now")
  @LoopActor func lostStanzas() async throws {
    let home = try await Home(roster: Self.nurse)
    try await home.connect()
    let call = Waiter<Bool>()
    spawn {
      call.finish((try? await home.account.subscribe(BareJID("tybalt@localhost"), reveal: true)) != nil)
    }
    await home.sentSomething()
    try await cutAndReturn(home, unacknowledged: 1)
    let again = try home.server.take()
    #expect(again.count == 1)
    #expect(again.first?.contains("type='subscribe'") == true)
    try home.server.say(
      "<iq type='set' id='p'><query xmlns='jabber:iq:roster'><item jid='tybalt@localhost' ask='subscribe'/></query></iq>"
    )
    #expect(await call.value())
  }

  @Test("RequestDecloak whose session ends while it waits says so; one whose session goes on waits on")
  @LoopActor func waitingRequest() async throws {
    for goesOn in [true, false] {
      let home = try await Home()
      try await home.connect()
      let contact = try BareJID("romeo@localhost")
      let outcome = Waiter<Result<Int, AccountError>>()
      spawn {
        do throws(AccountError) {
          let asked = try await home.account.requestDecloak(
            contact, reason: .media, wait: .seconds(60), lifetime: nil, reveal: false)
          outcome.finish(.success(asked.peers.count))
        } catch { outcome.finish(.failure(error)) }
      }
      await home.sentSomething()
      home.onOpen = { $0.resumes = goesOn }
      try await cutAndReturn(home)
      if goesOn {
        home.time.advance(by: .seconds(60))
        #expect(await outcome.value() == .success(0))
      } else {
        let error = await outcome.value()
        guard case .failure(let error) = error else { Issue.record("no error"); continue }
        #expect(error.code == .notConnected)
      }
    }
  }

  // MARK: Wishes meanwhile

  @Test("SetInvisible during an outage is kept, and done as soon as the session goes on, before it counts as connected")
  @LoopActor func hideMeanwhile() async throws {
    let home = try await Home(roster: Self.nurse)
    try await home.connect()
    try home.server.cut(time: home.time)
    try await home.account.setVisibility(.invisible)
    #expect(home.account.isVisibilityPending)
    home.time.advance(by: .seconds(2))
    await home.status(.connected)
    #expect(home.servers.count == 3)
    let goodbye = presences(home.servers[1].take())
    #expect(goodbye.count == 1)
    #expect(goodbye.first?.contains("type='unavailable'") == true)
    #expect(try presences(home.server.take()).isEmpty)
    #expect(home.account.audience.mode == .invisible)
    #expect(!home.account.isVisibilityPending)
  }

  @Test("A SetInvisible during an outage holds before anything is read of a session that goes on")
  @LoopActor func hiddenAtOnce() async throws {
    let home = try await Home(roster: Self.nurse)
    try await home.connect()
    try home.account.setPolicy(.allow)
    try home.server.cut(time: home.time)
    try await home.account.setVisibility(.invisible)
    home.onOpen = {
      $0.greeting =
        "<presence from='s@localhost/x' to='juliet@localhost'><decloak xmlns='urn:xmpp:decloak:0'/></presence>"
    }
    home.time.advance(by: .seconds(2))
    await home.status(.connected)
    let said = presences(home.servers[1].take())
    #expect(said.count == 1 && said.first?.contains("type='unavailable'") == true, "\(said)")
    #expect(said.first?.contains("to=") == false)
    #expect(home.resolved() == [.disconnected])
  }

  @Test("SetInvisible whose goodbye was lost with the connection goes back for it before the new stream is opened")
  @LoopActor func lostWithdrawal() async throws {
    let home = try await Home(roster: Self.nurse)
    try await home.connect()
    let first = try home.server
    first.isSlowToClose = true
    let hidden = Waiter<AccountError?>()
    spawn {
      do throws(AccountError) {
        try await home.account.setVisibility(.invisible)
        hidden.finish(nil)
      } catch { hidden.finish(error) }
    }
    while !first.isClosed { await home.sentSomething() }
    first.cut(unacknowledged: 1, time: home.time)
    #expect(await hidden.value() == nil)
    #expect(home.servers.count == 3)
    #expect(home.servers[1].resumption != nil)
    let said = presences(home.servers[1].take())
    #expect(said.count == 1 && said.first?.contains("type='unavailable'") == true, "\(said)")
    #expect(try home.server.resumption == nil)
    #expect(try presences(home.server.take()).isEmpty)
    #expect(home.account.audience.mode == .invisible)
  }

  @Test("Nobody looking is said once, and again to each new stream")
  @LoopActor func activity() async throws {
    let home = try await Home()
    try await home.connect()
    home.account.setActive(false)
    home.account.setActive(false)
    #expect(try home.server.activity == [false])
    try await cutAndReturn(home)
    #expect(try home.server.activity == [false])
  }
}

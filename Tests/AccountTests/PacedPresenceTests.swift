// SPDX-License-Identifier: Apache-2.0

import Audience
import EventLoop
import Testing
import XML
import XMPP

@testable import Account

/// Our presence to many, one by one.
@Suite("Presence at a pace", .timeLimit(.minutes(1)))
struct PacedPresenceTests {
  init() { EventLoop.runInBackground() }

  /// Connects an account that is shown to so many contacts alone, none of which it sees.
  @LoopActor private func home(shownTo count: Int) async throws -> Home {
    let contacts = (10_000..<10_000 + count).map { "c\($0)@localhost" }
    let home = try await Home(
      wish: VisibilityWish(showsOthers: false, contacts: ContactSet(contacts.map { BareAddress($0) })),
      roster: contacts.map { "<item jid='\($0)' subscription='from'/>" }.joined())
    let outcome = home.connecting()
    await home.opened()
    await sent(min(count, PresenceUpdates.burst), by: home)
    for _ in 0..<count / PresenceUpdates.burst { home.time.advance(by: PresenceUpdates.interval) }
    #expect(await outcome.value() == nil)
    #expect(try shown(home).count == count)
    home.time.advance(by: PresenceUpdates.interval)
    return home
  }

  @LoopActor private func sent(_ count: Int, by home: Home) async {
    while let server = home.servers.last, server.sent.count(where: Self.isShowing) < count {
      let waiter = Waiter<Void>()
      server.onSend = { waiter.finish(()) }
      await waiter.value()
    }
    home.servers.last?.onSend = {}
  }

  private static func isShowing(_ stanza: Element) -> Bool {
    stanza.name == "presence" && stanza.attribute("type") == nil
  }

  /// Available presence that has left: to whom, and what it shows.
  @LoopActor private func shown(_ home: Home) throws -> [(to: String, show: String?)] {
    let sent = try home.server.sent.filter(Self.isShowing)
    _ = try home.server.take()
    return sent.map { ($0.attribute("to") ?? "", $0.children.first { $0.name == "show" }?.text) }
  }

  @Test(
    "Three changes in a row to ten thousand cost about what one costs, and everybody has the last",
    .timeLimit(.minutes(2)))
  @LoopActor func coalesced() async throws {
    let home = try await home(shownTo: 10_000)
    for show in [Presence.Show.away, .xa, .dnd] { home.account.setPresence(show: show, status: "", priority: nil) }
    #expect(home.account.updates.waiting == 10_000)
    let immediately = try shown(home)
    #expect(immediately.count == PresenceUpdates.burst)
    home.time.advance(by: .seconds(10))
    let later = try shown(home)
    #expect(later.count == 10_000)
    #expect(Set(later.map(\.to)).count == 10_000)
    #expect(later.allSatisfy { $0.show == "dnd" })
    #expect(home.account.updates.waiting == 0)
  }

  @Test("Whoever left the audience while it waited gets nothing but the goodbye")
  @LoopActor func left() async throws {
    let home = try await home(shownTo: 300)
    home.account.setPresence(show: .away, status: "", priority: nil)
    #expect(try shown(home).count == PresenceUpdates.burst)
    try home.server.say(
      """
      <iq type='set' id='p'><query xmlns='jabber:iq:roster'>\
      <item jid='c10299@localhost' subscription='none'/></query></iq>
      """)
    #expect(try presences(home.server.take()) == ["<presence to='c10299@localhost' type='unavailable'/>"])
    home.time.advance(by: .seconds(1))
    let later = try shown(home)
    #expect(later.count == 99)
    #expect(!later.contains { $0.to == "c10299@localhost" })
  }

  @Test("Few are told at once, and no timer stays behind")
  @LoopActor func few() async throws {
    let home = try await home(shownTo: 10)
    home.time.advance(by: .seconds(40))
    let resting = home.time.pendingTimers
    home.account.setPresence(show: .away, status: "", priority: nil)
    #expect(try shown(home).count == 10)
    #expect(home.time.pendingTimers == resting)
  }

  @Test("A cut keeps what has not left until the session goes on")
  @LoopActor func cut() async throws {
    let home = try await home(shownTo: 500)
    home.account.setPresence(show: .away, status: "", priority: nil)
    #expect(try shown(home).count == PresenceUpdates.burst)
    try home.server.cut(time: home.time)
    home.time.advance(by: .seconds(5))
    await home.status(.connected)
    home.time.advance(by: .seconds(5))
    let later = try shown(home)
    #expect(later.count == 300)
    #expect(later.allSatisfy { $0.show == "away" })
  }

  @Test("The end of the session lets go of those who wait until all has left")
  @LoopActor func forgotten() async throws {
    let time = ManualTime()
    let queue = PacedQueue<Int>(burst: 2, every: .milliseconds(100), time: time)
    var taken: [Int] = []
    queue.take = { number in
      taken.append(number)
      return number == 1 ? .skipped : .sent
    }
    queue.add([0, 1, 2, 3, 4])
    #expect(taken == [0, 1, 2])
    queue.add([4, 0])
    #expect(queue.count == 3)
    let drained = Waiter<Void>()
    spawn {
      await queue.drained()
      drained.finish(())
    }
    await Task.yield()
    queue.removeAll()
    await drained.value()
    #expect(time.pendingTimers == 0)
    queue.add([5])
    time.advance(by: .milliseconds(100))
    #expect(taken == [0, 1, 2, 5])
    await queue.drained()
  }
}

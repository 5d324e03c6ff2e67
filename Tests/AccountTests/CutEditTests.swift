// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XMPP

/// An edit of our privacy list that is under way when the connection is lost, and the session goes on.
@Suite("Edits of a privacy list that are cut off", .timeLimit(.minutes(1)))
struct CutEditTests {
  init() { EventLoop.runInBackground() }

  private static let roster =
    "<item jid='nurse@localhost' subscription='both'/><item jid='tybalt@localhost' subscription='from'/>"

  @LoopActor private func home(_ lists: ScriptedLists) async throws -> Home {
    let home = try await Home(mode: .invisible, roster: Self.roster)
    home.onOpen = { lists.attach(to: $0) }
    try await home.account.connect()
    return home
  }

  /// Cuts the edit of a call, and lets the session go on.
  /// - Parameters:
  ///   - unacknowledged: 0 where the edit had arrived, and only its answer was lost.
  ///   - answersLate: whether the server takes its time when the session goes on.
  @LoopActor private func cut(
    _ home: Home, _ lists: ScriptedLists, unacknowledged: Int, answersLate: Bool = false,
    during call: @escaping @LoopActor (Home) async throws(AccountError) -> Void,
    then second: (@LoopActor (Home) async throws(AccountError) -> Void)? = nil
  ) async throws {
    let roster = home.account.roster.items.values.map {
      "<item jid='\($0.jid)' subscription='\($0.subscription.rawValue)'/>"
    }.joined()
    _ = lists.take()
    try home.server.holdsAnswers = true
    let first = outcome { () async throws(AccountError) in try await call(home) }
    await home.sentSomething()
    let later = second.map { second in outcome { () async throws(AccountError) in try await second(home) } }
    home.onOpen = {
      lists.attach(to: $0)
      $0.roster = roster
      $0.holdsAnswers = answersLate && $0.resumption != nil
    }
    if unacknowledged == 0 { try home.server.releaseAnswers() }
    try home.server.cut(unacknowledged: unacknowledged, time: home.time)
    home.time.advance(by: .seconds(2))
    if answersLate {
      await home.sentSomething()
      await turns()
      try home.server.releaseAnswers()
    }
    await home.status(.connected)
    _ = await (first.value(), later?.value())
    await home.status(.connected)
  }

  /// What somebody got to hear whom the list lets through where it names them.
  private func heard(_ name: String, _ log: [String]) -> [String] {
    var isAdmitted = false
    var heard: [String] = []
    for line in log {
      if line.hasPrefix("set list") { isAdmitted = line.contains("allow jid:\(name)") }
      guard isAdmitted, line.hasPrefix("<presence"), !line.contains(" to=") || line.contains(name) else { continue }
      heard.append(line.contains("unavailable") ? "gone" : "there")
    }
    return heard
  }

  @Test("What is wanted no longer lets no goodbye through", arguments: [0, 1])
  @LoopActor func wantedNoLonger(unacknowledged: Int) async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    let nurse = try BareJID("nurse@localhost")
    try await cut(home, lists, unacknowledged: unacknowledged) { home throws(AccountError) in
      try await home.account.showTo([nurse], groups: [])
    } then: { home throws(AccountError) in
      try await home.account.setVisibility(.invisible)
    }
    let log = lists.take()
    #expect(heard("nurse", log) == [], "\(log)")
    #expect(log.contains { $0.contains("unavailable") })
    #expect(home.account.audience.mode == .invisible)
  }

  @Test("Who was shown a session is told of its end", arguments: [0, 1], [false, true])
  @LoopActor func absorbed(unacknowledged: Int, answersLate: Bool) async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    let nurse = try BareJID("nurse@localhost")
    try await home.account.showTo([BareJID("tybalt@localhost")], groups: [])
    try home.account.share(JID(nurse), full: false, lifetime: nil)
    try await home.account.delivered()
    try await cut(home, lists, unacknowledged: unacknowledged, answersLate: answersLate) { home throws(AccountError) in
      try await home.account.showTo([nurse], groups: [])
    }
    let log = lists.take()
    #expect(heard("nurse", log) == ["gone", "there"], "\(log)")
  }

  @Test("Who became a contact in a session is told of its end", arguments: [0, 1], [false, true])
  @LoopActor func becameContact(unacknowledged: Int, answersLate: Bool) async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    let romeo = try BareJID("romeo@localhost")
    for stranger in [romeo, try BareJID("mercutio@localhost")] {
      try home.account.share(JID(stranger), full: false, lifetime: nil)
    }
    try await home.account.delivered()
    try home.server.say("<presence from='romeo@localhost' type='subscribe'/>")
    let authorized = outcome { () async throws(AccountError) in
      try await home.account.authorizeSubscription(romeo, reveal: true)
    }
    await turns()
    try home.server.say(
      "<iq type='set' id='p'><query xmlns='jabber:iq:roster'><item jid='romeo@localhost' subscription='from'/></query></iq>"
    )
    #expect(await authorized.value() == nil)
    try await home.account.delivered()
    try await cut(home, lists, unacknowledged: unacknowledged, answersLate: answersLate) { home throws(AccountError) in
      try await home.account.showTo([romeo], groups: [])
    }
    let log = lists.take()
    #expect(heard("romeo", log) == ["gone", "there"], "\(log)")
  }
}

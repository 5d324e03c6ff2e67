// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XML
import XMPP

/// Directed presence past our own privacy list, at a scripted server that has such lists.
@Suite("The ferry", .timeLimit(.minutes(1)))
struct FerryTests {
  init() { EventLoop.runInBackground() }

  private static let closed = "set list nightcloak: deny presence-out"

  @LoopActor private func home(_ lists: ScriptedLists) async throws -> Home {
    let home = try await Home(mode: .invisible, roster: "<item jid='nurse@localhost' subscription='both'/>")
    home.onOpen = { lists.attach(to: $0) }
    try await home.account.connect()
    _ = lists.take()
    return home
  }

  private func open(_ jids: String...) -> String {
    "set list nightcloak: " + jids.map { "allow jid:\($0) presence-out, " }.joined() + "deny presence-out"
  }

  /// What was sent to whom, in short: presence as "+ JID" and "- JID".
  private func short(_ log: [String]) -> [String] {
    log.map { entry in
      guard entry.hasPrefix("<presence") else { return entry }
      let to = entry.split(separator: "to='").dropFirst().first?.split(separator: "'").first ?? "everybody"
      let type = entry.split(separator: "type='").dropFirst().first?.split(separator: "'").first
      return type.map { $0 == "unavailable" ? "- \(to)" : "\($0) \(to)" } ?? "+ \(to)"
    }
  }

  @Test("An approved session is let through for its one stanza, at its full JID, and so is the goodbye")
  @LoopActor func session() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    try await home.account.delivered()
    #expect(short(lists.take()) == [open("romeo@localhost/r"), "+ romeo@localhost/r", Self.closed])
    #expect(home.account.revoke(nil) == 1)
    try await home.account.delivered()
    #expect(short(lists.take()) == [open("romeo@localhost/r"), "- romeo@localhost/r", Self.closed])
  }

  @Test("It is let through past the rules that a person made, too: they were asked, and said yes")
  @LoopActor func pastKeptRules() async throws {
    let lists = ScriptedLists()
    lists.lists["home"] = "<item type='jid' value='romeo@localhost' action='deny' order='1'/>"
    lists.standard = "home"
    let home = try await home(lists)
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    try await home.account.delivered()
    let kept = ", deny jid:romeo@localhost"
    #expect(
      short(lists.take()) == [open("romeo@localhost/r") + kept, "+ romeo@localhost/r", Self.closed + kept])
  }

  @Test("All that wait cross together; what comes meanwhile crosses next, in its order")
  @LoopActor func batches() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    for jid in ["a@localhost/r", "b@localhost/r"] { try home.account.share(JID(jid), full: false, lifetime: nil) }
    _ = home.account.revoke(nil)
    try home.account.share(JID("b@localhost/r"), full: false, lifetime: nil)
    try home.account.share(JID("c@localhost/r"), full: false, lifetime: nil)
    try await home.account.delivered()
    // Whose session ended before it was shown saw nothing, is told nothing, and nobody is let through for it.
    #expect(
      short(lists.take()) == [
        open("b@localhost/r", "c@localhost/r"), "+ b@localhost/r", "+ c@localhost/r", Self.closed,
      ])
    let held = Waiter<Void>()
    try home.server.onSend = { held.finish(()) }
    try home.server.holdsAnswers = true
    try home.account.share(JID("d@localhost/r"), full: false, lifetime: nil)
    await held.value()
    try home.account.share(JID("e@localhost/r"), full: false, lifetime: nil)
    try home.server.releaseAnswers()
    try await home.account.delivered()
    #expect(
      short(lists.take()) == [
        open("d@localhost/r"), "+ d@localhost/r", open("e@localhost/r"), "+ e@localhost/r", Self.closed,
      ])
  }

  @Test("What goes to everybody leaves while nobody is let through")
  @LoopActor func broadcast() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    try home.account.share(JID("nurse@localhost"), full: false, lifetime: nil)
    home.account.setPresence(show: .away, status: "", priority: nil)
    try await home.account.delivered()
    #expect(short(lists.take()) == [open("nurse@localhost"), "+ nurse@localhost", Self.closed, "+ everybody"])
  }

  @Test("Subscription presence goes the same way")
  @LoopActor func subscription() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    let done = Waiter<AccountError?>()
    let paris = try BareJID("paris@localhost")
    spawn {
      do throws(AccountError) {
        try await home.account.subscribe(paris, reveal: true)
        done.finish(nil)
      } catch { done.finish(error) }
    }
    let server = try home.server
    await turns(5_000) { !server.sent.contains { $0.attribute("type") == "subscribe" } }
    try await home.account.delivered()
    try home.server.say(
      """
      <iq type='set' id='p'><query xmlns='jabber:iq:roster'>\
      <item jid='paris@localhost' subscription='none' ask='subscribe'/></query></iq>
      """)
    #expect(await done.value() == nil)
    #expect(short(lists.take()) == [open("paris@localhost"), "subscribe paris@localhost", Self.closed])
  }

  @Test("Where the server does not let somebody through nothing is shown, and the list is put back")
  @LoopActor func refused() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    lists.refusals["list"] = "resource-constraint"
    let outcome = Waiter<AccountError?>()
    let jid = try JID("romeo@localhost/r")
    spawn {
      do throws(AccountError) {
        try home.account.share(jid, full: false, lifetime: nil)
        try await home.account.delivered()
        outcome.finish(nil)
      } catch { outcome.finish(error) }
    }
    #expect(await outcome.value()?.code == .serverRefused)
    #expect(short(lists.take()) == ["set list nightcloak", Self.closed])
    #expect(home.account.audience.shown.isEmpty)
    #expect(lists.lists["nightcloak"]?.contains("romeo") == false)
  }

  @Test("More than can wait are refused")
  @LoopActor func limit() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    try home.server.holdsAnswers = true
    var refusals: [AccountError.Code] = []
    let done = Waiter<Void>()
    for index in 0..<1025 {
      let contact = try BareJID("c\(index)@localhost")
      spawn {
        do throws(AccountError) {
          try await home.account.subscribe(contact, reveal: true)
        } catch { refusals.append(error.code) }
        if refusals.contains(.limitExceeded) { done.finish(()) }
      }
    }
    await done.value()
    #expect(refusals == [.limitExceeded])
    try home.server.cut(time: home.time)
  }

  // MARK: Outages

  @Test(
    "After an outage nobody is let through any more, wherever it came and however long it was, and who was to see us does",
    arguments: 1...4, [false, true])
  @LoopActor func outage(_ stanza: Int, _ isLong: Bool) async throws {
    for lost in 0...stanza {
      let lists = ScriptedLists()
      let home = try await home(lists)
      _ = try home.server.take()
      let server = try home.server
      let (reached, bounces) = (Waiter<Void>(), server.bounces)
      // From this stanza on the server answers nothing; what it had of them counts.
      server.bounces = { element in
        if server.sent.count < stanza { return bounces(element) }
        if server.sent.count == stanza { reached.finish(()) }
        server.isMute = true
        if server.sent.count <= stanza - lost { _ = bounces(element) }
        return nil
      }
      try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
      await reached.value()
      home.onOpen = {
        lists.attach(to: $0)
        $0.lost = lost
        $0.isMute = isLong
      }
      server.cut(unacknowledged: server.sent.count, time: home.time)
      home.time.advance(by: .seconds(2))
      if isLong {
        // No answer comes in time.
        home.time.advance(by: .seconds(9))
        await turns()
        try home.server.isMute = false
        try home.server.open()
      }
      await home.status(.connected)
      await turns()
      // What the server had and never answered it does not answer later either.
      home.time.advance(by: .seconds(11))
      await turns()
      let log = short(lists.take())
      #expect(lists.lists["nightcloak"]?.contains("romeo") == false, "\(lost) lost: \(log)")
      #expect(!home.account.audience.shown.isEmpty || !isLong, "\(lost) lost: \(log)")
    }
  }
}

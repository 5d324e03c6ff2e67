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
    while try !home.server.sent.contains(where: { $0.attribute("type") == "subscribe" }) {
      await withCheckedContinuation { continuation in spawn { continuation.resume() } }
    }
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
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    do throws(AccountError) {
      try await home.account.delivered()
      Issue.record("nothing is said of it")
    } catch { #expect(error.code == .serverRefused) }
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

  /// Where the connection breaks: before the list was opened, while somebody is let through, and before it was closed.
  @Test("After an outage nobody is let through any more, wherever it came", arguments: 1...4, [0, 1, 2, 3])
  @LoopActor func outage(_ stanza: Int, _ lost: Int) async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    _ = try home.server.take()
    let server = try home.server
    server.onSend = {
      guard server.sent.count == stanza else { return }
      server.onSend = {}
      // Nothing is answered any more.
      server.isMute = true
    }
    // From the last stanza on the server is gone.
    var count = 0
    let bounces = server.bounces
    server.bounces = { element in
      count += 1
      return count < stanza ? bounces(element) : nil
    }
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    while server.sent.count < stanza {
      await withCheckedContinuation { continuation in spawn { continuation.resume() } }
    }
    home.onOpen = {
      lists.attach(to: $0)
      $0.lost = min(lost, stanza)
    }
    server.cut(unacknowledged: min(lost, stanza), time: home.time)
    home.time.advance(by: .seconds(2))
    await home.status(.connected)
    // What the server had and never answered is not answered later either.
    home.time.advance(by: .seconds(11))
    var turns = 0
    while turns < 200 {
      turns += 1
      await withCheckedContinuation { continuation in spawn { continuation.resume() } }
    }
    try? await home.account.delivered()
    #expect(lists.lists["nightcloak"]?.contains("romeo") == false, "\(lists.lists) \(short(lists.take()))")
  }
}

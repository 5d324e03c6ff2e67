// SPDX-License-Identifier: Apache-2.0

import Audience
import EventLoop
import Testing
import XML
import XMPP

@testable import Account

/// What a change of the roster means for who sees us.
@Suite("The roster and visibility", .timeLimit(.minutes(1)))
struct RosterEffectsTests {
  init() { EventLoop.runInBackground() }

  private static let nurse = BareAddress("nurse@localhost")

  @LoopActor private func home(
    _ wish: VisibilityWish, _ features: String = "", roster: String = ""
  ) async throws -> Home {
    let home = try await Home(wish: wish, roster: roster)
    home.onOpen = { $0.disco += features }
    try await home.connect()
    return home
  }

  @LoopActor private func push(_ home: Home, _ subscription: String, groups: String...) throws {
    let groups = groups.map { "<group>\($0)</group>" }.joined()
    try home.server.say(
      """
      <iq type='set' id='p'><query xmlns='jabber:iq:roster'>\
      <item jid='nurse@localhost' subscription='\(subscription)'>\(groups)</item></query></iq>
      """)
  }

  /// Waits until what is wanted is in force, and says what presence that took: to whom, and of what type.
  @LoopActor private func said(_ home: Home) async throws -> [String] {
    while home.account.isVisibilityPending { try await home.account.fence() }
    return try home.server.take().filter { $0.hasPrefix("<presence") && !$0.contains("type='probe'") }.map { stanza in
      let type = stanza.prefix { $0 != ">" }.components("type='").map { String($0.prefix { $0 != "'" }) }
      return "\(type ?? "available")\(stanza.components("to='").map { " → \($0.prefix { $0 != "@" })" } ?? "")"
    }
  }

  // MARK: Groups

  @Test("Who is put into a group that may see us is shown us, and who is taken out is told that we are gone")
  @LoopActor func groups() async throws {
    let home = try await home(
      VisibilityWish(showsOthers: false, contacts: [BareAddress("romeo@localhost")], groups: ["Family"]),
      roster: "<item jid='nurse@localhost' subscription='from'/>")
    try push(home, "from", groups: "Friends")
    #expect(try await said(home).isEmpty)
    try push(home, "from", groups: "Friends", "Family")
    #expect(try await said(home) == ["available → nurse"])
    #expect(home.account.audience.contains(.bare(Self.nurse)))
    try push(home, "from", groups: "Friends")
    #expect(try await said(home) == ["unavailable → nurse"])
    #expect(!home.account.audience.contains(.bare(Self.nurse)))
  }

  @Test("Who is named beside a group of his stays hidden, or shown, when he comes into another")
  @LoopActor func namedBesideHisGroup() async throws {
    let nurse = try BareJID("nurse@localhost")
    for showsOthers in [false, true] {
      let home = try await home(
        VisibilityWish(showsOthers: showsOthers, groups: ["Family"]), "<feature var='presence-invisible'/>",
        roster: "<item jid='nurse@localhost' subscription='from'><group>Work</group></item>")
      if showsOthers {
        try await home.account.showTo([nurse], groups: ["Work"])
      } else {
        try await home.account.hideFrom([nurse], groups: ["Work"])
      }
      _ = try home.server.take()
      try push(home, "from", groups: "Family")
      #expect(try await said(home).isEmpty)
      #expect(home.account.audience.contains(.bare(Self.nurse)) == showsOthers)
    }
  }

  @Test("A group that changes while the stream comes up is not forgotten")
  @LoopActor func groupsWhileConnecting() async throws {
    let items = ["romeo", "nurse"].map {
      "<item jid='\($0)@localhost' subscription='from'><group>\($0)</group></item>"
    }
    let home = try await Home(wish: VisibilityWish(showsOthers: false, groups: ["romeo"]), roster: items.joined())
    home.onOpen = { server in
      server.bounces = { [weak server] stanza in
        if stanza.name == "presence", stanza.attribute("to") == "romeo@localhost" {
          // The change behind it is not confirmed for a while.
          server?.holdsAnswers = true
          server?.say(
            """
            <iq type='set' id='p'><query xmlns='jabber:iq:roster'>\
            <item jid='nurse@localhost' subscription='from'><group>romeo</group></item></query></iq>
            """)
        }
        return nil
      }
    }
    let outcome = home.connecting()
    await home.opened()
    let server = try home.server
    while !server.holdsAnswers {
      let waiter = Waiter<Void>()
      server.onSend = { waiter.finish(()) }
      await waiter.value()
    }
    for _ in 0..<10 { await Task.yield() }
    server.releaseAnswers()
    #expect(await outcome.value() == nil)
    #expect(home.account.audience.contains(.bare(Self.nurse)))
    #expect(try await said(home) == ["available → romeo", "available → nurse"])
  }

  // MARK: Subscriptions

  @Test("Who is shown us by exception, and subscribes only then, is sent our presence where the server says nothing")
  @LoopActor func gained() async throws {
    let only = VisibilityWish(showsOthers: false, contacts: [Self.nurse])
    for features in ["", "<feature var='urn:xmpp:invisible:1'/>"] {
      let home = try await home(only, features)
      try push(home, "none")
      #expect(try await said(home).isEmpty)
      try push(home, "from")
      #expect(try await said(home) == ["available → nurse"])
      try push(home, "both")
      #expect(try await said(home).isEmpty)
    }
  }

  @Test("Who subscribes and is no exception is sent nothing while we hide, nor what the server sends while we do not")
  @LoopActor func notGained() async throws {
    for wish in [VisibilityWish.invisible, .visible] {
      let home = try await home(wish)
      _ = try home.server.take()
      try push(home, "both")
      #expect(try await said(home).isEmpty)
    }
  }

  @Test("Who subscribes in a session is shown all there is, and in one that begins while we hide still nothing more")
  @LoopActor func gainedInSession() async throws {
    for (wish, expected) in [(VisibilityWish.invisible, []), (.visible, ["available → nurse"])] {
      let home = try await home(wish)
      home.account.setPresence(show: .dnd, status: "busy", priority: nil)
      try home.account.share(JID("nurse@localhost"), full: false, lifetime: nil)
      _ = try home.server.take()
      try push(home, "both")
      #expect(try home.server.sent.contains { $0.children.contains { $0.name == "status" } } == !expected.isEmpty)
      #expect(try await said(home) == expected)
    }
  }

  @Test("What the server dropped because the contact was not on the roster is said again when it is")
  @LoopActor func saidAgain() async throws {
    for (showsOthers, word) in [(false, "visible"), (true, "invisible")] {
      let home = try await home(
        VisibilityWish(showsOthers: showsOthers, contacts: [Self.nurse]), "<feature var='presence-invisible'/>")
      try push(home, "none")
      #expect(try await said(home) == ["\(word) → nurse"])
      try push(home, "from")
      #expect(try await said(home).isEmpty)
      try push(home, "remove")
      #expect(try await said(home).isEmpty)
      try push(home, "from")
      #expect(try await said(home) == ["\(word) → nurse"])
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XMPP

/// A change that nobody called for, and that the server refused: what the person is told, and what brings it right.
@Suite("Changes that failed behind the person's back", .timeLimit(.minutes(1)))
struct FailedChangeTests {
  init() { EventLoop.runInBackground() }

  private static let wish = VisibilityWish(showsOthers: false, groups: ["House"])
  private static let nurse = Address.bare(BareAddress("nurse@localhost"))
  private static let tybalt = Address.bare(BareAddress("tybalt@localhost"))

  private static let roster = "<item jid='nurse@localhost' subscription='both'><group>House</group></item>"
  private static let newMember = "<item jid='tybalt@localhost' subscription='both'><group>House</group></item>"

  /// What can go wrong.
  enum Failure: CaseIterable {
    /// The server refuses to let a new member of a group that is shown to through.
    case roster
    /// Another client takes the list away again and again.
    case list
  }

  /// What can bring it right.
  enum Remedy: CaseIterable {
    /// A call that says the same once more.
    case repetition
    case visible, showTo
    /// The session goes on, or is a new one.
    case resumption, newSession
  }

  @LoopActor private func failed(_ failure: Failure, _ lists: ScriptedLists) async throws -> Home {
    let home = try await Home(wish: Self.wish, roster: Self.roster)
    home.onOpen = { lists.attach(to: $0) }
    try await home.account.connect()
    #expect(home.account.audience.contains(Self.nurse))
    home.onOpen = {
      $0.roster += Self.newMember
      lists.attach(to: $0)
    }
    _ = try home.server.take()
    let told = Waiter<Void>()
    home.onEvent = {
      if case .visibilityChanged = $0, home.account.audience.members.isEmpty { told.finish(()) }
    }
    switch failure {
    case .roster:
      lists.refusals["list"] = "resource-constraint"
      try home.server.say(
        "<iq type='set' id='r'><query xmlns='jabber:iq:roster'>\(Self.newMember)</query></iq>")
    case .list:
      lists.refusals["names"] = "internal-server-error"
      try lists.edit("nightcloak", nil)
    }
    await told.value()
    return home
  }

  @Test("The person is told that it is not in force, and nobody sees us", arguments: Failure.allCases)
  @LoopActor func told(_ failure: Failure) async throws {
    let home = try await failed(failure, ScriptedLists())
    #expect(home.account.status == .connected)
    #expect(home.account.isVisibilityPending)
    #expect(home.account.wanted == Self.wish)
    #expect(presences(try home.server.take()).last == "<presence type='unavailable'/>")
    home.account.setPresence(show: .away, status: "", priority: nil)
    #expect(presences(try home.server.take()).isEmpty)
  }

  @Test("The next call brings it right, and so does the next connection", arguments: Failure.allCases, Remedy.allCases)
  @LoopActor func remedied(_ failure: Failure, _ remedy: Remedy) async throws {
    let home = try await failed(failure, ScriptedLists())
    let first = try home.server
    switch remedy {
    case .repetition: try await home.account.setVisibility(home.account.wanted)
    case .visible: try await home.account.setVisibility(.visible)
    case .showTo: try await home.account.showTo([BareJID("nurse@localhost")], groups: [])
    case .resumption: first.cut(time: home.time)
    case .newSession:
      first.keepsSessions = false
      first.cut(time: home.time)
    }
    home.time.advance(by: .seconds(2))
    await home.status(.connected)
    #expect(!home.account.isVisibilityPending)
    #expect(home.account.audience.contains(Self.nurse) && home.account.audience.contains(Self.tybalt))
    // What the server thinks of the session in which it failed is not known: it is left.
    #expect(home.account.fullJID?.resource != first.resource)
    #expect(presences(try home.server.take()).count == 1)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XML
import XMPP

/// What leaves for each change of visibility, by each mechanism that needs no list.
@Suite("Mechanisms", .timeLimit(.minutes(1)))
struct MechanismTests {
  init() { EventLoop.runInBackground() }

  private static let roster = ["romeo", "nurse", "tybalt"].map { "<item jid='\($0)@localhost' subscription='both'/>" }
    .joined()
  private static let invisiblePresence = "<feature var='presence-invisible'/>"
  private static let invisibleCommand = "<feature var='urn:xmpp:invisible:0'/><feature var='urn:xmpp:invisible:1'/>"
  private static let romeo = BareAddress("romeo@localhost")
  private static let nurse = BareAddress("nurse@localhost")

  @LoopActor private func home(
    _ wish: VisibilityWish, _ features: String = "", mechanism: Mechanism? = nil
  ) async throws -> Home {
    let home = try await Home(wish: wish, mechanism: mechanism, roster: Self.roster)
    home.onOpen = { $0.disco += features }
    try await home.account.connect()
    return home
  }

  /// Presence that left, without what every one of ours carries, and the questions about visibility.
  @LoopActor private func said(_ home: Home) throws -> [String] {
    try home.server.take().compactMap { stanza in
      if stanza.contains("urn:xmpp:invisible") {
        return String(
          stanza[stanza.index(after: stanza.dropFirst().firstIndex(of: "<") ?? stanza.startIndex)...].prefix {
            $0 != " "
          })
          + (stanza.contains("urn:xmpp:invisible:1") ? ":1" : ":0") + (stanza.contains("probe='true'") ? " probe" : "")
      }
      guard !presences([stanza]).isEmpty else { return nil }
      let head = stanza.prefix { $0 != ">" }
      let to = head.components("to='").map { " → \($0.prefix { $0 != "@" })" } ?? ""
      let type = head.components("type='").map { String($0.prefix { $0 != "'" }) } ?? "available"
      let show = stanza.components("<show>").map { " \($0.prefix { $0 != "<" })" } ?? ""
      return type + to + show
    }
  }

  // MARK: XEP-0018

  @Test("By presence of type invisible: the story of §4.1, each call what it takes and no more")
  @LoopActor func joe() async throws {
    let home = try await home(.invisible, Self.invisiblePresence)
    #expect(home.account.mechanism == .invisiblePresence)
    #expect(try said(home) == ["invisible", "available"])
    try await home.account.showTo([BareJID("romeo@localhost")], groups: [])
    #expect(try said(home) == ["visible → romeo"])
    home.account.setPresence(show: .xa, status: "Away (due to idle)", priority: nil)
    #expect(try said(home) == ["available xa"])
    try await home.account.setVisibility(.visible)
    #expect(try said(home) == ["visible"])
    try await home.account.hideFrom([BareJID("nurse@localhost")], groups: [])
    #expect(try said(home) == ["invisible → nurse"])
    home.account.setPresence(show: .chat, status: "", priority: nil)
    #expect(try said(home) == ["available chat"])
    #expect(home.account.wanted.mode == .except)
    #expect(home.servers.count == 1)
  }

  @Test("A start with exceptions names them before the first presence")
  @LoopActor func startExcept() async throws {
    let home = try await home(VisibilityWish(showsOthers: true, contacts: [Self.romeo]), Self.invisiblePresence)
    #expect(try said(home) == ["invisible → romeo", "available"])
  }

  @Test("From nobody to everybody but some by way of a new stream, never by way of everybody")
  @LoopActor func onlyToExcept() async throws {
    let home = try await home(VisibilityWish(showsOthers: false, contacts: [Self.romeo]), Self.invisiblePresence)
    let first = try home.server
    #expect(try said(home) == ["invisible", "available", "visible → romeo"])
    try await home.account.setVisibility(VisibilityWish(showsOthers: true, contacts: [Self.romeo]))
    #expect(presences(first.take()) == ["<presence type='unavailable'/>"])
    #expect(try said(home) == ["invisible → romeo", "available"])
  }

  @Test("A server that refuses type invisible leaves us hidden, and says what contacts see")
  @LoopActor func refused() async throws {
    let home = try await home(.visible, Self.invisiblePresence)
    _ = try home.server.take()
    try home.server.bounces = { stanza in
      guard stanza.attribute("type") == "invisible" else { return nil }
      return """
        <presence type='error'><error type='modify'>\
        <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        """
    }
    let error = await #expect(throws: AccountError.self) {
      try await home.account.hideFrom([BareJID("romeo@localhost")], groups: [])
    }
    #expect(error?.code == .serverRefused)
    #expect(error?.text.contains("your contacts see you as offline") == true)
    #expect(try said(home) == ["invisible → romeo", "unavailable"])
    #expect(home.account.audience.members.isEmpty)
    #expect(home.account.isVisibilityPending)
    // Nothing that follows shows us again.
    home.account.setPresence(show: .away, status: "", priority: nil)
    #expect(try said(home).isEmpty)
  }

  @Test("What comes back for one contact, who is blocked or cannot be reached, is no refusal of the change")
  @LoopActor func sentBack() async throws {
    let refusal = """
      <presence type='error' from='romeo@localhost'><error type='modify'>\
      <not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
      """
    let visible = try await Home(roster: Self.roster)
    visible.onOpen = { $0.bounces = { $0.name == "presence" ? refusal : nil } }
    try await visible.account.connect()
    let hidden = try await home(.invisible)
    try hidden.server.bounces = { $0.attribute("to") == "romeo@localhost" ? refusal : nil }
    try await hidden.account.setVisibility(VisibilityWish(showsOthers: false, contacts: [Self.romeo, Self.nurse]))
    #expect(hidden.account.audience.mode == .only)
  }

  @Test("What an earlier session of ours sends back when the server gives it up is no refusal; from our account it is")
  @LoopActor func sentBackByAnother() async throws {
    for (from, code) in [("juliet@localhost/given-up", nil), ("juliet@localhost", AccountError.Code.serverRefused)] {
      let home = try await home(.invisible)
      let error = """
        <presence type='error' from='\(from)'><error type='cancel'>\
        <recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>
        """
      try home.server.bounces = { $0.name == "presence" ? error : nil }
      let account = home.account
      let failure = await outcome { () throws(AccountError) in try await account.setVisibility(.visible) }.value()
      #expect(failure?.code == code)
    }
  }

  @Test("Type invisible never goes to a server that does not announce it")
  @LoopActor func unannounced() async throws {
    let home = try await Home(wish: .invisible, mechanism: .invisiblePresence, roster: Self.roster)
    let error = await #expect(throws: AccountError.self) { try await home.account.connect() }
    #expect(error?.code == .notSupportedByServer)
    #expect(try presences(home.server.take()).isEmpty)
    #expect(home.account.status == .disconnected)
  }

  @Test("A cut in the middle of a change is followed by a new stream, on which what is wanted holds")
  @LoopActor func cutWithin() async throws {
    let home = try await home(.visible, Self.invisiblePresence)
    let server = try home.server
    _ = server.take()
    server.isMute = true
    let outcome = Waiter<AccountError?>()
    let romeo = try BareJID("romeo@localhost")
    spawn {
      do throws(AccountError) {
        try await home.account.hideFrom([romeo], groups: [])
        outcome.finish(nil)
      } catch { outcome.finish(error) }
    }
    await home.sentSomething()
    home.onOpen = { [disco = server.disco] in $0.disco = disco }
    server.cut(unacknowledged: 2, time: home.time)
    home.time.advance(by: .seconds(20))
    await home.status(.connected)
    #expect(await outcome.value() != nil)
    #expect(home.account.audience.mode == .except)
    #expect(!home.account.audience.contains(.bare(Self.romeo)))
    #expect(try said(home) == ["invisible → romeo", "available"])
  }

  // MARK: XEP-0186

  @Test("By the invisible command: contacts are probed for us, and whoever may see us is sent presence")
  @LoopActor func command() async throws {
    let home = try await home(.invisible, Self.invisibleCommand)
    #expect(home.account.mechanism == .invisibleCommand)
    #expect(try said(home) == ["invisible:1 probe", "available"])
    try await home.account.showTo([BareJID("romeo@localhost")], groups: [])
    #expect(try said(home) == ["available → romeo"])
    home.account.setPresence(show: .xa, status: "", priority: nil)
    #expect(try said(home) == ["available xa", "available → romeo xa"])
    try await home.account.hideFrom([BareJID("romeo@localhost")], groups: [])
    #expect(try said(home) == ["unavailable → romeo"])
    try await home.account.setVisibility(.visible)
    #expect(try said(home) == ["visible:1", "available xa"])
    try await home.account.setVisibility(.invisible)
    #expect(try said(home) == ["invisible:1 probe"])
    #expect(home.servers.count == 1)
  }

  @Test("By the invisible command all but some takes presence to each of the others, where that will do")
  @LoopActor func commandExcept() async throws {
    let home = try await home(.visible, Self.invisibleCommand)
    #expect(try said(home) == ["available"])
    try await home.account.setVisibility(
      VisibilityWish(showsOthers: true, contacts: [Self.romeo], acceptsLess: true))
    #expect(try said(home) == ["invisible:1 probe", "available → nurse", "available → tybalt"])
    #expect(home.account.degraded.contains(.lateContactsMissUs))
    try await home.account.showTo([BareJID("romeo@localhost")], groups: [])
    #expect(try said(home) == ["visible:1", "available"])
  }

  // MARK: Directed presence

  @Test("By directed presence: to each who may see us, and to nobody else")
  @LoopActor func directed() async throws {
    let home = try await home(VisibilityWish(showsOthers: false, contacts: [Self.romeo]))
    #expect(home.account.mechanism == .directed)
    #expect(try said(home) == ["available → romeo"])
    home.account.setPresence(show: .xa, status: "", priority: nil)
    #expect(try said(home) == ["available → romeo xa"])
    try await home.account.showTo([BareJID("nurse@localhost")], groups: [])
    #expect(try said(home) == ["available → nurse xa"])
    try await home.account.hideFrom([BareJID("romeo@localhost")], groups: [])
    #expect(try said(home) == ["unavailable → romeo"])
    #expect(home.account.degraded.contains(.resourceKnown))
    let first = try home.server
    try await home.account.setVisibility(.invisible)
    #expect(first.isClosed && home.servers.count == 2)
    #expect(presences(first.take()) == ["<presence to='nurse@localhost' type='unavailable'/>"])
    #expect(try said(home).isEmpty)
    #expect(!home.account.degraded.contains(.resourceKnown))
  }

  @Test("Showing us to more strangers than there can be sessions shows us to none of them")
  @LoopActor func strangers() async throws {
    let home = try await home(.visible)
    let server = try home.server
    _ = server.take()
    let strangers = try (0...Limits.sessions).map { try BareJID("stranger\($0)@localhost") }
    let error = await #expect(throws: AccountError.self) {
      try await home.account.showTo(strangers + [BareJID("romeo@localhost")], groups: ["Friends"])
    }
    #expect(error?.code == .limitExceeded)
    #expect(presences(server.take()).isEmpty)
    #expect(home.account.audience.sessions.isEmpty && home.account.wanted == .visible)
    try await home.account.showTo(Array(strangers.dropLast()), groups: [])
    #expect(home.account.audience.sessions.count == Limits.sessions)
  }

  @Test("All but some is refused where only directed presence is to be had, unless less will do")
  @LoopActor func except() async throws {
    let home = try await home(.visible)
    let first = try home.server
    _ = first.take()
    let error = await #expect(throws: AccountError.self) {
      try await home.account.hideFrom([BareJID("romeo@localhost")], groups: [])
    }
    #expect(error?.code == .notSupportedByServer)
    #expect(presences(first.take()).isEmpty)
    #expect(home.account.wanted == .visible)
    try await home.account.setVisibility(
      VisibilityWish(showsOthers: true, contacts: [Self.romeo], acceptsLess: true))
    #expect(presences(first.take()) == ["<presence type='unavailable'/>"])
    #expect(try said(home) == ["available → nurse", "available → tybalt"])
    #expect(home.account.degraded.contains(.lateContactsMissUs))
  }

  @Test("Somebody without a subscription is shown us for a while, whatever the mechanism")
  @LoopActor func stranger() async throws {
    let home = try await home(.invisible)
    try await home.account.showTo([BareJID("mercutio@localhost")], groups: [])
    #expect(try said(home) == ["available → mercutio"])
    #expect(home.account.wanted == .invisible)
    #expect(home.account.audience.sessions.count == 1)
    try await home.account.hideFrom([BareJID("mercutio@localhost")], groups: [])
    #expect(try said(home) == ["unavailable → mercutio"])
  }
}

extension StringProtocol {
  /// What stands behind a text.
  func components(_ text: String) -> SubSequence? {
    var rest = self[...]
    while !rest.isEmpty {
      if rest.hasPrefix(text) { return rest.dropFirst(text.count) }
      rest = rest.dropFirst()
    }
    return nil
  }
}

// SPDX-License-Identifier: Apache-2.0

import Audience
import EventLoop
import Testing
import XMPP

@testable import Account

@Suite("Calls that strangers propose")
struct ProposalTests {
  private let romeo = "romeo@montague.lit/garden"
  private let namespace = "urn:xmpp:jingle-message:0"

  init() { EventLoop.runInBackground() }

  private func proposal(_ name: String = "propose", id: String = "c1", extra: String = "") -> String {
    """
    <message from='\(romeo)' to='juliet@localhost' type='chat'>\
    <\(name) xmlns='\(namespace)' id='\(id)'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></\(name)>\
    \(extra)</message>
    """
  }

  @LoopActor private func home(_ policy: Decloak.Policy = .ask) async throws -> Home {
    let home = try await Home()
    try await home.connect()
    try home.account.addHandler([namespace], takesMessages: false, for: ":1.1")
    try home.account.setPolicy(policy)
    _ = try home.server.take()
    return home
  }

  @Test("A proposal is a request for media; it is handed over after the yes, behind our presence, and not before")
  @LoopActor func approved() async throws {
    let home = try await home()
    try home.server.say(proposal())
    let request = try #require(home.announced().first)
    #expect(request.reason == .media && request.namespaces == [namespace])
    #expect(request.requesters.map(\.description) == [romeo])
    #expect(home.handed().isEmpty)
    #expect(try home.server.take().isEmpty)
    var shownFirst: Bool?
    home.onEvent = { event in
      if case .messageHanded = event { shownFirst = (try? presences(home.server.take()).isEmpty) == false }
    }
    try home.account.approve(request.id, full: false, lifetime: nil)
    #expect(shownFirst == true)
    #expect(home.handed().map(\.from) == [romeo])
    #expect(home.handed().first?.payload.contains("<propose xmlns='\(namespace)' id='c1'>") == true)
    // Now it can be answered, which before was refused.
    _ = try home.account.sendMessage(
      .chat, to: try JID(romeo), payload: "<proceed xmlns='\(namespace)' id='c1'/>", reveal: false, from: ":1.1")
  }

  @Test(
    "After anything but a yes the proposal is dropped, and nothing has left",
    arguments: ["deny", "expire", "leave", "off"])
  @LoopActor func refused(_ end: String) async throws {
    let home = try await home()
    try home.server.say(proposal())
    let request = try #require(home.announced().first)
    let error = #expect(throws: AccountError.self) {
      try home.account.sendMessage(
        .chat, to: try JID(romeo), payload: "<ringing xmlns='\(namespace)' id='c1'/>", reveal: false, from: ":1.1")
    }
    #expect(error?.code == .wouldReveal)
    switch end {
    case "deny": try home.account.deny(request.id)
    case "expire": home.time.advance(by: .seconds(120))
    case "leave": try home.server.say("<presence from='\(romeo)' type='unavailable'/>")
    default: try home.account.setPolicy(.off)
    }
    #expect(home.resolved().count == 1)
    #expect(home.account.proposals.count == 0)
    try home.account.setPolicy(.allow)
    #expect(home.handed().isEmpty)
    #expect(try home.server.take().isEmpty)
  }

  @Test("With the policy off a proposal leaves no trace")
  @LoopActor func off() async throws {
    let home = try await home(.off)
    try home.server.say(proposal())
    #expect(home.announced().isEmpty && home.handed().isEmpty && home.account.proposals.count == 0)
    #expect(try home.server.take().isEmpty)
  }

  @Test("Where the policy says yes the proposal follows our presence at once")
  @LoopActor func allowed() async throws {
    let home = try await home(.allow)
    try home.server.say(proposal())
    #expect(home.handed().count == 1)
    #expect(try presences(home.server.take()).count == 1)
    #expect(home.account.audience.sessions.count == 1)
  }

  @Test("It merges with a request by presence of the same contact, whichever comes first")
  @LoopActor func merged() async throws {
    let home = try await home()
    try home.ask(romeo)
    try home.server.say(proposal())
    #expect(home.announced().count == 1)
    let pending = try #require(home.account.decloak.pendingRequests.first)
    #expect(pending.count == 2)
    #expect(pending.namespaces == ["urn:xmpp:decloak:0", namespace])
    try home.account.approve(pending.id, full: false, lifetime: nil)
    #expect(home.handed().count == 1)
  }

  @Test("Taking the proposal back withdraws the request, but not one that was also made by presence")
  @LoopActor func retracted() async throws {
    let home = try await home()
    try home.server.say(proposal())
    try home.server.say(proposal(id: "c2"))
    try home.server.say(proposal("retract"))
    #expect(home.resolved().isEmpty)
    try home.server.say(proposal("retract", id: "c2"))
    #expect(home.resolved() == [.withdrawn])
    try home.ask(romeo)
    try home.server.say(proposal())
    try home.server.say(proposal("retract"))
    #expect(home.resolved() == [.withdrawn])
    try home.account.approve(try #require(home.announced().last).id, full: false, lifetime: nil)
    #expect(home.handed().isEmpty)
  }

  @Test(
    "What a server kept, what comes from a room, and what is no message from one to one is no proposal, and no call",
    arguments: [
      "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>",
      "<x xmlns='jabber:x:delay' stamp='20260101T00:00:00'/>",
      "<x xmlns='http://jabber.org/protocol/muc#user'/>",
      "headline",
    ])
  @LoopActor func none(_ extra: String) async throws {
    let home = try await home(.allow)
    let stanza =
      extra == "headline" ? proposal().replacing("type='chat'", with: "type='headline'") : proposal(extra: extra)
    try home.server.say(stanza)
    #expect(home.announced().isEmpty)
    #expect(try home.server.take().isEmpty)
    #expect(home.handed().isEmpty)
  }

  @Test("From inside a proposal is a message as any other")
  @LoopActor func inside() async throws {
    let home = try await home(.allow)
    try home.ask(romeo)
    try home.server.say(proposal())
    #expect(home.announced().count == 1)
    #expect(home.handed().count == 1)
  }

  @Test("A flood of proposals is one request, and few of them are kept")
  @LoopActor func flood() async throws {
    let home = try await home()
    for index in 1...1000 { try home.server.say(proposal(id: "c\(index)")) }
    #expect(home.announced().count == 1)
    #expect(home.account.proposals.count == Limits.proposalsPerContact)
  }
}

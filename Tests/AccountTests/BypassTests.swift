// SPDX-License-Identifier: Apache-2.0

import Audience
import EventLoop
import Testing
import XML
import XMPP

@testable import Account

/// What strangers try so that a program is handed a call, or something like it, that nobody has said yes to.
@Suite("Ways round the consent to calls")
struct BypassTests {
  private let romeo = "romeo@montague.lit/garden"
  private let namespace = "urn:xmpp:jingle-message:0"
  private var propose: String { "<propose xmlns='\(namespace)' id='c1'/>" }

  init() { EventLoop.runInBackground() }

  private func message(_ type: String, _ payload: String, from: String? = nil, id: String = "m") -> String {
    "<message from='\(from ?? romeo)' to='juliet@localhost/r1' id='\(id)' type='\(type)'>\(payload)</message>"
  }

  @LoopActor private func home(_ policy: Decloak.Policy = .ask) async throws -> Home {
    let home = try await Home()
    try await home.connect()
    try home.account.addHandler([namespace], takesMessages: true, for: ":1.1")
    try home.account.setPolicy(policy)
    _ = try home.server.take()
    return home
  }

  @Test(
    "A proposal that cannot be asked about is dropped, not handed over as a message",
    arguments: [Decloak.Policy.off, .rules, .ask, .allow])
  @LoopActor func noRequest(_ policy: Decloak.Policy) async throws {
    let home = try await home(policy)
    let room = "<x xmlns='http://jabber.org/protocol/muc#user'/>"
    let old = "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>"
    for extra in ["", "<body>ring</body>"] {
      for (type, more) in [
        ("headline", ""), ("error", ""), ("groupchat", ""), ("chat", room), ("normal", room), ("chat", old),
      ] {
        try home.server.say(message(type, extra + propose + more))
        try home.server.say(message(type, more + propose + extra))
      }
    }
    #expect(home.handed().isEmpty && home.announced().isEmpty)
    #expect(try presences(home.server.take()).isEmpty)
  }

  @Test("The bounce of a proposal that a program sent comes back to it, and what claims to be one does not")
  @LoopActor func bounce() async throws {
    let home = try await home()
    let id = try home.account.sendMessage(
      .chat, to: try JID(romeo), payload: propose, reveal: true, from: ":1.1")
    try home.server.say(message("error", propose, id: "other"))
    #expect(home.handed().isEmpty)
    try home.server.say(message("error", propose, id: id))
    #expect(home.handed().map(\.id) == [id])
  }

  @Test("A copy of a message that another device had comes from our own account alone (XEP-0280 §11)")
  @LoopActor func forgedCopies() async throws {
    let home = try await home(.allow)
    try home.ask("tybalt@localhost/hall")
    func copy(_ name: String, _ payload: String) -> String {
      let sender = name == "sent" ? "juliet@localhost/phone" : "nurse@localhost/n"
      return """
        <\(name) xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
        <message xmlns='jabber:client' from='\(sender)' to='x@localhost' type='chat'>\(payload)</message>\
        </forwarded></\(name)>
        """
    }
    for from in [romeo, "tybalt@localhost/hall", "localhost", "juliet@localhost/phone"] {
      for name in ["received", "sent"] {
        try home.server.say(message("chat", copy(name, "<body>hi</body>"), from: from))
      }
    }
    #expect(home.handed().isEmpty)
    for name in ["received", "sent"] {
      try home.server.say(message("chat", copy(name, "<body>hi</body>"), from: "juliet@localhost"))
    }
    #expect(home.handed().count == 2)
    // The device that a stranger's call went to asks for consent, or has been rung already; this one may not ring back.
    try home.server.say(message("chat", copy("received", propose), from: "juliet@localhost"))
    #expect(home.handed().count == 2)
    try home.server.say(message("chat", copy("sent", propose), from: "juliet@localhost"))
    #expect(home.handed().count == 3)
  }

  @Test("A proposal that is too large to be held is not asked about: the yes would bring nothing")
  @LoopActor func tooLarge() async throws {
    let home = try await home()
    let large = String(repeating: "x", count: Limits.proposalBytesPerContact)
    try home.server.say(message("chat", "<propose xmlns='\(namespace)' id='c1'>\(large)</propose>"))
    #expect(home.announced().isEmpty && home.handed().isEmpty && home.account.proposals.count == 0)
  }

  @Test("A message that names more receivers (XEP-0033) is not sent for one of them who may know")
  @LoopActor func moreReceivers() async throws {
    let home = try await home()
    let more = """
      <addresses xmlns='http://jabber.org/protocol/address'><address type='bcc' jid='\(romeo)'/></addresses>\
      <body>hi</body>
      """
    for to in ["localhost", "juliet@localhost"] {
      let error = #expect(throws: AccountError.self) {
        try home.account.sendMessage(.chat, to: try JID(to), payload: more, reveal: false, from: ":1.1")
      }
      #expect(error?.code == .wouldReveal)
    }
    #expect(try home.server.take().isEmpty)
    _ = try home.account.sendMessage(.chat, to: try JID("localhost"), payload: more, reveal: true, from: ":1.1")
    #expect(try home.server.take().count == 1)
  }

  @Test("What our server would carry to others for us is not sent to it unless it is meant")
  @LoopActor func passedOn() async throws {
    let home = try await home()
    let join = "<client-join xmlns='urn:xmpp:mix:pam:2' channel='coven@mix.shakespeare.lit'/>"
    #expect(await (try home.asking("juliet@localhost", join)).value().code == .wouldReveal)
    #expect(try home.server.take().isEmpty)
  }

  @Test("What is refused makes no session last longer")
  @LoopActor func refusedIsNoExchange() async throws {
    let home = try await home(.allow)
    try home.ask(romeo)
    home.time.advance(by: .seconds(3000))
    let outcome = try home.asking("romeo@montague.lit", "<x xmlns='urn:x'/>")
    #expect(await outcome.value().code == .wouldReveal)
    home.time.advance(by: .seconds(700))
    #expect(home.account.audience.sessions.isEmpty)
  }

  @Test("What is long by its names alone is as long as what is long by its text")
  @LoopActor func longNames() async throws {
    let home = try await home(.allow)
    try home.account.addHandler(["urn:x"], takesMessages: false, for: ":1.1")
    let long = "<x xmlns='urn:x' xmlns:p='\(String(repeating: "n", count: StrangersRate.mostBytes))' p:a=''/>"
    try home.server.say(message("chat", long))
    try home.server.say(message("chat", "<propose xmlns='\(namespace)' id='c1'>\(long)</propose>"))
    #expect(home.handed().isEmpty && home.announced().isEmpty)
    try home.ask(romeo)
    _ = try home.server.take()
    try home.server.say("<iq from='\(romeo)' to='juliet@localhost/r1' id='q' type='set'>\(long)</iq>")
    #expect(home.handed().isEmpty)
    #expect(try home.server.take().count == 1)
  }

  @Test("What a stranger says is not sent back where the server would end our stream over the size of it")
  @LoopActor func largeEcho() async throws {
    let home = try await Home()
    home.onOpen = { server in
      server.bounces = { stanza in
        guard stanza.name == "iq", let to = stanza.attribute("to"), let id = stanza.attribute("id") else { return nil }
        let echo = stanza.children.map { $0.serialized(within: "jabber:client") }.joined()
        return """
          <iq from='\(to)' to='\(server.fullJID)' id='\(id)' type='error'>\(echo)<error type='cancel'>\
          <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
          """
      }
    }
    try await home.connect()
    _ = try home.server.take()
    func answer(_ size: Int) throws -> String {
      let text = String(repeating: "x", count: size)
      try home.server.say("<iq from='\(romeo)' id='q' type='set'><x xmlns='urn:x'>\(text)</x></iq>")
      return try #require(try home.server.take().first)
    }
    #expect(try answer(1_000).contains("<x xmlns='urn:x'>xxx"))
    let bare = try answer(AbsentResource.mostEchoedBytes)
    #expect(bare.contains("service-unavailable") && bare.utf8.count < 1_000)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Audience
import EventLoop
import Testing
import XML
import XMPP

@testable import Account

extension Home {
  /// What was handed to programs.
  func handed() -> [HandedStanza] {
    events.compactMap {
      switch $0 {
      case .iqHanded(let stanza), .messageHanded(let stanza): stanza
      default: nil
      }
    }
  }

  /// A contact asks to see us, and the policy says yes.
  func show(to jid: String) async throws {
    try account.setPolicy(.allow)
    try ask(jid)
    await sentSomething()
    _ = try server.take()
  }

  /// What comes of a question that a program puts.
  func asking(
    _ to: String, _ payload: String, reveal: Bool = false, limit: Duration = .seconds(5)
  ) throws -> Waiter<Result<String, AccountError>> {
    let (jid, outcome) = (try JID(to), Waiter<Result<String, AccountError>>())
    spawn {
      do throws(AccountError) {
        outcome.finish(
          .success(try await self.account.sendIQ(.set, to: jid, payload: payload, reveal: reveal, limit: limit)))
      } catch { outcome.finish(.failure(error)) }
    }
    return outcome
  }
}

extension Result where Failure == AccountError {
  var code: AccountError.Code? { if case .failure(let error) = self { error.code } else { nil } }
}

@Suite("Stanzas for programs")
struct StanzasTests {
  private let romeo = "romeo@montague.lit/garden"
  private let call = "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s1'/>"
  private let end = "<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='s1'/>"

  init() { EventLoop.runInBackground() }

  private func question(_ payload: String, id: String = "q1") -> String {
    "<iq from='\(romeo)' to='juliet@localhost/r1' id='\(id)' type='set'>\(payload)</iq>"
  }

  @Test("To somebody outside nothing leaves, in any mode, unless the very call says so")
  @LoopActor func wouldReveal() async throws {
    for mode in [Mode.visible, .invisible] {
      let home = try await Home(mode: mode)
      try await home.connect()
      let stranger = try JID(romeo)
      #expect(await (try home.asking(romeo, call)).value().code == .wouldReveal)
      let error = #expect(throws: AccountError.self) {
        try home.account.sendMessage(.chat, to: stranger, payload: "<body>hi</body>", reveal: false, from: ":1.1")
      }
      #expect(error?.code == .wouldReveal)
      #expect(try home.server.take().isEmpty)
      let id = try home.account.sendMessage(
        .chat, to: stranger, payload: "<body>a &amp; b</body>", reveal: true, from: ":1.1")
      #expect(
        try home.server.take() == ["<message to='\(romeo)' id='\(id)' type='chat'><body>a &amp; b</body></message>"])
      // A word to a stranger lets nobody in.
      #expect(!home.account.audience.contains(Address(stranger)))
    }
  }

  @Test(
    "The protocols of Visibility and Connection are not to be had, wherever they are to go",
    arguments: [
      "jabber:iq:privacy", "jabber:iq:roster", "urn:xmpp:blocking", "urn:xmpp:invisible:0", "urn:xmpp:invisible:1",
      "urn:ietf:params:xml:ns:xmpp-bind", "urn:ietf:params:xml:ns:xmpp-session", "jabber:iq:auth",
    ])
  @LoopActor func reserved(_ namespace: String) async throws {
    let home = try await Home()
    try await home.connect()
    for to in ["juliet@localhost", "localhost"] {
      let outcome = try home.asking(to, "<query xmlns='\(namespace)'/>", reveal: true)
      #expect(await outcome.value().code == .invalidArgument)
    }
    #expect(try home.server.take().isEmpty)
  }

  @Test("What the server would tell contacts waits until we are seen, or it is meant")
  @LoopActor func told() async throws {
    let home = try await Home(mode: .invisible)
    try await home.connect()
    let card = "<vCard xmlns='vcard-temp'/>"
    #expect(await (try home.asking("juliet@localhost", card)).value().code == .wouldReveal)
    let tune = "<pubsub xmlns='http://jabber.org/protocol/pubsub'/>"
    #expect(await (try home.asking("juliet@localhost", tune)).value().code == .wouldReveal)
    #expect(try home.server.take().isEmpty)
    let meant = try home.asking("juliet@localhost", card, reveal: true)
    await home.sentSomething()
    #expect(try home.server.take().first?.contains("vcard-temp") == true)
    home.time.advance(by: .seconds(5))
    #expect(await meant.value().code == .timedOut)
  }

  @Test("An answer is handed back, an error by its condition, and silence as a time-out")
  @LoopActor func answers() async throws {
    let home = try await Home()
    try await home.connect()
    try await home.show(to: romeo)
    try home.server.answers[romeo] = "<ok xmlns='urn:x'><in/></ok>"
    let result = await (try home.asking(romeo, call)).value()
    #expect(try result.get() == "<ok xmlns='urn:x'><in/></ok>")
    try home.server.bounces = { stanza in
      """
      <iq type='error' id='\(stanza.attribute("id") ?? "")' from='romeo@montague.lit/garden'><error type='cancel'>\
      <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
      """
    }
    let refused = await (try home.asking(romeo, call)).value()
    #expect(refused.code == .serverRefused)
    if case .failure(let error) = refused { #expect(error.text.contains("item-not-found")) }
    try home.server.bounces = { _ in nil }
    try home.server.answers = [:]
    _ = try home.server.take()
    let silence = try home.asking(romeo, call)
    await home.sentSomething()
    home.time.advance(by: .seconds(5))
    #expect(await silence.value().code == .timedOut)
  }

  @Test("A program's questions that wait have a limit, which leaves room for ours")
  @LoopActor func outstanding() async throws {
    let home = try await Home()
    try await home.connect()
    try await home.show(to: romeo)
    _ = try home.server.take()
    let sent = Waiter<Void>()
    let server = try home.server
    server.onSend = { if server.sent.count == Account.mostOutstandingIQs { sent.finish(()) } }
    let waiting = try (1...Account.mostOutstandingIQs).map { _ in try home.asking(romeo, call) }
    await sent.value()
    #expect(await (try home.asking(romeo, call)).value().code == .limitExceeded)
    home.time.advance(by: .seconds(5))
    for outcome in waiting { #expect(await outcome.value().code == .timedOut) }
    try home.server.answers[romeo] = "<ok xmlns='urn:x'/>"
    #expect(await (try home.asking(romeo, call)).value().code == nil)
  }

  @Test("A question from inside goes to its handler alone, and the answer goes back under the asker's id")
  @LoopActor func handed() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.addHandler(["urn:xmpp:jingle:1"], takesMessages: false, for: ":1.1")
    try home.account.addHandler(["urn:other"], takesMessages: false, for: ":1.2")
    try await home.show(to: romeo)
    try home.server.say(question(call))
    let handed = try #require(home.handed().first)
    #expect(handed.recipients == [":1.1"])
    #expect(handed.from == romeo && handed.type == "set" && handed.payload == call)
    #expect(try home.server.take().isEmpty)
    for (id, client) in [(handed.id, ":1.2"), ("none", ":1.1")] {
      let error = #expect(throws: AccountError.self) {
        try home.account.answerIQ(id, isError: false, payload: "", from: client)
      }
      #expect(error?.code == .noSuchRequest)
    }
    try home.account.answerIQ(handed.id, isError: false, payload: "", from: ":1.1")
    #expect(try home.server.take() == ["<iq to='\(romeo)' id='q1' type='result'/>"])
    #expect(throws: AccountError.self) {
      try home.account.answerIQ(handed.id, isError: false, payload: "", from: ":1.1")
    }
    // What nobody handles is answered as ever.
    try home.server.say(question("<x xmlns='urn:nobody'/>", id: "q2"))
    #expect(try home.server.take().first?.contains("service-unavailable") == true)
    #expect(home.handed().count == 1)
  }

  @Test("A question from outside never reaches a handler, and is answered as for somebody who is not there")
  @LoopActor func outside() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.addHandler(["urn:xmpp:jingle:1"], takesMessages: true, for: ":1.1")
    _ = try home.server.take()
    try home.server.say(question(call))
    #expect(home.handed().isEmpty)
    let answer = try home.server.take()
    #expect(answer.count == 1 && answer.first?.contains("service-unavailable") == true)
  }

  @Test("What no handler answers, in time or because it left, is answered as what nobody handles")
  @LoopActor func unanswered() async throws {
    let home = try await Home()
    try await home.connect()
    try await home.show(to: romeo)
    try home.server.say(question("<x xmlns='urn:nobody'/>", id: "q"))
    let absent = try #require(try home.server.take().first)
    try home.account.addHandler(["urn:x"], takesMessages: false, for: ":1.1")
    await home.sentSomething()
    _ = try home.server.take()
    try home.server.say(question("<x xmlns='urn:x'/>", id: "q"))
    home.time.advance(by: .seconds(29))
    #expect(try home.server.take().isEmpty)
    home.time.advance(by: .seconds(1))
    #expect(try home.server.take() == [absent])
    try home.server.say(question("<x xmlns='urn:x'/>", id: "q"))
    home.account.clientLeft(":1.1")
    #expect(try home.server.take().first == absent)
    let late = home.handed().last?.id ?? ""
    #expect(throws: AccountError.self) {
      try home.account.answerIQ(late, isError: false, payload: "", from: ":1.1")
    }
    // Gone is gone: the next question is nobody's.
    try home.server.say(question("<x xmlns='urn:x'/>", id: "q"))
    #expect(try home.server.take().contains(absent))
    #expect(home.handed().count == 2)
  }

  @Test("Whoever came to be outside meanwhile gets what anybody outside gets, and not the answer")
  @LoopActor func leftInside() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.addHandler(["urn:x"], takesMessages: false, for: ":1.1")
    try await home.show(to: romeo)
    try home.server.say(question("<x xmlns='urn:x'/>"))
    _ = home.account.revoke(nil)
    _ = try home.server.take()
    let error = #expect(throws: AccountError.self) {
      try home.account.answerIQ(home.handed()[0].id, isError: false, payload: "<y xmlns='urn:x'/>", from: ":1.1")
    }
    #expect(error?.code == .wouldReveal)
    let answer = try home.server.take()
    #expect(answer.count == 1 && answer.first?.contains("service-unavailable") == true)
  }

  @Test("Questions that wait have a limit for each contact")
  @LoopActor func waitingLimit() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.addHandler(["urn:x"], takesMessages: false, for: ":1.1")
    try await home.show(to: romeo)
    for index in 1...HandedIQs.mostPerContact + 1 {
      try home.server.say(question("<x xmlns='urn:x'/>", id: "\(index)"))
    }
    #expect(home.handed().count == HandedIQs.mostPerContact)
    #expect(try home.server.take().count == 1)
  }

  @Test("Questions that wait have limits, of one contact and of all, and make room when they are answered")
  @LoopActor func waitingLimitOfAll() throws {
    let questions = HandedIQs(time: ManualTime(), most: 32)
    func keep(_ number: Int, size: Int = 0) throws -> String? {
      var iq = IQ(.get, to: nil, id: "1", payload: [Element("x", "urn:x", text: String(repeating: "x", count: size))])
      iq.from = try JID("user\(number)@d/r")
      return questions.keep(iq, iq.element, for: ":1.1")
    }
    let half = HandedIQs.mostBytesPerContact / 2
    let first = try #require(try keep(0, size: half))
    #expect(try keep(0, size: half) == nil)
    questions.settle(first)
    let again = try #require(try keep(0, size: half))
    // What is left of all bytes is half of that.
    #expect(try keep(1, size: half) == nil)
    questions.settle(again)
    for number in 1...32 { #expect(try keep(number) != nil) }
    #expect(try keep(33) == nil)
  }

  @Test(
    "What a program handles is added to what we can do: those inside are told, nobody else, and it can be asked for")
  @LoopActor func capabilities() async throws {
    let home = try await Home()
    try await home.connect()
    try await home.show(to: romeo)
    try home.server.say("<presence from='stranger@nowhere.lit/x'/>")
    let before = home.account.presence
    try home.account.addHandler(["urn:x"], takesMessages: false, for: ":1.1")
    let sent = try presences(home.server.take())
    #expect(sent.count == 2)
    #expect(sent.contains { !$0.contains(" to=") } && sent.contains { $0.contains("to='\(romeo)'") })
    #expect(home.account.presence != before)
    for secret in ["<show", "<status", "<priority"] {
      #expect(!sent.contains { $0.contains(" to=") && $0.contains(secret) })
    }
    try home.server.say(
      question("", id: "d").replacing("</iq>", with: "").replacing("set", with: "get") + disco + "</iq>")
    let answer = try #require(try home.server.take().first)
    #expect(answer.contains("<feature var='urn:x'/>"))
    home.account.removeHandler(["urn:x"], for: ":1.1")
    #expect(home.account.presence == before)
    #expect(try presences(home.server.take()).count == 2)
    // The same once more is nothing new.
    home.account.removeHandler(["urn:x"], for: ":1.1")
    #expect(try home.server.take().isEmpty)
  }
  private let disco = "<query xmlns='http://jabber.org/protocol/disco#info'/>"

  @Test("The priority is -1, 0 while somebody takes messages, and what a person chose whatever happens")
  @LoopActor func priority() async throws {
    let home = try await Home()
    try await home.connect()
    #expect(home.account.presence.priority == -1)
    try home.account.addHandler(["urn:x"], takesMessages: false, for: ":1.1")
    #expect(home.account.presence.priority == -1)
    try home.account.addHandler(["urn:xmpp:jingle-message:0"], takesMessages: false, for: ":1.2")
    #expect(home.account.presence.priority == 0)
    #expect(try presences(home.server.take()).last?.contains("<priority>0</priority>") == true)
    home.account.clientLeft(":1.2")
    #expect(home.account.presence.priority == -1)
    home.account.setPresence(show: nil, status: "", priority: -1)
    try home.account.addHandler([], takesMessages: true, for: ":1.3")
    #expect(home.account.presence.priority == -1)
  }

  @Test("A call that is over ends the session that was for it, once the end of it has been answered")
  @LoopActor func call() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.addHandler(["urn:xmpp:jingle:1"], takesMessages: false, for: ":1.1")
    try await home.show(to: romeo)
    for (payload, id) in [(call, "q1"), (end, "q2")] {
      try home.server.say(question(payload, id: id))
      #expect(home.account.audience.sessions.count == 1)
      try home.account.answerIQ(try #require(home.handed().last).id, isError: false, payload: "", from: ":1.1")
    }
    let sent = try home.server.take()
    #expect(
      sent.suffix(2) == ["<iq to='\(romeo)' id='q2' type='result'/>", "<presence to='\(romeo)' type='unavailable'/>"])
    #expect(home.account.audience.sessions.isEmpty)
  }

  @Test("What is exchanged makes a session last as long again")
  @LoopActor func renewal() async throws {
    let home = try await Home()
    try await home.connect()
    try await home.show(to: romeo)
    home.time.advance(by: .seconds(3000))
    _ = try home.account.sendMessage(
      .chat, to: try JID(romeo), payload: "<body>hi</body>", reveal: false, from: ":1.1")
    home.time.advance(by: .seconds(3000))
    #expect(home.account.audience.sessions.count == 1)
    home.time.advance(by: .seconds(600))
    #expect(home.account.audience.sessions.isEmpty)
  }

  @Test("What comes back for our own questions about the server is no message for anybody")
  @LoopActor func probes() async throws {
    let home = try await Home()
    home.onOpen = { server in
      server.bounces = { stanza in
        guard stanza.name == "message", let to = stanza.attribute("to"), let id = stanza.attribute("id") else {
          return nil
        }
        let from = stanza.attribute("type") == "groupchat" ? to : server.fullJID
        return "<message from='\(from)' to='\(server.fullJID)' id='\(id)' type='error'><x xmlns='urn:x'/></message>"
      }
    }
    try home.account.addHandler([], takesMessages: true, for: ":1.1")
    try await home.connect()
    #expect(home.handed().isEmpty)
    try home.server.say("<message from='juliet@localhost/phone' type='chat'><body>hi</body></message>")
    #expect(home.handed().count == 1)
  }

  @Test("A stranger's messages reach the handler, and nothing goes back; a flood of them is cut")
  @LoopActor func strangers() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.addHandler(["jabber:client"], takesMessages: false, for: ":1.1")
    _ = try home.server.take()
    let hello = "<message from='\(romeo)' type='chat' id='m'><body>hi</body></message>"
    try home.server.say(hello)
    #expect(home.handed().map(\.payload) == ["<body>hi</body>"])
    for _ in 0..<200 { try home.server.say(hello) }
    #expect(home.handed().count == StrangersRate.most)
    home.time.advance(by: .seconds(1))
    try home.server.say(hello)
    #expect(home.handed().count == StrangersRate.most + 1)
    #expect(try home.server.take().isEmpty)
  }
}

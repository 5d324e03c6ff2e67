// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing
import XML
import XMPP

@testable import Gateway

@Suite("What a gateway answers for users that there are not")
struct AbsentUserTests {
  init() { EventLoop.runInBackground() }

  /// An imitator, the questions that it puts to its server, and what it says to others.
  @LoopActor
  private final class Server {
    let time = ManualTime()
    let imitator: AbsentUserImitator
    /// Whether it turns the attributes of all that it passes on round.
    var isReversing = false
    private(set) var questions: [Element] = []
    private var answers: [String] = []

    /// - Parameter isShared: whether another program serves the domain, and gets what one half of the users answer.
    init(isShared: Bool = false) throws {
      imitator = AbsentUserImitator(time: time)
      imitator.ask = { [weak self] in self?.questions.append($0) }
      imitator.answer = { [weak self] in self?.answers.append($0.serialized(within: "jabber:client")) }
      imitator.begin(domain: try BareJID("sip.localhost"), parent: "localhost", isShared: isShared)
    }

    /// Answers all that was asked, as a server does that finds no module for a bare address and no session for a full one,
    /// and bounces headlines to the bare one alone.
    /// - Parameter isOurs: whose answers come to us.
    func reply(_ isOurs: (BareJID) -> Bool = { _ in true }) throws {
      let all = questions
      questions = []
      for question in all {
        let asked = try JID(question.attribute("to") ?? "")
        if asked.domain == "sip.localhost" {
          let arrived = try Element.parse(question.serialized(within: "jabber:client"), namespace: "jabber:client")
          #expect(imitator.note(isReversing ? arrived.attributesReversed : arrived, to: asked))
          continue
        }
        guard isOurs(asked.bare) else { continue }
        let isFull = question.attribute("to")?.contains("/") == true
        let kind = question.attribute("type") ?? ""
        guard kind != "result", kind != "headline" || !isFull else { continue }
        let text = (isFull ? "no session" : "no module") + " in \(question.ownLanguage ?? "none")"
        let (from, to) = (question.attribute("to") ?? "", question.attribute("from") ?? "")
        let xml =
          "<\(question.name) type='error' from='\(from)' to='\(to)' id='\(question.attribute("id") ?? "")'>"
          + "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
          + "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>\(text)</text></error></\(question.name)>"
        #expect(imitator.note(try Element.parse(xml, namespace: "jabber:client"), to: try JID(to)))
      }
    }

    func say(_ to: String, _ more: String = "type='get'", name: String = "iq") throws {
      let xml = "<\(name) from='tybalt@localhost/x' to='\(to)' id='q' \(more)/>"
      let raw = try Element.parse(xml, namespace: "jabber:client")
      imitator.received(try Stanza(raw), raw)
    }

    func taken() -> [String] {
      defer { answers = [] }
      return answers
    }
  }

  @Test("An address with a resource answers as the server does for one, and one without as it does for that")
  @LoopActor func forms() async throws {
    let server = try Server()
    try server.reply()
    try server.say("a@sip.localhost")
    try server.say("a@sip.localhost/x")
    try server.say("sip.localhost/x")
    try server.say("a@sip.localhost", "type='headline'", name: "message")
    try server.say("a@sip.localhost/x", "type='headline'", name: "message")
    let answers = server.taken()
    #expect(answers.count == 4)
    #expect(answers.map { $0.contains("no session") } == [false, true, true, false])
    #expect(answers.map { $0.contains("no module") } == [true, false, false, true])
  }

  @Test("Behind a server that turns attributes round the answer is turned round, as the server's own is")
  @LoopActor func order() async throws {
    for isReversing in [false, true] {
      let server = try Server()
      server.isReversing = isReversing
      try server.reply()
      try server.say("a@sip.localhost")
      let head = "from='a@sip.localhost' to='tybalt@localhost/x' id='q' type='error'"
      let turned = "type='error' id='q' to='tybalt@localhost/x' from='a@sip.localhost'"
      #expect(server.taken().first?.hasPrefix("<iq \(isReversing ? turned : head)>") == true)
    }
  }

  @Test("Whoever asks before the server has told how it answers gets the server's answer then, in its turn")
  @LoopActor func early() async throws {
    let server = try Server()
    try server.say("a@sip.localhost")
    try server.say("b@sip.localhost/x")
    #expect(server.taken().isEmpty)
    try server.reply()
    #expect(server.taken().map { $0.contains("no module") } == [true, false])
  }

  @Test("Where the server says nothing about it, what RFC 6121 asks for is answered in the end")
  @LoopActor func silent() async throws {
    let server = try Server()
    try server.say("a@sip.localhost")
    server.time.advance(by: AbsentUserImitator.patience)
    let answers = server.taken()
    #expect(answers.count == 1 && answers[0].contains("<service-unavailable") && !answers[0].contains("<text"))
    #expect(server.time.pendingTimers == 0)
    try server.say("b@sip.localhost")
    #expect(server.taken().count == 1, "it is not waited for twice")
  }

  @Test("Where another program gets what one half of the users say, it is asked in the name of one of the other half")
  @LoopActor func shared() async throws {
    let server = try Server(isShared: true)
    var users: Set<BareJID> = []
    func isOurs(_ user: BareJID) -> Bool {
      users.insert(user)
      return users.count > AbsentUserSearch.most / 2
    }
    try server.say("a@sip.localhost")
    try server.reply(isOurs)
    #expect(users.count == AbsentUserSearch.most)
    try server.reply()
    #expect(server.taken().first?.contains("no module in none") == true)
    // Once found he is asked for everything, until he does not answer any more.
    try server.say("a@sip.localhost", "type='get' xml:lang='de'")
    #expect(server.questions.count < AbsentUserSearch.most)
    server.time.advance(by: AbsentUserImitator.patience)
    #expect(server.taken().first?.contains("no module in none") == true)
    try server.say("a@sip.localhost", "type='get' xml:lang='fr'")
    #expect(server.questions.count > AbsentUserSearch.most)
  }

  @Test("An asker's language is asked for once, and what comes behind waits for it")
  @LoopActor func languages() async throws {
    let server = try Server()
    try server.reply()
    try server.say("a@sip.localhost", "type='get' xml:lang='de'")
    try server.say("a@sip.localhost")
    #expect(server.taken().isEmpty)
    #expect(server.questions.allSatisfy { $0.ownLanguage == "de" } && !server.questions.isEmpty)
    try server.reply()
    #expect(server.taken().map { $0.contains("no module in de") } == [true, false])
    try server.say("b@sip.localhost/x", "type='get' xml:lang='de'")
    #expect(server.questions.isEmpty)
    #expect(server.taken().first?.contains("no session in de") == true)
    try server.say("b@sip.localhost", "type='get' xml:lang='\(String(repeating: "x", count: 36))'")
    #expect(server.questions.isEmpty && server.taken().count == 1, "that is no language")
  }

  @Test("Strangers cannot make us ask for more than 64 languages, nor keep more than 64 stanzas or 1 MiB waiting")
  @LoopActor func limits() async throws {
    let server = try Server()
    try server.reply()
    for number in 0..<100 {
      try server.say("a@sip.localhost", "type='get' xml:lang='l\(number)'")
      try server.reply()
    }
    let answers = server.taken()
    #expect(answers.count == 100)
    for (number, answer) in answers.enumerated() {
      #expect(answer.contains("no module in \(number < AbsentUserImitator.mostLanguages ? "l\(number)" : "none")"))
    }
    let other = try Server()
    for _ in 0..<100 { try other.say("a@sip.localhost") }
    #expect(other.taken().count == 100 - AbsentUserImitator.mostWaiting)
    try other.reply()
    #expect(other.taken().count == AbsentUserImitator.mostWaiting)
    let third = try Server()
    let long = String(repeating: "x", count: 200_000)
    for _ in 0..<10 { try third.say("a@sip.localhost", "type='get' a='\(long)'") }
    #expect(third.taken().count >= 5)
  }

  @Test("Whoever writes our domain in capitals is answered, by the domain as it is")
  @LoopActor func capitals() async throws {
    let server = try Server()
    try server.reply()
    for address in [
      "Romeo@SIP.LOCALHOST", "Romeo@SIP.LOCALHOST/X@y", "SIP.LOCALHOST", "SIP.LOCALHOST/X", "a\u{600}@SIP.LOCALHOST",
    ] {
      try server.say(address)
      let expected = address.replacing("SIP.LOCALHOST", with: "sip.localhost")
      #expect(server.taken().first?.contains("from='\(expected)'") == true)
    }
  }

  @Test("What waited is gone with its stream")
  @LoopActor func ended() async throws {
    let server = try Server()
    try server.say("a@sip.localhost")
    server.imitator.end()
    #expect(server.time.pendingTimers == 0)
    server.imitator.begin(domain: try BareJID("sip.localhost"), parent: "localhost", isShared: false)
    try server.say("b@sip.localhost")
    server.time.advance(by: AbsentUserImitator.patience)
    let answers = server.taken()
    #expect(answers.count == 1 && answers[0].contains("b@sip.localhost"))
  }
}

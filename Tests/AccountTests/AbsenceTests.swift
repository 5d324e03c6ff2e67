// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Store
import Testing
import XML
import XMPP

@Suite("What goes back in the place of a resource that is not there", .timeLimit(.minutes(1)))
struct AbsenceTests {
  init() { EventLoop.runInBackground() }

  private static let errors = "urn:ietf:params:xml:ns:xmpp-stanzas"

  /// Answers as ejabberd does, in English and in whatever language the question names. It keeps no message that wants
  /// not to be kept, and bounces groupchat.
  @LoopActor private static func translating(_ stanza: Element) -> String? {
    guard let to = stanza.attribute("to"), to.contains("/"), stanza.attribute("type") != "result",
      stanza.attribute("type") != "error", let id = stanza.attribute("id")
    else { return nil }
    let language = stanza.attribute("lang", "http://www.w3.org/XML/1998/namespace")
    let translation = language.map { "<text xmlns='\(errors)' xml:lang='\($0)'>not there in \($0)</text>" } ?? ""
    let echo = stanza.children.map { $0.serialized(within: "jabber:client") }.joined()
    return "<\(stanza.name) from='\(to)' id='\(id)' type='error' xml:lang='\(language ?? "en")'>\(echo)"
      + "<error type='cancel'><service-unavailable xmlns='\(errors)'/>\(translation)"
      + "<text xmlns='\(errors)' xml:lang='en'>not there</text></error></\(stanza.name)>"
  }

  @LoopActor private func home(
    bounces: @escaping @LoopActor (Element) -> String? = translating
  ) async throws -> Home {
    let home = try await Home(mode: .invisible)
    home.onOpen = { $0.bounces = bounces }
    try await home.connect()
    return home
  }

  private func question(_ id: String, language: String? = nil) -> String {
    let attribute = language.map { " xml:lang='\($0)'" } ?? ""
    return "<iq type='get' id='\(id)' from='s@localhost/x' to='juliet@localhost/r1'\(attribute)><q xmlns='urn:x'/></iq>"
  }

  /// Lets everything run that can, until `count` stanzas have gone to the stranger.
  ///
  /// Nothing here takes time, only turns of the loop: when many have passed, no more will come.
  @LoopActor private func answers(_ count: Int, from server: ScriptedServer) async throws -> [String] {
    @LoopActor func found() -> [Element] { server.sent.filter { $0.attribute("to") == "s@localhost/x" } }
    await turns(5_000) { found().count < count }
    try #require(found().count == count)
    return found().map { $0.serialized(within: "jabber:client") }
  }

  @Test("The error is in the language of the question, which is asked about once")
  @LoopActor func languages() async throws {
    let home = try await home()
    let server = try home.server
    server.say(question("1", language: "de"))
    server.say(question("2", language: "de"))
    server.say(question("3", language: "en"))
    let sent = try await answers(3, from: server)
    for (index, text) in ["not there in de", "not there in de", "xml:lang='en'>not there<"].enumerated() {
      #expect(sent[index].contains(text) && sent[index].contains("id='\(index + 1)'"))
    }
    #expect(!sent[2].contains("not there in"))
    #expect(server.sent.count { $0.attribute("to")?.hasPrefix("juliet@localhost/") == true } == 1)
  }

  @Test("A resource that is bound again for the goodbyes that it owes answers as the server does from the start")
  @LoopActor func owedResource() async throws {
    let store = try await Home.emptyStore()
    try store.noteDisclosure(resource: "old", jid: "s@localhost/x")
    let home = try await Home(mode: .invisible, store: store)
    home.onOpen = { server in
      server.bounces = Self.translating
      server.isSlowToClose = true
      server.onSend = {
        server.onSend = {}
        server.say(self.question("1"))
      }
    }
    let connecting = spawn { try? await home.account.connect() }
    await home.opened()
    let server = try #require(home.servers.first)
    let sent = try await answers(2, from: server)
    #expect(sent.first?.contains("not there") == true && sent.last?.contains("unavailable") == true)
    await home.account.disconnect()
    await connecting.value
  }

  @Test("What is no language is not asked about, and answered all the same")
  @LoopActor func noLanguage() async throws {
    let home = try await home()
    let server = try home.server
    server.say(question("1", language: String(repeating: "x", count: 36)))
    _ = try await answers(1, from: server)
    #expect(server.sent.count == 1)
  }

  @Test("A stranger's languages are remembered up to a limit, and then learned anew")
  @LoopActor func manyLanguages() async throws {
    let home = try await home()
    let server = try home.server
    let languages = (0...32).map { "x-\($0)" } + ["x-32", "x-0"]
    for (index, language) in languages.enumerated() { server.say(question("\(index)", language: language)) }
    let sent = try await answers(languages.count, from: server)
    for (answer, language) in zip(sent, languages) { #expect(answer.contains("not there in \(language)<")) }
    #expect(server.sent.count { $0.attribute("to")?.hasPrefix("juliet@localhost/") == true } == 34)
  }

  @Test("What waits for a lesson keeps its order, and beyond a limit is answered with what is known")
  @LoopActor func queue() async throws {
    let home = try await home()
    let server = try home.server
    server.holdsAnswers = true
    server.say(question("0", language: "de"))
    await home.sentSomething()
    for index in 1..<64 { server.say(question("\(index)")) }
    #expect(server.sent.count == 1, "an answer overtook another")
    server.say(question("64"))
    let early = try await answers(1, from: server)
    #expect(early[0].contains("id='0'") && !early[0].contains("not there in"))
    server.releaseAnswers()
    let sent = try await answers(65, from: server)
    #expect(sent.enumerated().allSatisfy { $1.contains("id='\($0)'") })
  }

  @Test("What waits for a lesson takes a bounded number of bytes")
  @LoopActor func bytes() async throws {
    let home = try await home()
    let server = try home.server
    server.holdsAnswers = true
    let body = String(repeating: "x", count: 300_000)
    for index in 0..<4 {
      server.say(
        "<message type='groupchat' xml:lang='de' id='\(index)' from='s@localhost/x' to='\(server.fullJID)'>"
          + "<body>\(body)</body></message>")
    }
    let early = try await answers(1, from: server)
    #expect(early[0].contains("id='0'"))
    server.releaseAnswers()
    let sent = try await answers(4, from: server)
    #expect(sent.enumerated().allSatisfy { $1.contains("id='\($0)'") })
    #expect(sent.dropFirst().allSatisfy { $0.contains("not there in de") })
  }

  @Test("Before the server's answers are known nobody outside gets one, and then everybody does")
  @LoopActor func whileConnecting() async throws {
    let home = try await Home(mode: .invisible)
    home.onOpen = {
      $0.bounces = Self.translating
      $0.holdsAnswers = true
    }
    spawn { try? await home.account.connect() }
    await home.opened()
    await home.sentSomething()
    let server = try home.server
    server.say(question("1"))
    #expect(server.sent.allSatisfy { $0.attribute("to") != "s@localhost/x" })
    server.releaseAnswers()
    #expect(try await answers(1, from: server)[0].contains(">not there<"))
  }

  @Test("What was learned on a stream is not forgotten over the questions of an earlier one that was lost")
  @LoopActor func lostLesson() async throws {
    let home = try await home()
    home.onOpen = {
      $0.resumes = false
      $0.holdsAnswers = true
    }
    try home.server.cut(time: home.time)
    home.time.advance(by: .seconds(2))
    let unlucky = try home.server
    await home.sentSomething()
    home.onOpen = { $0.bounces = Self.translating }
    unlucky.cut(time: home.time)
    home.time.advance(by: .seconds(5))
    await home.status(.connected)
    let server = try home.server
    // Those who asked on the stream before stop to wait.
    home.time.advance(by: .seconds(20))
    await turns(5_000)
    _ = server.take()
    server.say(question("1"))
    #expect(try await answers(1, from: server)[0].contains(">not there<"))
  }

  @Test("Where the server reverses attributes, ours arrive in the order of its own")
  @LoopActor func reversing() async throws {
    func passed(_ element: Element) -> String { element.attributesReversed.serialized(within: "jabber:client") }
    let home = try await home { stanza in
      // A message to ourselves comes back as what jabberd2 makes of it; an IQ to nobody, with the error in front.
      guard let to = stanza.attribute("to"), to.contains("/") else { return nil }
      if stanza.name == "message", stanza.attribute("type") == "error" {
        let payload = stanza.children.map { $0.attributesReversed.serialized(within: "jabber:client") }.joined()
        return "<message from='\(to)' to='\(to)' id='order' type='error'>\(payload)</message>"
      }
      guard stanza.name == "iq", let id = stanza.attribute("id"), let payload = stanza.children.first else {
        return nil
      }
      return "<iq from='\(to)' id='\(id)' type='error'>"
        + "<error type='cancel' code='503'><service-unavailable xmlns='\(Self.errors)'/></error>"
        + payload.attributesReversed.serialized(within: "jabber:client") + "</iq>"
    }
    let server = try home.server
    let full = server.fullJID
    // As it came, reversed once already, with what no IQ has and with text between.
    server.say("<iq from='s@localhost/x' foo='bar' to='\(full)' type='set'>a<q xmlns='urn:x' b='2' a='1'/>b</iq>")
    server.say("<iq from='s@localhost/x' to='\(full)' id='2' type='result'><q xmlns='urn:x' b='2' a='1'/></iq>")
    _ = try await answers(2, from: server)
    let error = "<error type='cancel' code='503'><service-unavailable xmlns='\(Self.errors)'/></error>"
    #expect(
      server.sent.map(passed) == [
        "<iq from='\(full)' foo='bar' to='s@localhost/x' type='error'>a\(error)<q xmlns='urn:x' b='2' a='1'/>b</iq>",
        "<iq from='\(full)' to='s@localhost/x' id='2' type='error'>\(error)<q xmlns='urn:x' b='2' a='1'/></iq>",
      ])
  }

  @Test("What becomes of messages that nobody keeps is asked when one comes, and again after half a minute")
  @LoopActor func passingMessages() async throws {
    let home = try await home()
    let server = try home.server
    func message(_ id: String) -> String {
      "<message type='chat' id='\(id)' from='s@localhost/x' to='juliet@localhost/r1'>"
        + "<active xmlns='http://jabber.org/protocol/chatstates'/></message>"
    }
    func asked() -> Int { server.sent.count { $0.name == "message" && $0.attribute("to") != "s@localhost/x" } }
    for id in ["1", "2"] { server.say(message(id)) }
    #expect(try await answers(2, from: server).allSatisfy { $0.contains("<active ") && $0.contains(">not there<") })
    #expect(asked() == 2)
    // Another device is there now, and takes them.
    server.bounces = { $0.name == "message" ? nil : Self.translating($0) }
    home.time.advance(by: .seconds(31))
    _ = server.take()
    server.say(message("3"))
    server.say(question("4"))
    let sent = try await answers(1, from: server)
    #expect(sent[0].contains("id='4'"))
    #expect(asked() == 1)
  }

  @Test("A server that keeps every message is given none of ours to keep", arguments: [true, false])
  @LoopActor func keeping(keeps: Bool) async throws {
    let home = try await home { stanza in
      if stanza.children.first?.namespace == DiscoInfo.namespace {
        let feature = keeps ? "<feature var='msgoffline'/>" : ""
        return "<iq type='result' id='\(stanza.attribute("id") ?? "")' from='localhost'>"
          + "<query xmlns='\(DiscoInfo.namespace)'>\(feature)</query></iq>"
      }
      guard stanza.name == "message", stanza.attribute("type") == "groupchat", let to = stanza.attribute("to") else {
        return nil
      }
      return "<message from='\(to)' id='\(stanza.attribute("id") ?? "")' type='error'>"
        + "<error type='cancel'><service-unavailable xmlns='\(Self.errors)'/></error></message>"
    }
    let server = try home.server
    server.say("<message type='chat' id='1' from='s@localhost/x' to='juliet@localhost/r1'/>")
    server.say(question("2"))
    _ = try await answers(1, from: server)
    #expect(server.sent.contains { $0.name == "message" } == !keeps)
  }

  @Test("Nothing is ever asked that would copy messages to us, or us to others")
  @LoopActor func carbons() async throws {
    let home = try await Home()
    var sent: [Element] = []
    home.onOpen = { server in
      server.bounces = { stanza in
        sent.append(stanza)
        return Self.translating(stanza)
      }
    }
    try await home.account.connect()
    try await home.account.setVisibility(.invisible)
    try await home.account.setVisibility(.visible)
    await home.account.disconnect()
    #expect(!sent.isEmpty)
    #expect(sent.allSatisfy { !$0.serialized().contains("urn:xmpp:carbons") })
  }
}

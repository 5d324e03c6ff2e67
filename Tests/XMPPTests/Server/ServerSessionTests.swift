// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing
import XML

@testable import XMPP

@Suite("The server's session")
struct ServerSessionTests {
  /// A session, driven by text; what comes of it, as text.
  struct Run {
    var session: ServerSession
    var now = MonotonicTime(nanoseconds: 1_000_000_000)

    init(_ change: (inout ServerStreamConfiguration) -> Void = { _ in }) throws {
      var configuration = ServerStreamConfiguration(domain: "a", tls: nil)
      change(&configuration)
      session = ServerSession(.client(try FullJID("juliet@a/b")), configuration, id: "x")
    }

    mutating func hear(_ text: String) throws -> [String] {
      Self.text(session.received(try Element.parse(text, namespace: "jabber:client"), at: now))
    }

    mutating func say(_ text: String) -> [String] { Self.text(session.send(message(text), at: now)) }

    static func text(_ effects: [ServerSession.Effect]) -> [String] {
      effects.map { effect in
        switch effect {
        case .send(let bytes): String(decoding: bytes, as: UTF8.self)
        case .deliver(let element): "deliver \(element.name)"
        case .keep(let id): "keep \(id)"
        case .end(let farewell): "end \(farewell)"
        }
      }
    }
  }

  static let enable = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
  static let question = "<r xmlns='urn:xmpp:sm:3'/>"
  static func answer(_ count: Int) -> String { "<a xmlns='urn:xmpp:sm:3' h='\(count)'/>" }
  static func said(_ text: String) -> String { "<message><body>\(text)</body></message>" }

  @Test("Counting begins when it is asked for, and the session is kept where that is asked for too")
  func enable() throws {
    var run = try Run { $0.resumptionTime = .seconds(90) }
    #expect(try run.hear(Self.question) == [])
    _ = try run.hear("<presence/>")
    #expect(
      try run.hear(Self.enable) == ["<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true' max='90'/>", "keep x"])
    #expect(try run.hear(Self.question) == [Self.answer(0)])
    #expect(try run.hear("<presence/>") == ["deliver presence"])
    #expect(try run.hear(Self.question) == [Self.answer(1)])
    #expect(run.session.farewell == Self.answer(1))
    #expect(try run.hear(Self.enable).first?.contains("unexpected-request") == true)
    #expect(try run.hear("<resume xmlns='urn:xmpp:sm:3' h='0' previd='x'/>").first?.contains("unexpected") == true)
  }

  @Test("A client may want less, or not to come back; a server may not count at all")
  func lifetimes() throws {
    var run = try Run { $0.resumptionTime = .seconds(90) }
    #expect(
      try run.hear("<enable xmlns='urn:xmpp:sm:3' resume='1' max='30'/>").first
        == "<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true' max='30'/>")
    #expect(run.session.lifetime == .seconds(30))
    for text in ["<enable xmlns='urn:xmpp:sm:3'/>", "<enable xmlns='urn:xmpp:sm:3' resume='true' max='0'/>"] {
      var run = try Run()
      #expect(try run.hear(text) == ["<enabled xmlns='urn:xmpp:sm:3'/>"])
      #expect(run.session.lifetime == nil)
      #expect(run.session.resume(handled: 0, at: run.now) == nil)
    }
    var without = try Run { $0.resumptionTime = nil }
    #expect(try without.hear(Self.enable).first?.contains("feature-not-implemented") == true)
  }

  @Test("The client is asked after ten stanzas, or after a second, by one request at a time")
  func asking() throws {
    var run = try Run()
    _ = try run.hear(Self.enable)
    for _ in 0..<9 { #expect(run.say("x") == [Self.said("x")]) }
    #expect(run.say("x") == [Self.said("x"), Self.question])
    for _ in 0..<20 { #expect(run.say("y") == [Self.said("y")]) }
    #expect(try run.hear(Self.answer(10)) == [Self.question])
    #expect(run.session.unacknowledged.count == 20)
    #expect(try run.hear(Self.answer(30)) == [])
    #expect(run.session.deadline == nil)
    _ = run.say("z")
    let deadline = try #require(run.session.deadline)
    #expect(deadline == run.now + .seconds(1))
    #expect(Run.text(run.session.timePassed(at: run.now)) == [])
    #expect(Run.text(run.session.timePassed(at: deadline)) == [Self.question])
    #expect(run.session.unacknowledged.map(\.body) == ["z"])
  }

  @Test("Who comes back gets what it has missed, and the counts go on")
  func resume() throws {
    var run = try Run()
    _ = try run.hear(Self.enable)
    _ = try run.hear("<presence/>")
    for index in 0..<3 { _ = run.say("\(index)") }
    #expect(Run.text(run.session.keep(message("3"), at: run.now)) == [])
    let resumed = run.session.resume(handled: 1, at: run.now)
    let back = try #require(resumed)
    #expect(
      Run.text(back) == [
        "<resumed xmlns='urn:xmpp:sm:3' h='1' previd='x'/>", Self.said("1"), Self.said("2"), Self.said("3"),
      ])
    #expect(run.session.unacknowledged.count == 3)
    #expect(try run.hear(Self.answer(4)) == [])
    #expect(run.session.unacknowledged.isEmpty)
    #expect(run.session.resume(handled: 5, at: run.now) == nil)
    #expect(
      run.session.impossibleCount(5).contains("<handled-count-too-high xmlns='urn:xmpp:sm:3' h='5' send-count='4'"))
    #expect(run.session.resume(handled: 3, at: run.now) == nil)
  }

  @Test("Counts that cannot be end the stream", arguments: ["h='2'", "", "h='-1'", "h='x'"])
  func impossible(attribute: String) throws {
    var run = try Run()
    _ = try run.hear(Self.enable)
    _ = run.say("x")
    let effects = try run.hear("<a xmlns='urn:xmpp:sm:3' \(attribute)/>")
    #expect(effects.count == 1)
    #expect(effects.first?.hasPrefix("end <stream:error>") == true)
  }

  @Test("A client that never says what it had is given up, connected or not")
  func limits() throws {
    var run = try Run { $0.limits.unacknowledgedStanzas = 20 }
    _ = try run.hear(Self.enable)
    for _ in 0..<20 { #expect(run.say("x").contains { $0.hasPrefix("end") } == false) }
    var away = run
    #expect(run.say("x").last?.hasPrefix("end <stream:error><policy-violation ") == true)
    #expect(Run.text(away.session.keep(message("x"), at: away.now)) == ["end "])
    #expect(away.session.unacknowledged.count == 21)
  }

  @Test("What is no stanza is not told of, and what looks like one ends the stream")
  func others() throws {
    var run = try Run()
    #expect(try run.hear("<inactive xmlns='urn:xmpp:csi:0'/>") == [])
    #expect(try run.hear("<message xmlns='jabber:server'/>") == [])
    #expect(try run.hear("<stanza/>") == ["end " + ServerHeader.error(.unsupportedStanzaType)])
    #expect(try run.hear("<error xmlns='http://etherx.jabber.org/streams'/>") == ["end "])
  }

  @Test("The stream itself answers a session of old, and a second resource, and counts both")
  func streamRequests() throws {
    var run = try Run()
    _ = try run.hear(Self.enable)
    #expect(
      try run.hear("<iq type='set' id='7'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>")
        == ["<iq id='7' type='result'/>"])
    let refusal = try run.hear("<iq type='set' id='8'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    #expect(refusal.first?.contains("<not-allowed ") == true)
    #expect(try run.hear(Self.question) == [Self.answer(2)])
    #expect(run.session.unacknowledged.count == 2)
  }
}

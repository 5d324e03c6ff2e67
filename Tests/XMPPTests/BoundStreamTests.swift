// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing
import XML

@testable import XMPP

/// What is said on a bound stream, driven by text; what comes of it, as text.
struct BoundScript {
  var stream: BoundStream
  var now = MonotonicTime(nanoseconds: 0)

  init(features: String = "", management: StreamManagement? = nil) throws {
    let features = try Element.parse("<features>\(features)</features>").children
    stream = BoundStream(
      try FullJID("user@shakespeare.lit/x"), StreamFeatures(features), management: management,
      rhythm: KeepAliveRhythm(), pingID: "ping", serverName: "shakespeare.lit", at: now)
  }

  /// With management that the server has agreed to.
  static func managed() throws -> BoundScript {
    var script = try BoundScript()
    #expect(script.text(script.stream.enableManagement(at: script.now)) == [BoundStreamTests.enable])
    #expect(try script.receive("<enabled xmlns='urn:xmpp:sm:3' id='i' resume='true'/>") == [])
    return script
  }

  func text(_ effects: [BoundStream.Effect]) -> [String] {
    effects.map { effect in
      switch effect {
      case .send(let bytes): return String(decoding: bytes, as: UTF8.self)
      case .deliver(let element): return "deliver \(element.attribute("id") ?? "")"
      case .end(let end, let farewell): return "end \(end.code)\(farewell.isEmpty ? "" : " after \(farewell)")"
      }
    }
  }

  mutating func receive(_ text: String) throws -> [String] {
    stream.heard(at: now)
    return self.text(stream.received(try Element.parse(text, namespace: "jabber:client"), at: now))
  }

  mutating func send(_ text: String) throws -> [String] {
    let element = try Element.parse(text, namespace: "jabber:client")
    return self.text(stream.send(SentStanza(element, isMeant: false), at: now))
  }

  /// Lets time pass until the next deadline.
  mutating func wait() -> [String] {
    now = stream.deadline
    return text(stream.timePassed(at: now))
  }
}

@Suite("What is said beside the stanzas")
struct BoundStreamTests {
  static let enable = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
  static let question = "<r xmlns='urn:xmpp:sm:3'/>"
  static let ping = "<iq to='shakespeare.lit' id='ping' type='get'><ping xmlns='urn:xmpp:ping'/></iq>"

  static func answer(_ count: Int) -> String { "<a xmlns='urn:xmpp:sm:3' h='\(count)'/>" }

  @Test("The server's questions are answered with what we have had, stanzas alone")
  func answers() throws {
    var script = try BoundScript.managed()
    #expect(try script.receive(Self.question) == [Self.answer(0)])
    #expect(try script.receive("<message id='1'/>") == ["deliver 1"])
    #expect(try script.receive("<presence id='2' type='foo'/>") == ["deliver 2"])
    #expect(try script.receive("<iq id='3'/>") == ["deliver 3"])
    #expect(try script.receive("<foo id='4'/>") == [])
    #expect(try script.receive("<message xmlns='urn:x' id='5'/>") == [])
    #expect(try script.receive(Self.question) == [Self.answer(3)])
    #expect(script.stream.farewell == Self.answer(3))
  }

  @Test("Without management nothing is counted, and what looks like it is ignored")
  func unmanaged() throws {
    var script = try BoundScript()
    #expect(try script.receive("<message id='1'/>") == ["deliver 1"])
    for text in [Self.question, Self.answer(7), "<enabled xmlns='urn:xmpp:sm:3' id='i' resume='true'/>"] {
      #expect(try script.receive(text) == [])
    }
    #expect(script.stream.farewell == "")
    #expect(script.stream.resumption(at: script.now) == nil)
    #expect(try script.send("<message id='1'/>") == ["<message id='1'/>"])
    #expect(script.stream.deadline == MonotonicTime(nanoseconds: 0) + .seconds(240))
  }

  @Test("A server that does not count after all is taken at its word")
  func refused() throws {
    var script = try BoundScript()
    _ = script.stream.enableManagement(at: script.now)
    _ = try script.send("<message id='1'/>")
    #expect(try script.receive("<failed xmlns='urn:xmpp:sm:3'/>") == [])
    #expect(script.stream.management == nil)
    #expect(try script.receive(Self.question) == [])
    #expect(script.wait() == [Self.ping])
  }

  @Test("The server is asked for what it has had, after ten stanzas at once and after fewer in a second")
  func asking() throws {
    var script = try BoundScript.managed()
    for number in 1..<10 { #expect(try script.send("<message id='\(number)'/>").count == 1) }
    #expect(try script.send("<message/>") == ["<message/>", Self.question])
    #expect(try script.receive(Self.answer(10)) == [])
    #expect(try script.send("<message/>") == ["<message/>"])
    #expect(script.wait() == [Self.question])
    #expect(script.now == MonotonicTime(nanoseconds: 1_000_000_000))
    #expect(script.stream.resumption(at: script.now)?.unacknowledged.count == 1)
    #expect(try script.receive(Self.answer(11)) == [])
    #expect(script.stream.resumption(at: script.now)?.unacknowledged.count == 0)
  }

  @Test("A count that cannot be, or is none, ends the stream", arguments: ["h='3'", "h='x'", "h='-1'", ""])
  func impossibleCounts(count: String) throws {
    var script = try BoundScript.managed()
    _ = try script.send("<message/>")
    _ = try script.send("<message/>")
    let end = try script.receive("<a xmlns='urn:xmpp:sm:3' \(count)/>")
    let h = count == "h='3'" ? "h='3' " : ""
    #expect(
      end == [
        "end protocol after <stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
          + "<handled-count-too-high xmlns='urn:xmpp:sm:3' \(h)send-count='2'/></stream:error>"
      ])
  }

  @Test("A server that confirms nothing is ended before it costs too much, and all is kept that was sent")
  func full() throws {
    var script = try BoundScript.managed()
    let message = try Element.parse("<message/>", namespace: "jabber:client")
    for _ in 0..<StreamManagement.mostStanzas {
      for case .end in script.stream.send(SentStanza(message, isMeant: false), at: script.now) {
        Issue.record("too early")
      }
    }
    #expect(try script.send("<message/>") == ["<message/>", "end network"])
    #expect(
      script.stream.resumption(at: script.now)?.unacknowledged.count == StreamManagement.mostStanzas + 1)
  }

  @Test("A dead server is found within 30 seconds of a stanza, with management and without")
  func dead() throws {
    var managed = try BoundScript.managed()
    _ = try managed.send("<message/>")
    #expect(managed.wait() == [Self.question])
    #expect(managed.wait() == ["end timedOut"])
    #expect(managed.now == MonotonicTime(nanoseconds: 29_000_000_000))
    var unmanaged = try BoundScript()
    _ = try unmanaged.send("<iq type='get' id='1'/>")
    #expect(unmanaged.wait() == [Self.ping])
    #expect(unmanaged.wait() == ["end timedOut"])
    #expect(unmanaged.now == MonotonicTime(nanoseconds: 28_000_000_000))
    var asked = try BoundScript.managed()
    _ = try asked.send("<iq type='set' id='1'/>")
    #expect(asked.wait() == [Self.question])
    #expect(asked.wait() == ["end timedOut"])
    #expect(asked.now == MonotonicTime(nanoseconds: 28_000_000_000))
  }

  @Test("A silent connection is tried by a question about counts, or a ping that nobody else is told of")
  func silence() throws {
    var managed = try BoundScript.managed()
    #expect(managed.wait() == [Self.question])
    #expect(try managed.receive(Self.answer(0)) == [])
    #expect(managed.stream.rhythm.interval == .seconds(360))
    var unmanaged = try BoundScript()
    #expect(unmanaged.wait() == [Self.ping])
    #expect(try unmanaged.receive("<iq id='pong' type='result'/>") == ["deliver pong"])
    #expect(
      try unmanaged.receive("<iq id='ping' type='error' from='shakespeare.lit'/>") == [])
    #expect(unmanaged.stream.rhythm.interval == .seconds(360))
  }

  @Test("When something may have cut the connection, the server is asked at once")
  func checking() throws {
    var script = try BoundScript.managed()
    #expect(script.text(script.stream.check(at: script.now)) == [Self.question])
    #expect(script.wait() == ["end timedOut"])
    #expect(script.now == MonotonicTime(nanoseconds: 10_000_000_000))
  }

  @Test("Whether somebody is looking is told to a server that wants to know, and once")
  func clientState() throws {
    var script = try BoundScript(features: "<csi xmlns='urn:xmpp:csi:0'/>")
    #expect(script.text(script.stream.setActive(true)) == [])
    #expect(script.text(script.stream.setActive(false)) == ["<inactive xmlns='urn:xmpp:csi:0'/>"])
    #expect(script.text(script.stream.setActive(false)) == [])
    #expect(script.text(script.stream.setActive(true)) == ["<active xmlns='urn:xmpp:csi:0'/>"])
    var other = try BoundScript()
    #expect(other.text(other.stream.setActive(false)) == [])
  }
}

// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing
import XML

@testable import XMPP

/// What is said on a component's stream, driven by text; what comes of it, as text.
private struct ComponentScript {
  var session: ComponentSession
  var now = MonotonicTime(nanoseconds: 0)
  private(set) var end: StreamEnd?

  /// - Parameter returned: how many of the first pings come back; nil for all.
  init(isBalanced: Bool = false, returned: Int? = nil) throws {
    let configuration = ComponentConfiguration(
      domain: try BareJID("sip.shakespeare.lit"), secret: "secret", isBalanced: isBalanced)
    session = ComponentSession(configuration, rhythm: KeepAliveRhythm(), pingID: "ping", at: now)
    let pings = text(session.begin(at: now))
    #expect(pings == (0..<(isBalanced ? 64 : 16)).map(Self.ping))
    for (number, ping) in pings.prefix(returned ?? pings.count).enumerated() {
      #expect(try receive(ping) == (number == (isBalanced ? 0 : 15) ? ["ready"] : []))
    }
  }

  static func ping(_ number: Int) -> String {
    "<iq type='get' from='\(number).ping@sip.shakespeare.lit' to='sip.shakespeare.lit' id='ping'>"
      + "<ping xmlns='urn:xmpp:ping'/></iq>"
  }

  mutating func text(_ effects: [ComponentSession.Effect]) -> [String] {
    effects.map { effect in
      switch effect {
      case .ready: return "ready"
      case .send(let bytes): return String(decoding: bytes, as: UTF8.self)
      case .deliver(_, let raw): return "deliver " + raw.serialized(within: "jabber:client")
      case .drop: return "drop"
      case .refuse: return "refuse"
      case .end(let end):
        self.end = end
        return "end \(end.code)"
      }
    }
  }

  mutating func receive(_ text: String, namespace: String = "jabber:component:accept") throws -> [String] {
    session.heard(at: now)
    return self.text(session.received(try Element.parse(text, namespace: namespace)))
  }

  mutating func send(_ text: String) throws -> [String] {
    self.text(session.send(try Element.parse(text, namespace: "jabber:client"), at: now))
  }

  /// Lets time pass until the next deadline.
  mutating func wait() -> [String] {
    now = session.deadline
    return text(session.timePassed(at: now))
  }

  var seconds: Double { Double(now.nanoseconds) / 1e9 }
}

@Suite("What is said on a component's stream")
struct ComponentSessionTests {
  static let subscribe = "<presence from='juliet@capulet.lit' to='romeo@sip.shakespeare.lit' type='subscribe'/>"

  // MARK: Stanzas

  @Test(
    "Stanzas go in the namespace of components and come from theirs, or from that of clients",
    arguments: [
      "jabber:component:accept", "jabber:client",
    ])
  func namespaces(namespace: String) throws {
    var script = try ComponentScript()
    let out = "<message from='a@sip.shakespeare.lit/b' to='juliet@capulet.lit'><body>words</body></message>"
    #expect(try script.send(out) == [out])
    #expect(try script.receive(Self.subscribe, namespace: namespace) == ["deliver \(Self.subscribe)"])
    let error =
      "<iq from='c@d' to='a@sip.shakespeare.lit' type='error' id='1'><error type='cancel'>"
      + "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    #expect(try script.receive(error, namespace: namespace) == ["deliver \(error)"])
    // A client's that is told of stays one.
    let told =
      "<message from='a@sip.shakespeare.lit' to='c@d'><body>b</body><forwarded xmlns='urn:xmpp:forward:0'>"
      + "<message xmlns='jabber:client' to='e@f'/></forwarded></message>"
    #expect(try script.send(told) == [told])
    // None of a stream's is a stanza.
    #expect(try script.receive("<foo/>", namespace: namespace) == [])
    #expect(try script.receive("<message xmlns='urn:x' from='a@b' to='sip.shakespeare.lit'/>") == [])
  }

  @Test(
    "What servers end the whole stream over is not sent",
    arguments: [
      "<message to='a@b'/>", "<message from='a@sip.shakespeare.lit'/>", "<message from='a@sip.shakespeare.lit' to=''/>",
      "<message from='a@shakespeare.lit' to='a@b'/>", "<message from='a@b/sip.shakespeare.lit' to='a@b'/>",
      "<message from='sip.shakespeare.lit@b' to='a@b'/>", "<message from='a@b/@sip.shakespeare.lit' to='a@b'/>",
      "<message from='a@x.sip.shakespeare.lit' to='a@b'/>", "<foo from='sip.shakespeare.lit' to='a@b'/>",
      "<message from='a@sip.shakespeare.lit' to='a@b' xmlns='jabber:component:accept'/>",
    ])
  func refused(text: String) throws {
    var script = try ComponentScript()
    #expect(try script.send(text) == ["refuse"])
  }

  @Test(
    "Every address of ours can speak",
    arguments: ["sip.shakespeare.lit", "a@sip.shakespeare.lit", "a@sip.shakespeare.lit/b@c/d", "sip.shakespeare.lit/b"])
  func senders(from: String) throws {
    var script = try ComponentScript()
    #expect(try script.send("<presence from='\(from)' to='a@b'/>") == ["<presence from='\(from)' to='a@b'/>"])
  }

  @Test(
    "What is for none of us, from nobody, or broken is dropped",
    arguments: [
      "<message to='sip.shakespeare.lit'/>", "<message from='a@b'/>", "<message from='a@b' to='c@shakespeare.lit'/>",
      "<iq from='a@b' to='sip.shakespeare.lit' id='1'/>",
      "<message from='a@b' to='@'/>", "<message from='a@b' to='c@d' type='error'/>",
    ])
  func dropped(text: String) throws {
    var script = try ComponentScript()
    #expect(try script.receive(text) == ["drop"])
  }

  @Test("A prepared address of ours is ours however the server writes it")
  func spelling() throws {
    var script = try ComponentScript()
    let text = "<message from='a@b' to='Romeo@SIP.Shakespeare.lit'/>"
    #expect(try script.receive(text) == ["deliver \(text)"])
  }

  @Test("What jabberd2 cannot deliver comes back with the addresses turned round again")
  func bounce() throws {
    var script = try ComponentScript()
    let inside = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    #expect(
      try script.receive(
        "<iq to='a@nowhere.lit' from='b@sip.shakespeare.lit' id='1' type='error'>\(inside)</iq>",
        namespace: "jabber:client")
        == ["deliver <iq to='b@sip.shakespeare.lit' from='a@nowhere.lit' id='1' type='error'>\(inside)</iq>"])
  }

  // MARK: Whose the domain is

  @Test("The domain is ours when all pings have come back; what came before is told then, in its order")
  func ours() throws {
    var script = try ComponentScript(returned: 15)
    #expect(try script.receive(Self.subscribe) == [])
    #expect(try script.receive("<message from='a@b' to='sip.shakespeare.lit'/>") == [])
    #expect(
      try script.receive(ComponentScript.ping(15))
        == ["ready", "deliver \(Self.subscribe)", "deliver <message from='a@b' to='sip.shakespeare.lit'/>"])
    #expect(try script.receive(Self.subscribe) == ["deliver \(Self.subscribe)"])
  }

  @Test("Not more than a mebibyte is kept meanwhile")
  func held() throws {
    var script = try ComponentScript(returned: 15)
    let body = String(repeating: "x", count: 200_000)
    let text = "<message from='a@b' to='sip.shakespeare.lit'><body>\(body)</body></message>"
    for _ in 0..<5 { #expect(try script.receive(text) == []) }
    #expect(try script.receive(text) == ["drop"])
    #expect(try script.receive(ComponentScript.ping(15)).count == 6)
  }

  @Test("Where another program gets some of the pings the domain is taken", arguments: [1, 15])
  func taken(returned: Int) throws {
    var script = try ComponentScript(returned: returned)
    #expect(script.wait() == ["end streamError(XMPP.StreamCondition.conflict)"])
    #expect(script.seconds == 10)
    #expect(script.end?.isFinal == false)
  }

  @Test("A server that gives none back is believed, and kept awake with white space")
  func lost() throws {
    var script = try ComponentScript(returned: 0)
    #expect(try script.receive(Self.subscribe) == [])
    #expect(script.wait() == ["ready", "deliver \(Self.subscribe)"])
    #expect(script.seconds == 10)
    #expect(script.wait() == [" "])
    #expect(script.seconds == 240)
    #expect(script.wait() == [" "])
    #expect(script.seconds == 480)
    #expect(script.text(script.session.check(at: script.now)) == [" "])
    // What is sent counts.
    script.now = script.now + .seconds(100)
    _ = try script.send("<presence from='sip.shakespeare.lit' to='a@b'/>")
    #expect(script.wait() == [" "])
    #expect(script.seconds == 820)
  }

  @Test("Where others serve the domain too, one ping is enough, and none too little")
  func balanced() throws {
    _ = try ComponentScript(isBalanced: true, returned: 1)
    var script = try ComponentScript(isBalanced: true, returned: 0)
    #expect(script.wait() == ["end streamError(XMPP.StreamCondition.conflict)"])
    #expect(script.end?.isFinal == false)
  }

  @Test("The pings of another program are nobody's question")
  func others() throws {
    var script = try ComponentScript()
    #expect(
      try script.receive(
        "<iq type='get' from='3.other@sip.shakespeare.lit' to='sip.shakespeare.lit' id='other'>"
          + "<ping xmlns='urn:xmpp:ping'/></iq>") == [])
    // Those of strangers are.
    let ping = "<iq type='get' from='a@b' to='sip.shakespeare.lit' id='other'><ping xmlns='urn:xmpp:ping'/></iq>"
    #expect(try script.receive(ping) == ["deliver \(ping)"])
  }

  // MARK: Signs of life

  @Test("A silent server is asked, and an error is an answer too")
  func idle() throws {
    var script = try ComponentScript()
    #expect(script.wait() == [ComponentScript.ping(0)])
    #expect(script.seconds == 240)
    #expect(
      try script.receive("<iq type='error' from='sip.shakespeare.lit' to='0.ping@sip.shakespeare.lit' id='ping'/>")
        == [])
    #expect(script.wait() == [ComponentScript.ping(0)])
    // It was longer, since the connection has survived it.
    #expect(script.seconds == 600)
    #expect(script.session.rhythm.interval == .seconds(360))
  }

  @Test("One that does not answer is given up")
  func dead() throws {
    var script = try ComponentScript()
    #expect(script.wait() == [ComponentScript.ping(0)])
    #expect(script.wait() == ["end timedOut"])
    #expect(script.seconds == 268)
  }

  @Test("A question of ours without an answer is asked about, and after something happened at once")
  func questions() throws {
    var script = try ComponentScript()
    _ = try script.send("<iq type='get' from='sip.shakespeare.lit' to='a@b' id='1'/>")
    #expect(script.wait() == [ComponentScript.ping(0)])
    #expect(script.seconds == 10)
    #expect(try script.receive(ComponentScript.ping(0)) == [])
    _ = try script.send("<iq type='get' from='sip.shakespeare.lit' to='a@b' id='2'/>")
    _ = try script.receive("<iq type='result' from='a@b' to='sip.shakespeare.lit' id='2'/>")
    #expect(script.session.deadline == script.now + .seconds(240))
    #expect(script.text(script.session.check(at: script.now)) == [ComponentScript.ping(0)])
    #expect(script.wait() == ["end timedOut"])
    #expect(script.seconds == 20)
  }

  @Test("Where others serve the domain, one of many pings comes back")
  func balancedIdle() throws {
    var script = try ComponentScript(isBalanced: true, returned: 1)
    #expect(script.wait().count == 64)
    #expect(script.seconds == 240)
    #expect(try script.receive(ComponentScript.ping(7)) == [])
    #expect(script.wait().count == 64)
    #expect(script.wait() == ["end timedOut"])
  }
}

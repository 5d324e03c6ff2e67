// SPDX-License-Identifier: Apache-2.0

import Crypto
import TLS
import Testing
import XML

@testable import XMPP

@Suite("The server's negotiation")
struct ServerNegotiationTests {
  @Test("From the header to the session, with STARTTLS")
  func wholeWay() throws {
    var script = try ServerScript { $0.mechanisms = [.plain, .scramSHA1] }
    script.accounts["juliet"] = TestService.stored
    #expect(
      try script.header() == [
        "header <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
          + "</stream:features>"
      ])
    #expect(
      try script.element(ServerScript.starttls) == ["<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "TLS"])
    #expect(script.feed(.secured([:])) == ["restart"])
    #expect(
      try script.header() == [
        "header <stream:features><mechanisms xmlns='\(ServerScript.sasl)'><mechanism>SCRAM-SHA-1</mechanism>"
          + "<mechanism>PLAIN</mechanism></mechanisms></stream:features>"
      ])
    #expect(
      try script.element(ServerScript.auth("PLAIN", "\0juliet\0\(TestService.password)"))
        == ["<success xmlns='\(ServerScript.sasl)'/>", "restart, known"])
    #expect(
      try script.header() == [
        "header <stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
          + "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session><sm xmlns='urn:xmpp:sm:3'/>"
          + "</stream:features>"
      ])
    #expect(
      try script.element(Self.bind("balcony")) == [
        "<iq id='1' type='result'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
          + "<jid>juliet@shakespeare.lit/balcony</jid></bind></iq>", "begin juliet@shakespeare.lit/balcony",
      ])
  }

  static func bind(_ resource: String) -> String {
    "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>\(resource)</resource></bind></iq>"
  }

  @Test(
    "Headers that will not do are answered with ours, and why not",
    arguments: [
      ("to='shakespeare.lit'", "jabber:client", "unsupported-version"),
      ("to='shakespeare.lit' version='0.9'", "jabber:client", "unsupported-version"),
      ("to='shakespeare.lit' version='x'", "jabber:client", "unsupported-version"),
      ("to='verona.lit' version='1.0'", "jabber:client", "host-unknown"),
      ("to='@' version='1.0'", "jabber:client", "host-unknown"),
      ("version='1.0'", "jabber:client", "host-unknown"),
      ("to='shakespeare.lit' version='1.0'", "jabber:server", "invalid-namespace"),
    ])
  func headers(attributes: String, namespace: String, condition: String) throws {
    var script = try ServerScript()
    #expect(
      try script.header(attributes, namespace: namespace) == ["header " + ServerScript.error(condition), "end"])
    #expect(try script.header() == [], "nothing is said after the end")
  }

  @Test("A later version is answered with ours; a client that says who it is is told so")
  func laterVersion() throws {
    var script = try ServerScript()
    #expect(try script.header("to='Shakespeare.lit' version='2.1'").first?.hasPrefix("header <stream:f") == true)
    let text = ServerHeader.text(from: "a", to: try BareJID("b@a"), id: "1")
    #expect(text.hasSuffix(" from='a' id='1' to='b@a' version='1.0' xml:lang='en'>"))
  }

  @Test("What follows the request for TLS in the clear ends the stream")
  func injection() throws {
    var script = try ServerScript()
    _ = try script.header()
    #expect(
      try script.element(ServerScript.starttls, isLast: false) == [ServerScript.error("policy-violation"), "end"])
    #expect(script.feed(.secured([:])) == [])
  }

  @Test("TLS is made once, and only where there is any")
  func noTLS() throws {
    var script = try ServerScript()
    _ = try script.toLogin()
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"
    #expect(try script.element(ServerScript.starttls) == [failure, "end"])
    var without = try ServerScript {
      $0.tls = nil
      $0.requiresTLS = false
    }
    _ = try without.header()
    #expect(try without.element(ServerScript.starttls) == [failure, "end"])
  }

  @Test("Before TLS nobody logs in, and never by what is not offered")
  func tooEarly() throws {
    var script = try ServerScript()
    _ = try script.header()
    let auth = ServerScript.auth("PLAIN", "\0juliet\0\(TestService.password)")
    #expect(try script.element(auth) == [ServerScript.failure("encryption-required")])
    var optional = try ServerScript(requiresTLS: false)
    optional.accounts["juliet"] = TestService.stored
    #expect(try optional.header().first?.contains("PLAIN") == false)
    #expect(try optional.element(auth) == [ServerScript.failure("invalid-mechanism")])
    var allowed = try ServerScript(requiresTLS: false) { $0.allowsPlainInTheClear = true }
    allowed.accounts["juliet"] = TestService.stored
    #expect(try allowed.header().first?.contains("PLAIN") == true)
    #expect(try allowed.element(auth).first == "<success xmlns='\(ServerScript.sasl)'/>")
  }

  @Test(
    "What is said before the log-in ends the stream",
    arguments: [
      "<message/>", "<iq type='get' id='1'><query xmlns='jabber:iq:auth'/></iq>", "<resume xmlns='urn:xmpp:sm:3'/>",
      "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    ])
  func notAuthorized(text: String) throws {
    var script = try ServerScript()
    _ = try script.toLogin()
    #expect(try script.element(text) == [ServerScript.error("not-authorized"), "end"])
  }

  @Test("Before it is bound a stream carries nothing else")
  func unbound() throws {
    var script = try ServerScript()
    _ = try script.toBinding()
    let failed =
      "<failed xmlns='urn:xmpp:sm:3'><unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
    #expect(try script.element("<enable xmlns='urn:xmpp:sm:3'/>") == [failed])
    let refused = try script.element(Self.bind("a\u{200e}"))
    #expect(refused.count == 1)
    #expect(refused.first?.contains("<bad-request ") == true)
    #expect(try script.element("<presence/>") == [ServerScript.error("not-authorized"), "end"])
  }

  @Test("The server finds a resource for whoever leaves that to it")
  func resource() throws {
    var script = try ServerScript()
    _ = try script.toBinding()
    let bind = "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
    #expect(try script.element(bind).last == "begin juliet@shakespeare.lit/made")
  }

  @Test("The session of before is asked for, and where it is not there a new one can be begun")
  func resume() throws {
    var script = try ServerScript()
    _ = try script.toBinding()
    let resume = "<resume xmlns='urn:xmpp:sm:3' previd='x' h='7'/>"
    #expect(try script.element(resume) == ["resume x of juliet@shakespeare.lit after 7"])
    #expect(
      script.feed(.notResumed(handled: 3)) == [
        "<failed xmlns='urn:xmpp:sm:3' h='3'>"
          + "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
      ])
    #expect(try script.element("<resume xmlns='urn:xmpp:sm:3' previd='x'/>").first?.contains("bad-request") == true)
    #expect(try script.element(Self.bind("balcony")).last == "begin juliet@shakespeare.lit/balcony")
    var without = try ServerScript { $0.resumptionTime = nil }
    #expect(try without.toBinding().first?.contains("urn:xmpp:sm") == false)
    #expect(try without.element(resume) == [ServerScript.error("not-authorized"), "end"])
  }

  @Test("Streams that end, that cannot be read, that take too long or say too much")
  func ends() throws {
    let cases: [(ServerNegotiation.Event, String)] = [
      (.closed, "</stream:stream>"),
      (.unreadable(.notWellFormed(code: 1)), ServerScript.error("not-well-formed")),
      (.unreadable(.tooDeep(limit: 1)), ServerScript.error("policy-violation")),
      (.timeIsUp, ServerScript.error("connection-timeout")),
      (.read(64 * 1024 + 1), ServerScript.error("policy-violation")),
    ]
    for (event, farewell) in cases {
      var script = try ServerScript()
      #expect(script.feed(event) == ["header " + farewell, "end"])
      script = try ServerScript()
      _ = try script.header()
      #expect(script.feed(.read(1000)) == [])
      #expect(script.feed(event) == [farewell, "end"])
    }
  }

  @Test("All that is read before the session counts towards the limit, whatever stream it is on")
  func readBytes() throws {
    var script = try ServerScript { $0.limits.loginBytes = 100 }
    #expect(script.feed(.read(60)) == [])
    _ = try script.toLogin()
    #expect(script.feed(.read(40)) == [])
    #expect(script.feed(.read(1)) == [ServerScript.error("policy-violation"), "end"])
  }

  // MARK: Components

  @Test("A component that knows the secret gets in")
  func component() throws {
    var script = try ServerScript()
    let namespace = "jabber:component:accept"
    #expect(try script.header("to='plays.shakespeare.lit'", namespace: namespace) == ["header"])
    let digest = Hex.encode(Digest.sha1("random1secret".utf8))
    #expect(
      try script.element("<handshake>\(digest)</handshake>", namespace: namespace)
        == ["<handshake/>", "component plays.shakespeare.lit"])
  }

  @Test("A component without the secret does not", arguments: ["", "wrong", "<x/>"])
  func wrongSecret(text: String) throws {
    var script = try ServerScript()
    let namespace = "jabber:component:accept"
    _ = try script.header("to='plays.shakespeare.lit'", namespace: namespace)
    #expect(
      try script.element("<handshake>\(text)</handshake>", namespace: namespace)
        == [ServerScript.error("not-authorized"), "end"])
    var unknown = try ServerScript()
    unknown.secret = nil
    #expect(
      try unknown.header("to='plays.shakespeare.lit'", namespace: namespace)
        == ["header " + ServerScript.error("host-unknown"), "end"])
    var empty = try ServerScript()
    empty.secret = ""
    #expect(try empty.header("to='plays.shakespeare.lit'", namespace: namespace).last == "end")
  }
}

// SPDX-License-Identifier: Apache-2.0

import Crypto
import Testing
import XML

@testable import XMPP

/// A negotiation, driven by text as a server would send it; what comes of it, as text.
struct Script {
  var negotiation: Negotiation
  static let names = Negotiation.Names(nonce: "fyko+d2lbbFgONRv9qkxdawL", id: "0123", resource: "random")

  init(
    _ tls: ClientConfiguration.TLS = .starttls, account: String = "user@shakespeare.lit", password: String = "pencil",
    resource: String? = nil, resumption: Resumption? = nil
  ) throws {
    negotiation = Negotiation(
      ClientConfiguration(account: try BareJID(account), password: password, tls: tls, resource: resource),
      names: Self.names, resumption: resumption)
  }

  mutating func feed(_ event: Negotiation.Event) -> [String] {
    negotiation.received(event).compactMap { effect in
      switch effect {
      case .step: return nil
      case .resumed(_, _, let lost, _, let mechanism): return "resumed by \(mechanism), lost \(lost.count)"
      case .notResumed(let lost): return "not resumed, lost \(lost.count)"
      case .restart: return "restart"
      case .send(let text): return text.hasPrefix("<?xml") ? "header" : text
      case .startTLS: return "TLS"
      case .derive(let request): return "derive \(request.iterations)"
      case .bound(let jid, _, let mechanism): return "bound \(jid) by \(mechanism)"
      case .end(let end): return "end \(end.code)"
      }
    }
  }

  mutating func header(_ attributes: String = "from='shakespeare.lit' version='1.0'") throws -> [String] {
    let text = "<stream xmlns='http://etherx.jabber.org/streams' \(attributes)/>"
    return feed(.opened(try Element.parse(text)))
  }

  mutating func element(_ text: String, isLast: Bool = true) throws -> [String] {
    feed(.element(try Element.parse(text, namespace: "jabber:client"), isLast: isLast))
  }

  mutating func features(_ text: String) throws -> [String] {
    try element("<features xmlns='http://etherx.jabber.org/streams'>\(text)</features>")
  }

  mutating func toTLS() throws {
    #expect(feed(.connected) == ["restart", "header"])
    #expect(try header() == [])
    #expect(try features(Self.starttls) == ["<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"])
    #expect(try element(Self.proceed) == ["TLS"])
    #expect(feed(.secured) == ["restart", "header"])
    #expect(try header() == [])
  }

  mutating func toBinding() throws {
    try toTLS()
    #expect(try features(Self.mechanisms("PLAIN")).count == 1)
    #expect(try element("<success xmlns='\(Self.sasl)'/>") == ["restart", "header"])
    #expect(try header() == [])
  }

  static let sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
  static let starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
  static let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
  static let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"

  static func mechanisms(_ names: String...) -> String {
    "<mechanisms xmlns='\(sasl)'>\(names.map { "<mechanism>\($0)</mechanism>" }.joined())</mechanisms>"
  }

  static func message(_ name: String, _ text: String) -> String {
    "<\(name) xmlns='\(sasl)'>\(Base64.encode(Array(text.utf8)))</\(name)>"
  }

  static func bound(_ jid: String, id: String = "bind-0123") -> String {
    "<iq id='\(id)' type='result'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>\(jid)</jid></bind></iq>"
  }
}

@Suite("Negotiation")
struct NegotiationTests {
  static let serverFirst = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
  static let key = pbkdf2(
    password: Array("pencil".utf8), salt: Base64.decode("QSXCR+Q6sek8bf92") ?? [], iterations: 4096, digest: .sha1)

  @Test("From the connection to the bound stream, with STARTTLS and SCRAM")
  func wholeWay() throws {
    var script = try Script()
    try script.toTLS()
    #expect(
      try script.features(Script.mechanisms("PLAIN", "SCRAM-SHA-1"))
        == [
          "<auth xmlns='\(Script.sasl)' mechanism='SCRAM-SHA-1'>"
            + Base64.encode(Array("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL".utf8)) + "</auth>"
        ])
    #expect(try script.element(Script.message("challenge", Self.serverFirst)) == ["derive 4096"])
    let final = "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    #expect(script.feed(.derived(Self.key)) == [Script.message("response", final)])
    #expect(
      try script.element(Script.message("success", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")) == ["restart", "header"])
    #expect(try script.header() == [])
    #expect(
      try script.features(Script.bind)
        == [
          "<iq id='bind-0123' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            + "<resource>random</resource></bind></iq>"
        ])
    #expect(
      try script.element(Script.bound("user@shakespeare.lit/random"))
        == ["bound user@shakespeare.lit/random by SCRAM-SHA-1"])
  }

  @Test("TLS from the first byte, and none at all")
  func otherTLS() throws {
    var direct = try Script(.direct)
    #expect(direct.feed(.connected) == ["TLS"])
    #expect(direct.feed(.secured) == ["restart", "header"])
    var off = try Script(.off)
    #expect(off.feed(.connected) == ["restart", "header"])
    _ = try off.header()
    #expect(
      try off.features(Script.starttls + Script.mechanisms("PLAIN", "SCRAM-SHA-1"))
        .first?.contains("SCRAM-SHA-1") == true)
  }

  @Test("A server without TLS is told nothing, whatever else it offers")
  func noTLS() throws {
    var script = try Script()
    _ = script.feed(.connected)
    _ = try script.header()
    #expect(try script.features(Script.mechanisms("PLAIN", "SCRAM-SHA-1") + Script.bind) == ["end protocol"])
    #expect(try script.features(Script.starttls) == [])
  }

  @Test("What follows the consent to TLS in the clear ends the connection")
  func injection() throws {
    var script = try Script()
    _ = script.feed(.connected)
    _ = try script.header()
    _ = try script.features(Script.starttls)
    #expect(try script.element(Script.proceed, isLast: false) == ["end protocol"])
    #expect(script.feed(.secured) == [])
  }

  @Test("The password itself does not go out without TLS")
  func plainInTheClear() throws {
    var script = try Script(.off)
    _ = script.feed(.connected)
    _ = try script.header()
    #expect(try script.features(Script.mechanisms("PLAIN")) == ["end authentication"])
  }

  @Test("Under TLS it does where the server knows nothing else")
  func plain() throws {
    var script = try Script()
    try script.toTLS()
    #expect(
      try script.features(Script.mechanisms("DIGEST-MD5", "PLAIN"))
        == ["<auth xmlns='\(Script.sasl)' mechanism='PLAIN'>AHVzZXIAcGVuY2ls</auth>"])
    #expect(try script.element("<success xmlns='\(Script.sasl)'/>") == ["restart", "header"])
  }

  @Test("A server that says yes without a proof is not believed")
  func noProof() throws {
    for success in [
      "<success xmlns='\(Script.sasl)'/>", "<success xmlns='\(Script.sasl)'>=</success>",
      "<success xmlns='\(Script.sasl)'>%</success>", Script.message("success", "v=AAAA"),
    ] {
      var script = try Script()
      try script.toTLS()
      _ = try script.features(Script.mechanisms("SCRAM-SHA-1"))
      var early = script
      #expect(try early.element(success).first?.hasPrefix("end") == true)
      _ = try script.element(Script.message("challenge", Self.serverFirst))
      var waiting = script
      #expect(try waiting.element(success).first?.hasPrefix("end") == true)
      _ = script.feed(.derived(Self.key))
      #expect(try script.element(success).first?.hasPrefix("end") == true)
    }
  }

  @Test("The proof may come before the yes")
  func earlyProof() throws {
    var script = try Script()
    try script.toTLS()
    _ = try script.features(Script.mechanisms("SCRAM-SHA-1"))
    _ = try script.element(Script.message("challenge", Self.serverFirst))
    _ = script.feed(.derived(Self.key))
    #expect(
      try script.element(Script.message("challenge", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="))
        == ["<response xmlns='\(Script.sasl)'/>"])
    #expect(try script.element("<success xmlns='\(Script.sasl)'/>") == ["restart", "header"])
  }

  @Test(
    "A refusal to let us in says what to do",
    arguments: [
      ("not-authorized", "check both"), ("account-disabled", "disabled"), ("temporary-auth-failure", "later"),
      ("foo", "administrator"), ("", "administrator"),
    ])
  func refusals(condition: String, hint: String) throws {
    var script = try Script()
    try script.toTLS()
    _ = try script.features(Script.mechanisms("SCRAM-SHA-1"))
    let inside = (condition.isEmpty ? "" : "<\(condition)/>") + "<text>no\u{202E} way</text>"
    let failure = try Element.parse("<failure xmlns='\(Script.sasl)'>\(inside)</failure>")
    guard case .end(let end)? = script.negotiation.received(.element(failure, isLast: true)).first else {
      Issue.record("it went on")
      return
    }
    #expect(end.code == .authentication)
    #expect(end.text.contains(hint))
    #expect(end.text.hasSuffix(" It says: \"no way\""))
  }

  @Test(
    "A header that is wrong ends the connection, once it is clear that no better reason follows",
    arguments: [
      "from='other.example' version='1.0'", "from='shakespeare.lit'", "from='shakespeare.lit' version='0.9'",
      "from='shakespeare.lit' version='x'", "from='@' version='1.0'", "from='a@shakespeare.lit' version='1.0'",
    ])
  func headers(attributes: String) throws {
    var script = try Script()
    _ = script.feed(.connected)
    #expect(try script.header(attributes) == [])
    var other = script
    #expect(try script.features(Script.starttls) == ["end protocol"])
    #expect(
      try other.element(
        "<error xmlns='http://etherx.jabber.org/streams'>"
          + "<host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>")
        == ["end streamError(XMPP.StreamCondition.hostUnknown)"])
  }

  @Test("A header of another version, spelling or root is as good")
  func otherHeaders() throws {
    for attributes in [
      "from='Shakespeare.LIT' version='1.1'", "version='1.0'", "from='shakespeare.lit' version='10.0'",
    ] {
      var script = try Script()
      _ = script.feed(.connected)
      _ = try script.header(attributes)
      #expect(try script.features(Script.starttls).first?.contains("starttls") == true)
    }
    var script = try Script()
    _ = script.feed(.connected)
    _ = script.feed(.opened(try Element.parse("<stream xmlns='urn:x' version='1.0'/>")))
    #expect(try script.features(Script.starttls) == ["end protocol"])
  }

  @Test("A server's answer that is none ends the connection at every step")
  func strangeAnswers() throws {
    let strange = "<message from='a@b'><body>hello</body></message>"
    var script = try Script()
    _ = script.feed(.connected)
    var copy = script
    #expect(try copy.element(strange) == ["end protocol"])
    copy = script
    #expect(copy.feed(.secured) == ["end protocol"])
    _ = try script.header()
    copy = script
    #expect(try copy.element(strange) == ["end protocol"])
    copy = script
    #expect(try copy.header() == ["end protocol"])
    copy = script
    #expect(try copy.element(Script.proceed) == ["end protocol"])
    copy = script
    #expect(copy.feed(.closed) == ["end closedByPeer"])
    _ = try script.features(Script.starttls)
    copy = script
    #expect(try copy.element(strange) == ["end protocol"])
    copy = script
    #expect(try copy.element("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>") == ["end protocol"])
    copy = script
    #expect(copy.feed(.derived([1])) == ["end protocol"])
    script = try Script()
    try script.toTLS()
    _ = try script.features(Script.mechanisms("SCRAM-SHA-1"))
    copy = script
    #expect(try copy.element(strange) == ["end protocol"])
    copy = script
    #expect(try copy.element("<challenge xmlns='\(Script.sasl)'>%%</challenge>") == ["end protocol"])
    copy = script
    #expect(copy.feed(.derived([1])) == ["end authentication"])
  }

  @Test("Nothing may follow the yes before we open the stream again")
  func afterSuccess() throws {
    var script = try Script()
    try script.toTLS()
    _ = try script.features(Script.mechanisms("PLAIN"))
    #expect(try script.element("<success xmlns='\(Script.sasl)'/>", isLast: false) == ["end protocol"])
  }

  @Test("We are bound to no other account than our own, and to a session")
  func foreignAddress() throws {
    for jid in ["mallory@shakespeare.lit/x", "user@shakespeare.lit", "", "@", "user@other.example/x"] {
      var script = try Script()
      try script.toBinding()
      _ = try script.features(Script.bind)
      #expect(try script.element(Script.bound(jid)) == ["end protocol"])
    }
    var script = try Script()
    try script.toBinding()
    _ = try script.features(Script.bind)
    // The server's choice of a resource is the server's.
    #expect(
      try script.element(Script.bound("USER@shakespeare.lit/other")) == ["bound user@shakespeare.lit/other by PLAIN"])
  }

  @Test("Only the answer to our own request binds")
  func foreignAnswer() throws {
    var script = try Script(resource: "balcony")
    try script.toBinding()
    #expect(try script.features(Script.bind).first?.contains("<resource>balcony</resource>") == true)
    #expect(try script.element(Script.bound("user@shakespeare.lit/x", id: "other")) == [])
    #expect(try script.element("<presence from='a@b/c'/>") == [])
    #expect(
      try script.element(
        "<iq id='bind-0123' type='error'><error type='wait'>"
          + "<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
        == ["end refused(XMPP.StanzaError.Condition.resourceConstraint)"])
  }

  @Test("A session is begun where the server demands it, and not where it is optional")
  func session() throws {
    let session = { (inside: String) in
      Script.bind + "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'>\(inside)</session>"
    }
    var optional = try Script()
    try optional.toBinding()
    _ = try optional.features(session("<optional/>"))
    #expect(
      try optional.element(Script.bound("user@shakespeare.lit/x")) == ["bound user@shakespeare.lit/x by PLAIN"])
    var demanded = try Script()
    try demanded.toBinding()
    _ = try demanded.features(session(""))
    #expect(
      try demanded.element(Script.bound("user@shakespeare.lit/x"))
        == ["<iq id='session-0123' type='set'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"])
    #expect(
      try demanded.element("<iq id='session-0123' type='result'/>") == ["bound user@shakespeare.lit/x by PLAIN"])
  }

  @Test("A stream that offers no binding is of no use")
  func noBinding() throws {
    var script = try Script()
    try script.toBinding()
    #expect(try script.features("") == ["end protocol"])
  }

  @Test("Features that were offered in the clear are forgotten")
  func forgotten() throws {
    var script = try Script()
    _ = script.feed(.connected)
    _ = try script.header()
    _ = try script.features(Script.starttls + Script.mechanisms("SCRAM-SHA-1") + Script.bind)
    _ = try script.element(Script.proceed)
    _ = script.feed(.secured)
    _ = try script.header()
    #expect(try script.features(Script.bind) == ["end authentication"])
  }

  @Test("Every condition of a stream's error is known, and unknown ones are told as such")
  func streamErrors() throws {
    for condition in StreamCondition.allCases.map(\.rawValue) + ["foo"] {
      var script = try Script()
      _ = script.feed(.connected)
      _ = try script.header()
      let error = try Element.parse(
        "<error xmlns='http://etherx.jabber.org/streams'>"
          + "<\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>")
      guard case .end(let end)? = script.negotiation.received(.element(error, isLast: true)).first else {
        Issue.record("it went on")
        return
      }
      #expect(end.code == .streamError(StreamCondition(rawValue: condition) ?? .undefinedCondition))
      #expect(!end.text.isEmpty)
    }
  }
}

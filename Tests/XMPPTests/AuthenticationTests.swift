// SPDX-License-Identifier: Apache-2.0

import Crypto
import TLS
import Testing
import XML

@testable import XMPP

@Suite("Proving who we are")
struct AuthenticationTests {
  static func auth(_ mechanism: String, _ text: String) -> String {
    "<auth xmlns='\(Script.sasl)' mechanism='\(mechanism)'>\(text)</auth>"
  }

  private func script(certificate: String? = nil, least: String? = nil, password: String = "pencil") throws -> Script {
    var configuration = ClientConfiguration(
      account: try BareJID("user@shakespeare.lit"), password: password, tls: .starttls)
    configuration.clientCertificate = try certificate.map { try ClientCertificate(pem: Array($0.utf8)) }
    configuration.leastMechanism = least
    return Script(configuration)
  }

  private func end(_ script: Script, _ text: String) throws -> StreamEnd? {
    var script = script
    let effects = script.negotiation.received(.element(try Element.parse(text), isLast: true))
    guard case .end(let end)? = effects.first, effects.count == 1 else { return nil }
    return end
  }

  // MARK: Channel binding

  @Test("SCRAM is tied to the connection, from the first message to the server's proof")
  func bound() throws {
    let vector = SCRAMTests.vectors[5]
    var script = try script()
    try script.toTLS([.exporter: Array(0xE0...0xFF), .serverEndPoint: [1]])
    // The nonce of the script is another one than the example's: what counts here is that the binding gets there.
    let first = "p=tls-exporter,,n=user,r=\(Script.names.nonce)"
    #expect(
      try script.features(
        Script.mechanisms("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")
          + Script.channelBindings(["tls-server-end-point", "tls-exporter"]))
        == [Self.auth("SCRAM-SHA-256-PLUS", Base64.encode(Array(first.utf8)))])
    #expect(script.steps == ["logging in by SCRAM-SHA-256-PLUS"])
    let serverFirst = "r=\(Script.names.nonce)x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    #expect(try script.element(Script.message("challenge", serverFirst)) == ["derive 4096"])
    var scram = try SCRAM(
      vector.digest, userName: "user", password: "pencil", nonce: Script.names.nonce, link: vector.link)
    let key = try scram.received(serverFirst: serverFirst).derive()
    #expect(script.feed(.derived(key)) == [Script.message("response", try scram.derived(key))])
    let proof = try serverProof(key, first: "n=user,r=\(Script.names.nonce)", serverFirst)
    #expect(try script.element(Script.message("success", "v=\(proof)")) == ["restart", "header"])
    _ = try script.header()
    _ = try script.features(Script.bind)
    #expect(
      try script.element(Script.bound("user@shakespeare.lit/x")) == [
        "bound user@shakespeare.lit/x by SCRAM-SHA-256-PLUS"
      ])
    #expect(script.negotiation.channelBinding == .exporter)
  }

  private func serverProof(_ key: [UInt8], first: String, _ serverFirst: String) throws -> String {
    let bound = Array("p=tls-exporter,,".utf8) + Array(0xE0...0xFF)
    let nonce = serverFirst.split(separator: ",").first.map(String.init) ?? ""
    let everything = "\(first),\(serverFirst),c=\(Base64.encode(bound)),\(nonce)"
    let serverKey = HMAC.code(for: "Server Key".utf8, key: key, digest: .sha256)
    return Base64.encode(HMAC.code(for: everything.utf8, key: serverKey, digest: .sha256))
  }

  @Test("A log-in that is tied to nothing says so")
  func unbound() throws {
    var script = try script()
    try script.toTLS([.exporter: [1]])
    let first = "y,,n=user,r=\(Script.names.nonce)"
    #expect(
      try script.features(Script.mechanisms("SCRAM-SHA-512"))
        == [Self.auth("SCRAM-SHA-512", Base64.encode(Array(first.utf8)))])
    let failure = "<failure xmlns='\(Script.sasl)'><malformed-request/></failure>"
    #expect(try end(script, failure)?.text.contains("in between") == true)
    #expect(script.negotiation.channelBinding == nil)
  }

  @Test("Channel bindings and mechanisms that were announced in the clear are forgotten")
  func forgotten() throws {
    var script = try script()
    _ = script.feed(.connected)
    _ = try script.header()
    _ = try script.features(
      Script.starttls + Script.mechanisms("SCRAM-SHA-1-PLUS") + Script.channelBindings(["tls-exporter"]))
    _ = try script.element(Script.proceed)
    _ = script.feed(.secured([.exporter: [1]]))
    _ = try script.header()
    let first = "n,,n=user,r=\(Script.names.nonce)"
    #expect(
      try script.features(Script.mechanisms("SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"))
        == [Self.auth("SCRAM-SHA-1", Base64.encode(Array(first.utf8)))])
  }

  // MARK: Never weaker

  @Test(
    "After a failure nothing else is tried, whatever is offered then",
    arguments: [
      "not-authorized", "temporary-auth-failure", "invalid-mechanism", "mechanism-too-weak", "aborted",
      "malformed-request", "encryption-required", "",
    ])
  func noSecondTry(condition: String) throws {
    var script = try script()
    try script.toTLS([.unique: [1]])
    _ = try script.features(Script.mechanisms("SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN"))
    let inside = condition.isEmpty ? "" : "<\(condition)/>"
    #expect(try script.element("<failure xmlns='\(Script.sasl)'>\(inside)</failure>") == ["end authentication"])
    #expect(try script.features(Script.mechanisms("PLAIN")) == [])
    #expect(try script.element(Script.message("challenge", "")) == [])
  }

  @Test("A weaker offer than before is refused before anything is sent")
  func weakerOffer() throws {
    var script = try script(least: "SCRAM-SHA-256")
    try script.toTLS()
    #expect(try script.features(Script.mechanisms("PLAIN", "SCRAM-SHA-1")) == ["end authentication"])
    #expect(script.steps == [])
    #expect(try script.features(Script.mechanisms("SCRAM-SHA-256")) == [])
  }

  @Test("Only a server that cannot look now is asked again")
  func finality() throws {
    for (condition, isFinal) in [
      ("not-authorized", true), ("account-disabled", true), ("credentials-expired", true), ("mechanism-too-weak", true),
      ("temporary-auth-failure", false), ("foo", true),
    ] {
      var script = try script()
      try script.toTLS()
      _ = try script.features(Script.mechanisms("PLAIN"))
      let end = try end(script, "<failure xmlns='\(Script.sasl)'><\(condition)/></failure>")
      #expect(end?.isFinal == isFinal, "\(condition)")
    }
  }

  @Test("A refusal where the password may be right says what else it may be")
  func boundRefusal() throws {
    var script = try script()
    try script.toTLS([.unique: [1]])
    _ = try script.features(Script.mechanisms("SCRAM-SHA-1-PLUS"))
    let failure = "<failure xmlns='\(Script.sasl)'><not-authorized/></failure>"
    #expect(try end(script, failure)?.text.contains("in between") == true)
  }

  // MARK: EXTERNAL

  @Test(
    "The certificate says who we are, and we say it where the certificate does not",
    arguments: [
      // One address, ours; none.
      (Certificates.own, "="), (Certificates.none, "="),
      (Certificates.several, "dXNlckBzaGFrZXNwZWFyZS5saXQ="), (Certificates.foreign, "dXNlckBzaGFrZXNwZWFyZS5saXQ="),
    ])
  func external(certificate: String, identity: String) throws {
    var script = try script(certificate: certificate, password: "")
    try script.toTLS()
    #expect(try script.features(Script.mechanisms("PLAIN", "EXTERNAL")) == [Self.auth("EXTERNAL", identity)])
    #expect(script.steps.last == "logging in by EXTERNAL")
    var other = script
    #expect(try other.element(Script.message("challenge", "")) == ["end protocol"])
    #expect(try script.element("<success xmlns='\(Script.sasl)'/>") == ["restart", "header"])
  }

  @Test("A certificate that is refused is not followed by the password")
  func externalRefused() throws {
    for (condition, hint) in [
      ("not-authorized", "client certificate"), ("invalid-authzid", "client certificate"),
      ("credentials-expired", "client certificate"),
    ] {
      var script = try script(certificate: Certificates.own)
      try script.toTLS()
      _ = try script.features(Script.mechanisms("PLAIN", "SCRAM-SHA-1", "EXTERNAL"))
      let failure = "<failure xmlns='\(Script.sasl)'><\(condition)/></failure>"
      let end = try end(script, failure)
      #expect(end?.text.contains(hint) == true)
      #expect(end?.isFinal == true)
      #expect(try script.element(failure) == ["end authentication"])
      #expect(try script.features(Script.mechanisms("PLAIN")) == [])
    }
  }

  @Test("A password that PLAIN would cut is not sent")
  func zeroInPassword() throws {
    var script = try script(password: "a\0b")
    try script.toTLS()
    #expect(try script.features(Script.mechanisms("PLAIN")) == ["end authentication"])
  }
}

// SPDX-License-Identifier: Apache-2.0

import Crypto
import TLS
import Testing
import XML

@testable import XMPP

@Suite("Logging in, seen from the server")
struct ServerAuthenticationTests {
  /// RFC 5802 §5 and RFC 7677 §3.
  @Test(
    "The exchanges of the specifications",
    arguments: [
      (
        Digest.sha1, "QSXCR+Q6sek8bf92", "fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j",
        "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "rmF9pqV8S7suAoZWja4dJRkFsKQ="
      ),
      (
        .sha256, "W22ZaJ0SNY7soEsUEjb6gQ==", "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
      ),
    ])
  func vectors(
    digest: Digest, salt: String, clientNonce: String, serverNonce: String, proof: String, signature: String
  ) throws {
    let salt = Base64.decode(salt) ?? []
    let salted = pbkdf2(password: Array("pencil".utf8), salt: salt, iterations: 4096, digest: digest)
    let keys = StoredCredentials.Keys(saltedPassword: salted, salt: salt, iterations: 4096, digest: digest)
    let none = SCRAMServer.Offer(bindsChannel: false, bindings: [:])
    var scram = SCRAMServer(digest, isPlus: false, offer: none, nonce: serverNonce)
    let (name, identity) = try scram.received(clientFirst: "n,,n=user,r=\(clientNonce)")
    #expect(name == "user" && identity.isEmpty)
    let nonce = clientNonce + serverNonce
    #expect(try scram.found(keys) == "r=\(nonce),s=\(Base64.encode(salt)),i=4096")
    #expect(try scram.received(clientFinal: "c=biws,r=\(nonce),p=\(proof)") == "v=\(signature)")
    #expect(throws: SASLCondition.malformedRequest) { try scram.received(clientFinal: "c=biws,r=\(nonce),p=\(proof)") }
  }

  private func scram(_ flag: String, isPlus: Bool, bindsChannel: Bool) -> Result<String, SASLCondition> {
    let offer = SCRAMServer.Offer(bindsChannel: bindsChannel, bindings: [.exporter: [7, 7]])
    var scram = SCRAMServer(.sha256, isPlus: isPlus, offer: offer, nonce: "server")
    return Result { () throws(SASLCondition) in
      try scram.received(clientFirst: "\(flag),,n=us=2Cer=3D,r=client").userName
    }
  }

  @Test("The first message says how it is tied to TLS, and that must be as it was offered")
  func links() {
    #expect(scram("n", isPlus: false, bindsChannel: true) == .success("us,er="))
    #expect(scram("y", isPlus: false, bindsChannel: false) == .success("us,er="))
    #expect(scram("p=tls-exporter", isPlus: true, bindsChannel: true) == .success("us,er="))
    // Somebody in between has hidden that we can.
    #expect(scram("y", isPlus: false, bindsChannel: true) == .failure(.notAuthorized))
    #expect(scram("n", isPlus: true, bindsChannel: true) == .failure(.malformedRequest))
    #expect(scram("p=tls-exporter", isPlus: false, bindsChannel: true) == .failure(.malformedRequest))
    #expect(scram("p=tls-unique", isPlus: true, bindsChannel: true) == .failure(.malformedRequest))
    #expect(scram("x", isPlus: false, bindsChannel: true) == .failure(.malformedRequest))
  }

  @Test("Our own client's side comes through, and not over another TLS connection", arguments: [true, false])
  func otherConnection(isSame: Bool) throws {
    let offer = SCRAMServer.Offer(bindsChannel: true, bindings: [.exporter: [1, 2, 3]])
    var server = SCRAMServer(.sha512, isPlus: true, offer: offer, nonce: "server")
    var client = try SCRAM(
      .sha512, userName: "juliet", password: TestService.password, nonce: "client",
      link: .bound(.exporter, isSame ? [1, 2, 3] : [1, 2, 4]))
    _ = try server.received(clientFirst: client.clientFirst)
    let keys = try #require(TestService.stored?.keys[.sha512])
    let request = try client.received(serverFirst: try server.found(keys))
    let final = try client.derived(request.derive())
    if isSame {
      try client.received(serverFinal: try server.received(clientFinal: final))
      #expect(client.isDone)
    } else {
      #expect(throws: SASLCondition.notAuthorized) { try server.received(clientFinal: final) }
    }
  }

  @Test(
    "Messages that are none are refused for what they are",
    arguments: [
      ("n,,n=juliet", "malformed-request"), ("n,,n=juliet,r=", "malformed-request"), ("", "malformed-request"),
      ("n,,m=1,n=juliet,r=abc", "malformed-request"), ("n,,n=jul=iet,r=abc", "malformed-request"),
      ("n,b=romeo,n=juliet,r=abc", "malformed-request"), ("n,,n=juliet,r=a\u{7f}", "malformed-request"),
      ("n,a=romeo@shakespeare.lit,n=juliet,r=abc", "invalid-authzid"), ("n,,n=a@b,r=abc", "not-authorized"),
    ])
  func malformed(message: String, condition: String) throws {
    var script = try ServerScript()
    _ = try script.toLogin()
    let text = message.isEmpty ? "<auth xmlns='\(ServerScript.sasl)' mechanism='SCRAM-SHA-1'>=</auth>" : nil
    #expect(
      try script.element(text ?? ServerScript.auth("SCRAM-SHA-1", message)) == [ServerScript.failure(condition)])
  }

  @Test("Text that is not in Base64, mechanisms that there are not, and whoever gives up")
  func otherFailures() throws {
    var script = try ServerScript()
    _ = try script.toLogin()
    #expect(
      try script.element("<auth xmlns='\(ServerScript.sasl)' mechanism='SCRAM-SHA-1'>*</auth>")
        == [ServerScript.failure("incorrect-encoding")])
    #expect(
      try script.element(ServerScript.auth("DIGEST-MD5", "x")) == [ServerScript.failure("invalid-mechanism")])
    script = try ServerScript()
    _ = try script.toLogin()
    #expect(
      try script.element("<auth xmlns='\(ServerScript.sasl)' mechanism='SCRAM-SHA-1'/>")
        == ["<challenge xmlns='\(ServerScript.sasl)'/>"])
    #expect(
      try script.element("<abort xmlns='\(ServerScript.sasl)'/>") == [ServerScript.failure("aborted")])
    // Whoever waited to be asked answers with what it would have begun with.
    _ = try script.element("<auth xmlns='\(ServerScript.sasl)' mechanism='PLAIN'/>")
    script.accounts["juliet"] = TestService.stored
    #expect(
      try script.element(ServerScript.response("\0juliet\0\(TestService.password)"))
        == ["<success xmlns='\(ServerScript.sasl)'/>", "restart, known"])
  }

  @Test("A password may be tried three times on a connection")
  func attempts() throws {
    var script = try ServerScript()
    script.accounts["juliet"] = TestService.stored
    _ = try script.toLogin()
    let wrong = ServerScript.auth("PLAIN", "\0juliet\0wrong")
    #expect(try script.element(wrong) == [ServerScript.failure("not-authorized")])
    #expect(try script.element(wrong) == [ServerScript.failure("not-authorized")])
    #expect(
      try script.element(wrong)
        == [ServerScript.failure("not-authorized"), ServerScript.error("policy-violation"), "end"])
  }

  @Test("Who is not there is asked for a proof with the same salt each time, and costs as much as who is")
  func decoys() throws {
    func challenge(_ name: String) throws -> [String] {
      var script = try ServerScript()
      script.accounts["juliet"] = TestService.stored
      _ = try script.toLogin()
      return try script.element(ServerScript.auth("SCRAM-SHA-256", "n,,n=\(name),r=abc"))
    }
    let romeo = try challenge("romeo")
    #expect(romeo.first?.hasPrefix("<challenge") == true)
    #expect(romeo.first?.utf8.count == (try challenge("juliet").first?.utf8.count))
    #expect(try challenge("romeo") == romeo)
    #expect(try challenge("tybalt") != romeo)
    var script = try ServerScript()
    script.accounts["juliet"] = TestService.stored
    _ = try script.toLogin()
    #expect(
      try script.element(ServerScript.auth("PLAIN", "\0romeo\0wrong")) == [ServerScript.failure("not-authorized")])
    #expect(script.derivations == 1)
  }

  @Test("What is tied to TLS is offered only where TLS has what it takes, with what it has")
  func channelBinding() throws {
    var script = try ServerScript()
    #expect(try script.toLogin().first?.contains("PLUS") == false)
    script = try ServerScript()
    let features = try script.toLogin([.exporter: [1]]).first ?? ""
    #expect(features.contains("<mechanism>SCRAM-SHA-256-PLUS</mechanism>"))
    #expect(features.contains("<channel-binding type='tls-exporter'/></sasl-channel-binding>"))
    #expect(!features.contains("EXTERNAL"))
  }

  @Test("Passwords without a prepared form have no keys, and keys do not get into texts")
  func storage() {
    #expect(StoredCredentials(password: "") == nil)
    #expect(StoredCredentials(password: "a\u{7}") == nil)
    #expect(TestService.stored.map { "\($0)" } == "stored credentials")
    #expect(TestService.stored.map { Mirror(reflecting: $0).children.isEmpty } == true)
  }
}

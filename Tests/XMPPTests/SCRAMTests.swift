// SPDX-License-Identifier: Apache-2.0

import Crypto
import Testing

@testable import XMPP

@Suite("SCRAM")
struct SCRAMTests {
  struct Vector: Sendable {
    let digest: Digest
    let nonce: String
    let serverFirst: String
    let clientFinal: String
    let serverFinal: String
  }

  // The first two are the examples of RFC 5802 §5 and RFC 7677 §3; the third was made from the second with Python's
  // hashlib.
  static let vectors = [
    Vector(
      digest: .sha1, nonce: "fyko+d2lbbFgONRv9qkxdawL",
      serverFirst: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
      clientFinal: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
      serverFinal: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="),
    Vector(
      digest: .sha256, nonce: "rOprNGfwEbeRWgbNEkqO",
      serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      clientFinal: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
      serverFinal: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
    Vector(
      digest: .sha512, nonce: "rOprNGfwEbeRWgbNEkqO",
      serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      clientFinal: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        + "p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
      serverFinal: "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw=="),
  ]

  @Test("The examples of the specifications come out", arguments: vectors)
  func vector(_ vector: Vector) throws {
    var scram = try SCRAM(vector.digest, userName: "user", password: "pencil", nonce: vector.nonce)
    #expect(scram.clientFirst == "n,,n=user,r=\(vector.nonce)")
    let request = try scram.received(serverFirst: vector.serverFirst)
    #expect(try scram.derived(request.derive()) == vector.clientFinal)
    #expect(!scram.isDone)
    try scram.received(serverFinal: vector.serverFinal)
    #expect(scram.isDone)
  }

  @Test(
    "A server's first message that breaks the rules ends the exchange",
    arguments: [
      "", "r=", "r=nonce,s=c2FsdA==,i=4096", "r=other1,s=c2FsdA==,i=4096", "r=Nonce1,s=c2FsdA==,i=4096",
      "r=nonce1,i=4096,s=c2FsdA==", "r=nonce1,s=,i=4096", "r=nonce1,s=%,i=4096", "r=nonce1,s=c2FsdA==",
      "r=nonce1,s=c2FsdA==,i=4095", "r=nonce1,s=c2FsdA==,i=0", "r=nonce1,s=c2FsdA==,i=-4096",
      "r=nonce1,s=c2FsdA==,i=200001", "r=nonce1,s=c2FsdA==,i=99999999999999999999", "r=nonce1,s=c2FsdA==,i=",
      "r=nonce1,s=c2FsdA==,i=4096x", "m=x,r=nonce1,s=c2FsdA==,i=4096", "r=nonce1 ,s=c2FsdA==,i=4096",
      "r=nonce1\u{301},s=c2FsdA==,i=4096", "r=nonce" + String(repeating: "1", count: 1025) + ",s=c2FsdA==,i=4096",
      "e=other-error", "v=AAAA",
    ])
  func hostileFirst(message: String) throws {
    var scram = try SCRAM(.sha1, userName: "user", password: "pencil", nonce: "nonce")
    #expect(throws: SCRAM.Failure.self) { try scram.received(serverFirst: message) }
    #expect(throws: SCRAM.Failure.self) { try scram.derived([1]) }
  }

  @Test("The bounds of the iterations are inside", arguments: [4096, 200_000])
  func iterations(count: Int) throws {
    var scram = try SCRAM(.sha1, userName: "user", password: "pencil", nonce: "nonce")
    #expect(try scram.received(serverFirst: "r=nonce1,s=c2FsdA==,i=\(count),x=y").iterations == count)
  }

  @Test(
    "A server that cannot prove that it knows the password is not believed",
    arguments: [
      "", "v=", "v=AAAA", "e=invalid-proof", "v=rmF9pqV8S7suAoZWja4dJRkFsKR=", "v=smF9pqV8S7suAoZWja4dJRkFsKQ=",
      "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ])
  func falseProof(message: String) throws {
    let vector = Self.vectors[0]
    var scram = try SCRAM(vector.digest, userName: "user", password: "pencil", nonce: vector.nonce)
    _ = try scram.derived(try scram.received(serverFirst: vector.serverFirst).derive())
    #expect(throws: SCRAM.Failure.self) { try scram.received(serverFinal: message) }
    #expect(!scram.isDone)
  }

  @Test("Messages out of turn are refused")
  func outOfTurn() throws {
    let vector = Self.vectors[0]
    var scram = try SCRAM(vector.digest, userName: "user", password: "pencil", nonce: vector.nonce)
    #expect(throws: SCRAM.Failure.self) { try scram.received(serverFinal: vector.serverFinal) }
    _ = try scram.received(serverFirst: vector.serverFirst)
    #expect(throws: SCRAM.Failure.self) { try scram.received(serverFirst: vector.serverFirst) }
  }

  @Test("What would end a part of a message is escaped in the user's name")
  func escaping() throws {
    let scram = try SCRAM(.sha1, userName: "a=b,c\u{301}", password: "p", nonce: "n")
    #expect(scram.clientFirst == "n,,n=a=3Db=2C\u{107},r=n")
    // A comma that a combining mark follows is a comma all the same.
    let marked = try SCRAM(.sha1, userName: "a,\u{301}", password: "p", nonce: "n")
    #expect(Array(marked.clientFirst.utf8) == Array("n,,n=a=2C\u{301},r=n".utf8))
  }

  @Test("Name and password are prepared, and those that cannot be are refused")
  func preparation() throws {
    // RFC 4013 §3: soft hyphens vanish, wide and Roman characters are folded.
    let plain = try SCRAM(.sha1, userName: "IX", password: "IX", nonce: "n")
    let folded = try SCRAM(.sha1, userName: "I\u{AD}X", password: "\u{2168}", nonce: "n")
    #expect(plain.clientFirst == folded.clientFirst)
    #expect(throws: SCRAM.Failure.self) { try SCRAM(.sha1, userName: "u", password: "", nonce: "n") }
    #expect(throws: SCRAM.Failure.self) { try SCRAM(.sha1, userName: "u", password: "\u{7}", nonce: "n") }
    #expect(throws: SCRAM.Failure.self) { try SCRAM(.sha1, userName: "", password: "p", nonce: "n") }
  }

  @Test("The strongest mechanism is taken, and the password itself only goes out under TLS")
  func choice() {
    let all = ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256", "EXTERNAL"]
    #expect(SASLMechanism.strongest(of: all, isSecured: true) == .scramSHA512)
    #expect(SASLMechanism.strongest(of: ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"], isSecured: true) == .scramSHA256)
    #expect(SASLMechanism.strongest(of: ["PLAIN", "SCRAM-SHA-1"], isSecured: false) == .scramSHA1)
    #expect(SASLMechanism.strongest(of: ["PLAIN"], isSecured: true) == .plain)
    #expect(SASLMechanism.strongest(of: ["PLAIN"], isSecured: false) == nil)
    #expect(SASLMechanism.strongest(of: ["scram-sha-1", "DIGEST-MD5"], isSecured: true) == nil)
  }
}

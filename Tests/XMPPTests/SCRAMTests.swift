// SPDX-License-Identifier: Apache-2.0

import Crypto
import TLS
import Testing

@testable import XMPP

@Suite("SCRAM")
struct SCRAMTests {
  struct Vector: Sendable {
    let digest: Digest
    let nonce: String
    var link = SCRAM.Link.none
    let serverFirst: String
    let clientFinal: String
    let serverFinal: String
  }

  // The first two are the examples of RFC 5802 §5 and RFC 7677 §3; the others were made from them with Python's hashlib
  // and hmac, as no specification has any.
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
    Vector(
      digest: .sha1, nonce: "fyko+d2lbbFgONRv9qkxdawL", link: .hiddenByServer,
      serverFirst: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
      clientFinal: "c=eSws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=BjZF5dV+EkD3YCb3pH3IP8riMGw=",
      serverFinal: "v=dsprQ5R2AGYt1kn4bQRwTAE0PTU="),
    Vector(
      digest: .sha1, nonce: "fyko+d2lbbFgONRv9qkxdawL", link: .bound(.unique, Array(0..<12)),
      serverFirst: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
      clientFinal: "c=cD10bHMtdW5pcXVlLCwAAQIDBAUGBwgJCgs=,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
        + "p=ResgVA2w6fEFiwzXkrPSGTt/RSg=",
      serverFinal: "v=HKBeWjn99U5AvtgAjz6m1d81mhk="),
    Vector(
      digest: .sha256, nonce: "rOprNGfwEbeRWgbNEkqO", link: .bound(.exporter, Array(0xE0...0xFF)),
      serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      clientFinal: "c=cD10bHMtZXhwb3J0ZXIsLODh4uPk5ebn6Onq6+zt7u/w8fLz9PX29/j5+vv8/f7/,"
        + "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=wJpl3wTx3voE8HwHXGtxyeJ+dUTOeC1xXt4rHhEKOaA=",
      serverFinal: "v=KGvhaul0dmFf7wwGFM3h1VNv0kW/H4cbOJTYCwdl7C0="),
    Vector(
      digest: .sha512, nonce: "rOprNGfwEbeRWgbNEkqO", link: .bound(.serverEndPoint, Array(0x80...0x9F)),
      serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      clientFinal: "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsgIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp8=,"
        + "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        + "p=FYb+0Xe6w3GVma/xizCn/WXJy5bxaTiOJAi4ip/4oZGwZcYMip6uLQA5sw/5nTiEKNspLkSyRidt2mxtLeC46A==",
      serverFinal: "v=eJhpfuDe4maLT//5h2PmWeLPy0C9PZmOlOrzP0quwzI/zx46NR+nzsvU+f5y+8jYAhs02K0QDYw+ClLExO3PGQ=="),
  ]

  @Test("The examples of the specifications come out", arguments: vectors)
  func vector(_ vector: Vector) throws {
    var scram = try SCRAM(vector.digest, userName: "user", password: "pencil", nonce: vector.nonce, link: vector.link)
    #expect(scram.clientFirst == "\(vector.link.header)n=user,r=\(vector.nonce)")
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

  @Test(
    "A server that says why it gives no proof is understood",
    arguments: [
      ("e=invalid-proof", "password"), ("e=unknown-user", "user name"), ("e=channel-bindings-dont-match", "in between"),
      ("e=server-does-support-channel-binding", "hidden"), ("e=unsupported-channel-binding-type", "does not know"),
      ("e=foo,v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "gave it up"), ("e", "gave it up"),
    ])
  func serverErrors(message: String, hint: String) throws {
    let vector = Self.vectors[0]
    var scram = try SCRAM(vector.digest, userName: "user", password: "pencil", nonce: vector.nonce)
    _ = try scram.derived(try scram.received(serverFirst: vector.serverFirst).derive())
    do throws(SCRAM.Failure) {
      try scram.received(serverFinal: message)
      Issue.record("it was believed")
    } catch {
      #expect(error.description.contains(hint))
    }
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
}

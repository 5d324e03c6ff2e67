// SPDX-License-Identifier: Apache-2.0

import Crypto
import Testing

@Suite("Cryptographic primitives")
struct CryptoTests {
  @Test(
    "Hashes of 'abc' are those of FIPS 180-4",
    arguments: [
      (Digest.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
      (Digest.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        Digest.sha512,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
          + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
      ),
    ])
  func digests(digest: Digest, expected: String) {
    #expect(Hex.encode(digest("abc".utf8)) == expected)
    #expect(digest([]).count == digest.byteCount)
  }

  @Test("The hash of nothing is known")
  func emptyDigest() { #expect(Hex.encode(Digest.sha1([])) == "da39a3ee5e6b4b0d3255bfef95601890afd80709") }

  @Test("HMAC gives the vectors of RFC 4231 and RFC 2202")
  func hmac() {
    let key = Array("Jefe".utf8)
    let message = "what do ya want for nothing?".utf8
    #expect(
      Hex.encode(HMAC.code(for: message, key: key, digest: .sha1)) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
    #expect(
      Hex.encode(HMAC.code(for: message, key: key, digest: .sha256))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(HMAC.code(for: [], key: [], digest: .sha512).count == 64)
  }

  @Test("PBKDF2 gives the vectors of RFC 6070 and RFC 7914")
  func keyDerivation() {
    let password = Array("password".utf8)
    let salt = Array("salt".utf8)
    #expect(
      Hex.encode(pbkdf2(password: password, salt: salt, iterations: 4096, digest: .sha1))
        == "4b007901b765489abead49d926f721d065a429c1")
    #expect(
      Hex.encode(pbkdf2(password: Array("passwd".utf8), salt: salt, iterations: 1, digest: .sha256))
        == "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc")
    let once = pbkdf2(password: [], salt: [], iterations: 1, digest: .sha512)
    #expect(pbkdf2(password: [], salt: [], iterations: -5, digest: .sha512) == once)
  }

  @Test("Random bytes differ from call to call and have the length that was asked for")
  func random() {
    #expect(secureRandom(0) == [])
    #expect(secureRandom(33).count == 33)
    #expect(secureRandom(16) != secureRandom(16))
  }

  @Test("Secrets are compared by content and length")
  func comparison() {
    #expect(constantTimeEqual([1, 2, 3], [1, 2, 3]))
    #expect(!constantTimeEqual([1, 2, 3], [1, 2, 4]))
    #expect(!constantTimeEqual([1, 2, 3], [1, 2]))
    #expect(constantTimeEqual([], []))
  }

  @Test("Hexadecimal goes there and back; other text is refused")
  func hex() {
    #expect(Hex.decode(Hex.encode(0...255)) == Array(0...255))
    #expect(Hex.decode("aFfA") == [0xaf, 0xfa])
    for text in ["a", "zz", "0x", " 00", "0é"] { #expect(Hex.decode(text) == nil, "\(text)") }
  }
}

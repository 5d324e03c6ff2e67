// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Addresses at a gateway")
struct GatewayAddressTests {
  @Test(
    "A local part stands for an address elsewhere",
    arguments: [
      ("romeo%shakespeare.lit", "romeo@shakespeare.lit"),
      ("romeo\\40shakespeare.lit", "romeo@shakespeare.lit"),
      ("romeo%shakespeare.lit.", "romeo@shakespeare.lit"),
      ("romeo%10.0.0.1", "romeo@10.0.0.1"), ("romeo%10.0.0.1.", "romeo@10.0.0.1"),
      ("romeo%0x1.h", "romeo@0x1.h"), ("romeo%1.2.3.4.h", "romeo@1.2.3.4.h"), ("romeo%0xg", "romeo@0xg"),
      ("o\\27hara%a.example", "o'hara@a.example"),
      ("+15551234", "+15551234"),
      ("+1-555-1234", "+15551234"),
      ("+1\\20(555)\\201234", "+15551234"),
      ("+1.555.1234%a.example", "+15551234@a.example"),
      ("romeo", "romeo"),
      // Letters that grow together with what follows them.
      ("romeo\u{600}%h", "romeo\u{600}@h"), ("romeo\u{600}\\40h", "romeo\u{600}@h"),
    ])
  func reading(_ localpart: String, _ callee: String) {
    #expect(GatewayAddress(localpart: localpart)?.callee == callee)
  }

  @Test(
    "What a second reader may take for another address stands for nobody",
    arguments: [
      "", "%shakespeare.lit", "romeo%", "\\40shakespeare.lit", "romeo%a..b", "romeo%.", "romeo%sha\\20kes.lit",
      "romeo%h%h", "romeo\\40h%h", "romeo%h\\40h", "a\\40b\\40c", "sip\\3aromeo%h", "romeo;a=b%h", "romeo?a%h",
      "ro\\20meo", "ro\\20meo%h", "\\22romeo\\22%h", "\\3cromeo%h\\3e", "romeo%münchen.example", "romeo%h\\3a5060",
      "rom\\5ceo%h", "+1555a", "+", "+\u{2010}1555", "a,b%h", "ro\u{0}meo%h", "romeo\\5c40h", "romeo%h%", "%", "\\40",
      "romeo#%h", "h\\2fromeo%h", "romeo#", "h!romeo%h", "[romeo%h", "romeo]%h", "romeo%[::1]", "romeo%\\3a\\3a1",
      // An address in numbers has one form, which our rules know.
      "romeo%167772161", "romeo%0x0a000001", "romeo%10.1", "romeo%10.0.0.01", "romeo%012.0.0.1", "romeo%10.0.0.256",
      "romeo%1.2.3.4.5", "romeo%h.0x1", "romeo%10.0.0.1..", "romeo%h.7", "romeo%0x",
      "romeo%\u{301}h", "romeo\\40\u{301}h",
    ])
  func nobody(_ localpart: String) {
    #expect(GatewayAddress(localpart: localpart) == nil)
  }

  @Test(
    "An address elsewhere is written in both forms, and read back",
    arguments: [
      ("romeo@shakespeare.lit", "romeo%shakespeare.lit", "romeo\\40shakespeare.lit"),
      ("Romeo@Shakespeare.lit", "romeo%shakespeare.lit", "romeo\\40shakespeare.lit"),
      ("o'hara@a.example", "o\\27hara%a.example", "o\\27hara\\40a.example"),
      ("+1 555 1234", "+15551234", "+15551234"),
    ])
  func writing(_ callee: String, _ localpart: String, _ escaped: String) throws {
    let address = try #require(GatewayAddress(callee: callee))
    #expect(address.localpart == localpart)
    #expect(address.escapedLocalpart == escaped)
    #expect(GatewayAddress(localpart: localpart) == address)
    #expect(GatewayAddress(localpart: escaped) == address)
  }

  @Test("A backslash is escaped where it would begin an escape, and nowhere else")
  func backslashes() {
    #expect(JIDEscaping.escaped("c:\\net") == "c\\3a\\net")
    #expect(JIDEscaping.escaped("c\\5cd") == "c\\5c5cd")
    #expect(JIDEscaping.escaped("a\\40b") == "a\\5c40b")
    for text in ["a\\40b", "c\\5cd", "d'artagnan", "space cadet", "\\", "\\4", "\\5c5c", "a/b<c>&\"@:"] {
      #expect(JIDEscaping.unescaped(JIDEscaping.escaped(text)) == text)
    }
  }
}

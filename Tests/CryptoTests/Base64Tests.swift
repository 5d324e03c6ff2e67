// SPDX-License-Identifier: Apache-2.0

import Crypto
import Testing

@Suite("Base 64")
struct Base64Tests {
  @Test(
    "The vectors of RFC 4648 go there and back",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"),
    ])
  func vectors(plain: String, encoded: String) {
    #expect(Base64.encode(Array(plain.utf8)) == encoded)
    #expect(Base64.decode(encoded) == Array(plain.utf8))
  }

  @Test("Every byte in every position survives")
  func everyByte() {
    for count in 1...4 {
      for byte in UInt8.min...UInt8.max {
        let bytes = [UInt8](repeating: byte, count: count)
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
      }
    }
  }

  @Test(
    "Text that we would not write ourselves is refused",
    arguments: [
      "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm 8=", "Zm8=\n", "Zh==", "Zm9=", "Zm9v=", "-_-_", "Zm8é", "=Zg=",
    ])
  func strict(text: String) { #expect(Base64.decode(text) == nil) }
}

// SPDX-License-Identifier: Apache-2.0

import TLS
import Testing

@Suite("Socket addresses")
struct SocketAddressTests {
  @Test(
    "Numeric addresses are parsed and written back",
    arguments: [
      ("127.0.0.1", "127.0.0.1:5222", true), ("192.0.2.7", "192.0.2.7:5222", false), ("::1", "[::1]:5222", true),
      ("2001:db8::7", "[2001:db8::7]:5222", false), ("::ffff:127.0.0.9", "[::ffff:127.0.0.9]:5222", true),
      ("::ffff:192.0.2.7", "[::ffff:192.0.2.7]:5222", false), ("::", "[::]:5222", false),
    ])
  func numeric(host: String, text: String, isLoopback: Bool) throws {
    let address = try #require(SocketAddress(host, port: 5222))
    #expect(address.description == text)
    #expect(address.port == 5222)
    #expect(address.isLoopback == isLoopback)
  }

  @Test("Names and nonsense are not addresses", arguments: ["localhost", "", "1.2.3.4.5", ":::", "[::1]", "::1\0"])
  func others(host: String) { #expect(SocketAddress(host, port: 1) == nil) }

  @Test("A socket address that is too short or of another family is refused")
  func raw() {
    for bytes: [UInt8] in [
      [], [2], [2, 0, 0, 80], [10, 0] + [UInt8](repeating: 0, count: 20), [1, 0] + [UInt8](repeating: 0, count: 60),
    ] {
      #expect(bytes.withUnsafeBytes { SocketAddress(socketAddress: $0) } == nil)
    }
  }
}

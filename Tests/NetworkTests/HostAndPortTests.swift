// SPDX-License-Identifier: Apache-2.0

import Network
import TLS
import Testing

@Suite("Hosts and ports as people write them")
struct HostAndPortTests {
  @Test(
    "What is one",
    arguments: [
      ("example.org", "example.org", nil), ("example.org:5222", "example.org", 5222),
      ("192.0.2.1", "192.0.2.1", nil), ("192.0.2.1:1", "192.0.2.1", 1), ("::1", "::1", nil), ("[::1]", "::1", nil),
      ("[2001:db8::1]:65535", "2001:db8::1", 65_535),
    ] as [(String, String, UInt16?)])
  func valid(text: String, host: String, port: UInt16?) throws {
    let parsed = try #require(HostAndPort(text))
    #expect(parsed.host == host)
    #expect(parsed.port == port)
  }

  @Test(
    "What is none",
    arguments: [
      "", ":1", "a:", "a:0", "a:65536", "a:+1", "a:-1", "a: 1", "a:1:2", "[::1", "[::1]1", "[::1]:", "[a]:1", "[]", "[",
      "]", "[127.0.0.1]:1", "a:٣",
    ])
  func invalid(text: String) { #expect(HostAndPort(text) == nil) }

  @Test(
    "DNS servers are numeric addresses; their port is 53 unless given",
    arguments: [
      ("192.0.2.53", "192.0.2.53:53"), ("127.0.0.1:5353", "127.0.0.1:5353"), ("2001:db8::53", "[2001:db8::53]:53"),
      ("[::1]:5353", "[::1]:5353"),
    ])
  func servers(text: String, address: String) { #expect(LookupSettings.server(text)?.description == address) }

  @Test("No DNS server", arguments: ["", "dns.example.org", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:99999", "[1.2.3.4]:53"])
  func noServers(text: String) { #expect(LookupSettings.server(text) == nil) }
}

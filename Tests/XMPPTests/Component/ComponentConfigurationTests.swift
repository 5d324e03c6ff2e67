// SPDX-License-Identifier: Apache-2.0

import Network
import TLS
import Testing

@testable import XMPP

@Suite("How a component is to connect")
struct ComponentConfigurationTests {
  private func configuration(
    _ domain: String = "sip.shakespeare.lit", server: String? = nil, port: UInt16? = nil,
    tls: ComponentConfiguration.TLS? = nil
  ) throws -> ComponentConfiguration {
    ComponentConfiguration(domain: try BareJID(domain), secret: "s3cret", server: server, port: port, tls: tls)
  }

  @Test("The server is the domain's parent unless it is named, and SRV records are not asked")
  func server() throws {
    #expect(
      try configuration().wantedServer()
        == WantedServer(
          domain: "shakespeare.lit", server: "shakespeare.lit", port: 5347, protection: .directTLS))
    #expect(
      try configuration(server: "127.0.0.1", port: 5275, tls: .off).wantedServer()
        == WantedServer(domain: "127.0.0.1", server: "127.0.0.1", port: 5275, protection: .none))
    #expect(try configuration("gateway").serverName == "gateway")
    #expect(throws: StreamEnd.self) { try configuration(server: "[nowhere").wantedServer() }
  }

  @Test(
    "Where nothing is said, TLS is for other machines",
    arguments: [("127.0.0.1", false), ("::1", false), ("192.0.2.1", true), ("2001:db8::1", true)])
  func protection(address: String, isProtected: Bool) throws {
    let address = try SocketAddress(numeric: address, port: 5347)
    #expect(try configuration().wantsTLS(to: address) == isProtected)
    #expect(try configuration(tls: .direct).wantsTLS(to: address))
    #expect(try !configuration(tls: .off).wantsTLS(to: address))
  }

  @Test("The certificate must be for the server that was named, or for the domain's parent")
  func certificate() throws {
    #expect(try configuration().certificateName == "shakespeare.lit")
    #expect(try configuration(server: "xmpp.verona.lit").certificateName == "xmpp.verona.lit")
    #expect(try configuration(server: "[::1]").certificateName == "::1")
    #expect(try configuration("sip.straße.example").certificateName == "strasse.example")
    #expect(try configuration(server: "bücher.example").certificateName == "xn--bcher-kva.example")
  }

  @Test("No description and no dump has the secret in it")
  func secret() throws {
    let configuration = try configuration()
    var dumped = ""
    dump(configuration, to: &dumped)
    for text in ["\(configuration)", String(reflecting: configuration), dumped] { #expect(!text.contains("s3cret")) }
  }
}

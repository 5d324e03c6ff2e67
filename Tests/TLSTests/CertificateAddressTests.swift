// SPDX-License-Identifier: Apache-2.0

import TLS
import Testing

@Suite("The addresses in a certificate")
struct CertificateAddressTests {
  private static func address(_ text: String) -> String { "otherName:1.3.6.1.5.5.7.8.5;UTF8:\(text)" }

  @Test("XMPP addresses are found among other names, in their order")
  func addresses() throws {
    let names = [
      "DNS:b.example", Self.address("b@example.org"), "otherName:1.3.6.1.5.5.7.8.7;IA5:_xmpp-client.example.org",
      "email:c@example.org", "otherName:1.3.6.1.5.5.7.8.5;IA5:wrong@example.org", Self.address("a@example.org"),
      "otherName:1.2.3.4;UTF8:other@example.org",
    ]
    let identity = TestIdentity("x", names: names.joined(separator: ","))
    #expect(
      try ClientCertificate(pem: identity.pem + identity.keyPEM).xmppAddresses == ["b@example.org", "a@example.org"])
  }

  @Test("Of several certificates the one of the key is looked at: the others are its issuers'")
  func chain() throws {
    let own = TestIdentity("x", names: Self.address("a@example.org"))
    let other = TestIdentity("y", names: Self.address("b@example.org"))
    for pem in [own.pem + other.pem + own.keyPEM, other.pem + own.pem + own.keyPEM, own.keyPEM + other.pem + own.pem] {
      #expect(try ClientCertificate(pem: pem).xmppAddresses == ["a@example.org"])
    }
  }

  @Test("Where there are none, none are found")
  func nothing() throws {
    for identity in [TestIdentity.root(), TestIdentity("x", names: "DNS:a.example")] {
      #expect(try ClientCertificate(pem: identity.pem + identity.keyPEM).xmppAddresses == [])
    }
  }
}

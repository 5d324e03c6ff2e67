// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import TLS
import Testing

@Suite("The addresses in a certificate")
struct CertificateAddressTests {
  private static func address(_ text: String) -> String { "otherName:1.3.6.1.5.5.7.8.5;UTF8:\(text)" }

  @Test("XMPP addresses are found among other names, in their order")
  func addresses() {
    let names = [
      "DNS:b.example", Self.address("b@example.org"), "otherName:1.3.6.1.5.5.7.8.7;IA5:_xmpp-client.example.org",
      "email:c@example.org", "otherName:1.3.6.1.5.5.7.8.5;IA5:wrong@example.org", Self.address("a@example.org"),
      "otherName:1.2.3.4;UTF8:other@example.org",
    ]
    let identity = TestIdentity("x", names: names.joined(separator: ","))
    #expect(xmppAddresses(ofCertificate: identity.pem) == ["b@example.org", "a@example.org"])
  }

  @Test("Of several certificates the one of the key is looked at, or else the first: the others are its issuers'")
  func chain() {
    let own = TestIdentity("x", names: Self.address("a@example.org"))
    let other = TestIdentity("y", names: Self.address("b@example.org"))
    #expect(xmppAddresses(ofCertificate: own.pem + other.pem) == ["a@example.org"])
    #expect(xmppAddresses(ofCertificate: other.pem + own.pem + pem(ofKey: own)) == ["a@example.org"])
    #expect(xmppAddresses(ofCertificate: pem(ofKey: own) + other.pem + own.pem) == ["a@example.org"])
    #expect(xmppAddresses(ofCertificate: pem(ofKey: TestIdentity.root()) + own.pem + other.pem) == ["a@example.org"])
  }

  private func pem(ofKey identity: TestIdentity) -> [UInt8] {
    let output = BIO_new(BIO_s_mem())
    defer { BIO_free(output) }
    PEM_write_bio_PrivateKey(output, identity.key, nil, nil, 0, nil, nil)
    var bytes = [UInt8](repeating: 0, count: 16 * 1024)
    let count = BIO_read(output, &bytes, Int32(bytes.count))
    return Array(bytes.prefix(Int(count)))
  }

  @Test("Where there are none, none are found")
  func nothing() {
    #expect(xmppAddresses(ofCertificate: TestIdentity.root().pem) == [])
    #expect(xmppAddresses(ofCertificate: TestIdentity("x", names: "DNS:a.example").pem) == [])
    #expect(xmppAddresses(ofCertificate: []) == [])
    #expect(xmppAddresses(ofCertificate: Array("-----BEGIN CERTIFICATE-----\nAAAA\n".utf8)) == [])
    #expect(xmppAddresses(ofCertificate: Array(TestIdentity.root().pem.dropLast(40))) == [])
  }
}

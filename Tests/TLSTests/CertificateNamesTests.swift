// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Testing

@testable import TLS

@Suite("Names in certificates")
struct CertificateNamesTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func names(of identity: TestIdentity) throws -> CertificateNames {
    try withExtendedLifetime(identity) { CertificateNames(of: try #require(identity.certificate)) }
  }

  @Test(
    "A domain is compared label by label, and a wildcard is one whole label at the left",
    arguments: [
      ("example.org", "example.org", true), ("EXAMPLE.org", "example.org", true),
      ("*.example.org", "im.example.org", true),
      ("*.example.org", "xn--bcher-kva.example.org", true), ("*.Example.org", "im.example.org", true),
      ("example.org", "im.example.org", false), ("x.example.org", "im.example.org", false),
      ("im.example.org", "example.org", false),
      ("*.example.org", "example.org", false), ("*.example.org", "a.b.example.org", false),
      ("*.example.org", ".example.org", false), ("i*.example.org", "im.example.org", false),
      ("*m.example.org", "im.example.org", false), ("im.*.org", "im.example.org", false),
      ("*.*.org", "im.example.org", false),
      ("*.org", "example.org", false), ("*", "localhost", false), ("*.", "localhost", false),
      ("*.localhost", "a.localhost", false),
      ("", "localhost", false), ("example.org\0.evil.test", "example.org", false),
      ("example.org.", "example.org", false),
      (".example.org", "im.example.org", false), (" example.org", "example.org", false),
      // The sign for kelvin is the letter K for those who compare texts and not bytes.
      ("\u{212a}.example.org", "k.example.org", false),
    ])
  func domains(presented: String, domain: String, isSame: Bool) {
    #expect(CertificateNames(domains: [bytes(presented)]).name(bytes(domain)) == isSame)
    #expect(CertificateNames(services: [bytes("_xmpp-client.\(presented)")]).name(bytes(domain)) == isSame)
    #expect(CertificateNames(commonName: bytes(presented)).name(bytes(domain)) == isSame)
    let among = CertificateNames(domains: [bytes("other.test"), bytes(presented), bytes("more.test")])
    #expect(among.name(bytes(domain)) == isSame)
  }

  @Test(
    "A service counts where it is ours, and where services count",
    arguments: [
      ("_xmpp-client.example.org", true), ("_XMPP-Client.example.org", true), ("_xmpp-server.example.org", false),
      ("_xmpps-client.example.org", false), ("_imap.example.org", false), ("example.org", false),
      ("xmpp-client.example.org", false), ("_xmpp-clientexample.org", false), ("_xmpp-client.", false), ("", false),
    ])
  func services(presented: String, isOurs: Bool) {
    let names = CertificateNames(services: [bytes(presented)])
    #expect(names.name(bytes("example.org")) == isOurs)
    #expect(!names.name(bytes("example.org"), onlyByDomain: true))
  }

  @Test("The subject counts where there is no other name, and only there")
  func subject() {
    let domain = bytes("example.org")
    #expect(CertificateNames(commonName: domain).name(domain))
    #expect(!CertificateNames(commonName: domain).name(domain, onlyByDomain: true))
    #expect(CertificateNames(domains: [domain]).name(domain, onlyByDomain: true))
    #expect(!CertificateNames(domains: [bytes("other.test")], commonName: domain).name(domain))
    #expect(!CertificateNames(services: [bytes("_imap.other.test")], commonName: domain).name(domain))
    #expect(!CertificateNames(commonName: domain, hasOthers: true).name(domain))
    #expect(!CertificateNames().name(domain))
  }

  @Test("Every kind of name is found in a certificate, and the last common name is the one")
  func reading() throws {
    let identity = TestIdentity(
      "first.test",
      names: "DNS:a.test,DNS:b.test,otherName:1.3.6.1.5.5.7.8.7;IA5:_xmpp-client.c.test,email:d@e.test,IP:127.0.0.1,"
        + "otherName:1.3.6.1.5.5.7.8.5;UTF8:f.test")
    X509_NAME_add_entry_by_txt(
      X509_get_subject_name(identity.certificate), "CN", MBSTRING_FLAG, bytes("last.test"), 9, -1, 0)
    let names = try self.names(of: identity)
    #expect(names.domains == [bytes("a.test"), bytes("b.test")])
    #expect(names.services == [bytes("_xmpp-client.c.test")])
    #expect(names.commonName == bytes("last.test"))
    #expect(!names.hasOthers)
    #expect(names.description == ["a.test", "b.test", "_xmpp-client.c.test"])
  }

  @Test(
    "Names that cannot be compared, or read, keep the subject from counting",
    arguments: [
      "URI:xmpp:localhost", "otherName:1.3.6.1.5.5.7.8.7;UTF8:_xmpp-client.localhost",
      "otherName:1.3.6.1.5.5.7.8.7;INTEGER:7",
    ])
  func others(names: String) throws {
    #expect(
      try self.names(of: TestIdentity("localhost", names: names))
        == CertificateNames(commonName: bytes("localhost"), hasOthers: true))
  }

  @Test("A list of names that is no list, or there twice, keeps the subject from counting")
  func malformed() throws {
    let (broken, twice) = (
      TestIdentity("localhost", digest: EVP_sha256()), TestIdentity("localhost", names: "DNS:a.test")
    )
    let octets = ASN1_OCTET_STRING_new()
    ASN1_OCTET_STRING_set(octets, [0x30, 0x7f, 1, 2], 4)
    let garbage = X509_EXTENSION_create_by_NID(nil, NID_subject_alt_name, 0, octets)
    for identity in [broken, twice] {
      X509_add_ext(identity.certificate, garbage, -1)
      let names = try self.names(of: identity)
      #expect(names == CertificateNames(commonName: bytes("localhost"), hasOthers: true))
      #expect(!names.name(bytes("localhost")))
    }
    X509_EXTENSION_free(garbage)
    ASN1_OCTET_STRING_free(octets)
  }

  @Test("What is told of a certificate's names fits into a line, whatever they are")
  func description() {
    let many = CertificateNames(domains: (1...400).map { bytes("\($0).test") })
    #expect(many.description == ["1.test", "2.test", "3.test", "4.test", "5.test", "395 more"])
    let wild = CertificateNames(domains: [bytes("a\nb\u{1b}[31mü"), bytes(String(repeating: "x", count: 9000))])
    #expect(wild.description == ["a?b?[31m??", String(repeating: "x", count: 100)])
    #expect(CertificateNames(commonName: bytes("old.test")).description == ["old.test"])
  }

  @Test(
    "A name that no certificate can be for is none",
    arguments: ["", ".localhost", "localhost\0.example.org", "ümlaut", "a b", "*.example.org", "\u{212a}.test"])
  func noPeer(name: String) { #expect(PeerName(name) == nil) }

  @Test("A domain is taken in lower case, a numeric address as it is")
  func peers() {
    #expect(PeerName("Example.ORG") == .domain(bytes("example.org")))
    #expect(PeerName("127.0.0.1") == .address("127.0.0.1"))
    #expect(PeerName("::1") == .address("::1"))
    #expect(PeerName(String(repeating: "a", count: 253)) != nil)
    #expect(PeerName(String(repeating: "a", count: 254)) == nil)
  }

  @Test("A fingerprint is written in one way, whatever way people write it")
  func fingerprints() {
    let plain = String(repeating: "0aF9", count: 16)
    let colons = Array(repeating: "0a:F9", count: 16).joined(separator: ":")
    let normal = String(repeating: "0af9", count: 16)
    #expect(CertificateFingerprint.normalized(plain) == normal)
    #expect(CertificateFingerprint.normalized(colons) == normal)
    for wrong in [
      "", ":", String(plain.dropLast()), plain + "0", String(plain.dropLast()) + "g", colons + ":", ":" + colons,
      String(plain.dropLast(2)) + ":f9", "sha256:" + plain, String(repeating: ":", count: 31), plain + "\0",
      String(colons.dropFirst()) + "0", " " + plain, String(repeating: "٣", count: 64),
    ] {
      #expect(CertificateFingerprint.normalized(wrong) == nil, "\(wrong)")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

extension ServerIdentity {
  /// When a certificate of our own making begins to be valid, in seconds from now: clocks differ.
  private static let validFrom = -24 * 3600
  /// When it ceases to be, in seconds from now: in ten years.
  private static let validUntil = 10 * 365 * 24 * 3600
  /// `id-on-dnsSRV` (RFC 4985).
  private static let srvName = "1.3.6.1.5.5.7.8.7"
  /// The common name has room for no more (RFC 5280, appendix A).
  private static let longestCommonName = 64

  /// Makes a key (EC P-256) and a certificate for `domains` that is signed by that key itself, in memory.
  ///
  /// The certificate names each domain as a DNS-ID and as the SRV-IDs of `_xmpp-client` and `_xmpp-server`
  /// (RFC 6120 §13.7.1.2), is valid from a day ago for ten years, and vouches for nobody else.
  /// - Parameter domains: in ASCII, the first also as the common name where it fits.
  /// - Throws: ``TransportError`` where a domain cannot stand in a certificate, or OpenSSL cannot make one.
  public static func selfMade(for domains: [String]) throws(TransportError) -> ServerIdentity {
    guard let first = domains.first, domains.allSatisfy(isName) else {
      throw TransportError(.trust, "a certificate is for domains in ASCII, and at least one")
    }
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let key = makeKey() else { throw cannotMake }
    defer { EVP_PKEY_free(key) }
    guard let certificate = X509_new() else { throw cannotMake }
    defer { X509_free(certificate) }
    let names = domains.flatMap { domain in
      ["DNS:\(domain)"]
        + ["client", "server"].map { "otherName:\(srvName);IA5STRING:_xmpp-\($0).\(domain)" }
    }
    X509_set_version(certificate, 2)
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), UInt64.random(in: 1...UInt64(Int64.max)))
    X509_gmtime_adj(X509_getm_notBefore(certificate), validFrom)
    X509_gmtime_adj(X509_getm_notAfter(certificate), validUntil)
    let subject = X509_get_subject_name(certificate)
    let commonName = Array((first.utf8.count <= longestCommonName ? first : "xmpp").utf8)
    guard X509_set_pubkey(certificate, key) == 1,
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_FLAG, commonName, Int32(commonName.count), -1, 0) == 1,
      X509_set_issuer_name(certificate, subject) == 1,
      add(NID_basic_constraints, "critical,CA:FALSE", to: certificate),
      add(NID_key_usage, "critical,digitalSignature", to: certificate),
      add(NID_ext_key_usage, "serverAuth", to: certificate),
      add(NID_subject_alt_name, names.joined(separator: ","), to: certificate),
      X509_sign(certificate, key, EVP_sha256()) > 0
    else { throw cannotMake }
    let keyText = text { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    guard let certificateText = text({ PEM_write_bio_X509($0, certificate) }), let keyText else { throw cannotMake }
    return ServerIdentity(certificate: certificateText, key: keyText)
  }

  private static var cannotMake: TransportError { TransportError(.trust, "OpenSSL cannot make a certificate") }

  /// Whether OpenSSL, which takes the names of a certificate as one text, takes this one for what it is.
  private static func isName(_ domain: String) -> Bool {
    (1...253).contains(domain.utf8.count)
      && domain.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }

  private static func makeKey() -> OpaquePointer? {
    let generator = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
    defer { EVP_PKEY_CTX_free(generator) }
    var key: OpaquePointer?
    guard EVP_PKEY_keygen_init(generator) == 1,
      EVP_PKEY_CTX_set_ec_paramgen_curve_nid(generator, NID_X9_62_prime256v1) == 1,
      EVP_PKEY_keygen(generator, &key) == 1
    else { return nil }
    return key
  }

  private static func add(_ kind: Int32, _ value: String, to certificate: OpaquePointer) -> Bool {
    guard let made = X509V3_EXT_conf_nid(nil, nil, kind, value) else { return false }
    defer { X509_EXTENSION_free(made) }
    return X509_add_ext(certificate, made, -1) == 1
  }

  private static func text(_ write: (OpaquePointer) -> Int32) -> String? {
    guard let output = BIO_new(BIO_s_mem()) else { return nil }
    defer { BIO_free(output) }
    guard write(output) == 1 else { return nil }
    var bytes = [UInt8](repeating: 0, count: 16 * 1024)
    let count = BIO_read(output, &bytes, Int32(bytes.count))
    return count > 0 ? String(decoding: bytes.prefix(Int(count)), as: UTF8.self) : nil
  }
}

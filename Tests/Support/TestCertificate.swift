// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Glibc

/// A certificate for tests with its private key, in files.
public final class TestCertificate: @unchecked Sendable {
  /// A file with the certificate and those that vouch for it, in PEM.
  public let chainFile: String
  /// A file with the private key, in PEM.
  public let keyFile: String
  /// A file with the certificate alone, in PEM: as `ca-file` for one that signs others.
  public let file: String

  private let directory: TemporaryDirectory
  private let certificate: OpaquePointer
  private let key: OpaquePointer

  /// Makes one.
  /// - Parameters:
  ///   - name: whom it is for; also a DNS name that it has, unless it may sign.
  ///   - issuer: who signs it; nil for itself.
  ///   - validity: from and to, in seconds from now.
  ///   - maySign: whether it is an authority's.
  ///   - showsIssuer: whether the issuer's certificate is shown with it.
  public init(
    _ name: String, issuer: TestCertificate? = nil, validity: ClosedRange<Int> = -3600...86_400, maySign: Bool = false,
    showsIssuer: Bool = false
  ) throws {
    guard let certificate = X509_new(), let key = TestCertificate.makeKey() else {
      throw WitnessError("no certificate can be made")
    }
    X509_set_version(certificate, 2)
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), Int.random(in: 1...Int(Int32.max)))
    X509_gmtime_adj(X509_getm_notBefore(certificate), validity.lowerBound)
    X509_gmtime_adj(X509_getm_notAfter(certificate), validity.upperBound)
    X509_set_pubkey(certificate, key)
    let subject = X509_get_subject_name(certificate)
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_FLAG, Array(name.utf8), Int32(name.utf8.count), -1, 0)
    X509_set_issuer_name(certificate, issuer.map { X509_get_subject_name($0.certificate) } ?? subject)
    let extensions =
      maySign ? [(NID_basic_constraints, "critical,CA:TRUE")] : [(NID_subject_alt_name, "DNS:\(name)")]
    for (kind, value) in extensions {
      let made = X509V3_EXT_conf_nid(nil, nil, kind, value)
      X509_add_ext(certificate, made, -1)
      X509_EXTENSION_free(made)
    }
    X509_sign(certificate, issuer?.key ?? key, EVP_sha256())
    self.certificate = certificate
    self.key = key
    directory = try TemporaryDirectory()
    file = directory.file("certificate.pem")
    chainFile = directory.file("chain.pem")
    keyFile = directory.file("key.pem")
    let text = TestCertificate.pem { PEM_write_bio_X509($0, certificate) }
    try writeFile(file, text)
    try writeFile(chainFile, text + (showsIssuer ? readFile(issuer?.chainFile ?? "") : ""))
    try writeFile(keyFile, TestCertificate.pem { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) })
  }

  deinit {
    X509_free(certificate)
    EVP_PKEY_free(key)
  }

  /// The SHA-256 of the certificate, in lower-case hexadecimal digits.
  public var fingerprint: String {
    var digest = [UInt8](repeating: 0, count: 32)
    var count: UInt32 = 32
    X509_digest(certificate, EVP_sha256(), &digest, &count)
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func makeKey() -> OpaquePointer? {
    var key: OpaquePointer?
    let generator = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
    defer { EVP_PKEY_CTX_free(generator) }
    EVP_PKEY_keygen_init(generator)
    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(generator, NID_X9_62_prime256v1)
    EVP_PKEY_keygen(generator, &key)
    return key
  }

  private static func pem(_ write: (OpaquePointer?) -> Int32) -> String {
    let output = BIO_new(BIO_s_mem())
    defer { BIO_free(output) }
    _ = write(output)
    var bytes = [UInt8](repeating: 0, count: 16 * 1024)
    let count = BIO_read(output, &bytes, Int32(bytes.count))
    return String(decoding: bytes.prefix(max(0, Int(count))), as: UTF8.self)
  }
}

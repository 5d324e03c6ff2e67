// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Glibc

/// A key with a certificate, made for one test.
final class TestIdentity: @unchecked Sendable {
  let key: OpaquePointer?
  let certificate: OpaquePointer?
  private let issuer: TestIdentity?

  /// - Parameters:
  ///   - name: the common name; a host's certificate is also given `names`, as OpenSSL writes them.
  ///   - issuer: who signs; `nil` for itself.
  ///   - validity: seconds from now.
  ///   - extensions: what else is in the certificate.
  ///   - digest: the hash that the signature uses; `nil` makes the key one of Ed25519, which uses none.
  init(
    _ name: String, names: String? = nil, issuer: TestIdentity? = nil, validity: ClosedRange<Int> = -3600...3600,
    serial: Int = 1, extensions more: [(Int32, String)] = [], digest: OpaquePointer? = EVP_sha256()
  ) {
    var key: OpaquePointer?
    let generator = EVP_PKEY_CTX_new_id(digest == nil ? EVP_PKEY_ED25519 : EVP_PKEY_EC, nil)
    EVP_PKEY_keygen_init(generator)
    if digest != nil { EVP_PKEY_CTX_set_ec_paramgen_curve_nid(generator, NID_X9_62_prime256v1) }
    EVP_PKEY_keygen(generator, &key)
    EVP_PKEY_CTX_free(generator)
    let certificate = X509_new()
    X509_set_version(certificate, 2)
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial)
    X509_gmtime_adj(X509_getm_notBefore(certificate), validity.lowerBound)
    X509_gmtime_adj(X509_getm_notAfter(certificate), validity.upperBound)
    X509_set_pubkey(certificate, key)
    let subject = X509_get_subject_name(certificate)
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_FLAG, Array(name.utf8), Int32(name.utf8.count), -1, 0)
    X509_set_issuer_name(certificate, issuer.map { X509_get_subject_name($0.certificate) } ?? subject)
    let extensions = names.map { [(NID_subject_alt_name, $0)] } ?? [(NID_basic_constraints, "critical,CA:TRUE")]
    for (kind, value) in extensions + more {
      let made = X509V3_EXT_conf_nid(nil, nil, kind, value)
      X509_add_ext(certificate, made, -1)
      X509_EXTENSION_free(made)
    }
    X509_sign(certificate, issuer?.key ?? key, digest)
    self.issuer = issuer
    self.key = key
    self.certificate = certificate
  }

  deinit {
    X509_free(certificate)
    EVP_PKEY_free(key)
  }

  /// A certificate authority.
  static func root(_ name: String = "A Test Root") -> TestIdentity { TestIdentity(name) }

  /// Who vouches for whom, from the issuer up to the one below the root.
  var between: [TestIdentity] {
    guard let issuer, issuer.issuer != nil else { return [] }
    return [issuer] + issuer.between
  }

  /// The SHA-256 hash of the certificate.
  var sha256: String {
    var hash = [UInt8](repeating: 0, count: 32)
    X509_digest(certificate, EVP_sha256(), &hash, nil)
    return hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// The certificate as text.
  var pem: [UInt8] { Self.text { PEM_write_bio_X509($0, certificate) } }

  /// The private key as text.
  var keyPEM: [UInt8] { Self.text { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) } }

  /// The private key as text, protected by a passphrase.
  var protectedKeyPEM: [UInt8] {
    let passphrase = Array("open sesame".utf8)
    return Self.text { output in
      PEM_write_bio_PrivateKey(output, key, EVP_aes_128_cbc(), passphrase, Int32(passphrase.count), nil, nil)
    }
  }

  private static func text(_ write: (OpaquePointer?) -> Int32) -> [UInt8] {
    let output = BIO_new(BIO_s_mem())
    defer { BIO_free(output) }
    _ = write(output)
    var bytes = [UInt8](repeating: 0, count: 16 * 1024)
    let count = BIO_read(output, &bytes, Int32(bytes.count))
    return Array(bytes.prefix(Int(max(count, 0))))
  }
}

/// A file that is gone with this object.
final class TemporaryFile: Sendable {
  let path: String

  init(_ content: [UInt8]) {
    var template = Array("/tmp/nightcloak-test-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    _ = Glibc.write(descriptor, content, content.count)
    close(descriptor)
  }

  deinit { unlink(path) }

  func replace(with content: [UInt8]) {
    let descriptor = open(path, O_WRONLY | O_TRUNC)
    _ = Glibc.write(descriptor, content, content.count)
    close(descriptor)
  }
}

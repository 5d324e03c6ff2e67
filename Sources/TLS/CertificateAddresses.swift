// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// The XMPP addresses that an account's certificate names (`id-on-xmppAddr`, RFC 6120 §13.7.1.4), as they stand there, in
/// order.
///
/// - Parameter pem: the certificate, in PEM, and those that vouch for it. Where they are in another order its private key
///   tells which one it is.
/// - Returns: nothing for a certificate without addresses, and for text without a certificate.
public func xmppAddresses(ofCertificate pem: [UInt8]) -> [String] {
  ERR_clear_error()
  defer { ERR_clear_error() }
  let certificates = certificates(in: pem)
  defer { for certificate in certificates { X509_free(certificate) } }
  let key = privateKey(in: pem)
  defer { EVP_PKEY_free(key) }
  let own = key.flatMap { key in certificates.first { X509_check_private_key($0, key) == 1 } } ?? certificates.first
  guard let own, let names = X509_get_ext_d2i(own, NID_subject_alt_name, nil, nil) else { return [] }
  let list = OpaquePointer(names)
  defer { GENERAL_NAMES_free(list) }
  return (0..<max(OPENSSL_sk_num(list), 0)).compactMap { index in
    guard let name = OPENSSL_sk_value(list, index)?.assumingMemoryBound(to: GENERAL_NAME.self).pointee,
      name.type == GEN_OTHERNAME, let other = name.d.otherName?.pointee, OBJ_obj2nid(other.type_id) == NID_XmppAddr,
      let value = other.value, value.pointee.type == V_ASN1_UTF8STRING, let text = value.pointee.value.utf8string
    else { return nil }
    let bytes = UnsafeBufferPointer(start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text)))
    return String(validating: bytes, as: UTF8.self)
  }
}

private func certificates(in pem: [UInt8]) -> [OpaquePointer] {
  guard let input = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { return [] }
  defer { BIO_free(input) }
  var found: [OpaquePointer] = []
  while let next = PEM_read_bio_X509(input, nil, noPassphrase, nil) { found.append(next) }
  return found
}

private func privateKey(in pem: [UInt8]) -> OpaquePointer? {
  guard let input = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { return nil }
  defer { BIO_free(input) }
  return PEM_read_bio_PrivateKey(input, nil, noPassphrase, nil)
}

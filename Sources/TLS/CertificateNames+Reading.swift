// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

extension CertificateNames {
  /// Reads the names of a certificate.
  init(of certificate: OpaquePointer) {
    readCommonName(X509_get_subject_name(certificate))
    var state: Int32 = 0
    guard let list = X509_get_ext_d2i(certificate, NID_subject_alt_name, &state, nil) else {
      // -1: there are no alternative names. Else there are, and nobody knows which.
      hasOthers = state != -1
      return
    }
    let names = OpaquePointer(list)
    defer { GENERAL_NAMES_free(names) }
    for index in 0..<max(OPENSSL_sk_num(names), 0) {
      guard let item = OPENSSL_sk_value(names, index) else { continue }
      read(item.assumingMemoryBound(to: GENERAL_NAME.self).pointee)
    }
  }

  private mutating func read(_ name: GENERAL_NAME) {
    switch name.type {
    case GEN_DNS: domains.append(bytes(of: name.d.dNSName))
    case GEN_OTHERNAME:
      guard let other = name.d.otherName?.pointee, OBJ_obj2nid(other.type_id) == NID_SRVName else { return }
      guard let value = other.value?.pointee, value.type == V_ASN1_IA5STRING else { return hasOthers = true }
      services.append(bytes(of: value.value.ia5string))
    case GEN_URI: hasOthers = true
    // Addresses are compared by OpenSSL; the rest is no name of a server.
    default: break
    }
  }

  private mutating func readCommonName(_ subject: OpaquePointer?) {
    var last: Int32 = -1
    while case let next = X509_NAME_get_index_by_NID(subject, NID_commonName, last), next >= 0 { last = next }
    guard last >= 0, let value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)) else { return }
    var text: UnsafeMutablePointer<UInt8>?
    let count = ASN1_STRING_to_UTF8(&text, value)
    guard count >= 0, let text else { return }
    commonName = Array(UnsafeBufferPointer(start: text, count: Int(count)))
    CRYPTO_free(text, nil, 0)
  }

  private func bytes(of string: UnsafePointer<ASN1_STRING>?) -> [UInt8] {
    guard let string else { return [] }
    return Array(UnsafeBufferPointer(start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string))))
  }
}

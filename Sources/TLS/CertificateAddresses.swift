// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// The XMPP addresses that a certificate names (`id-on-xmppAddr`, RFC 6120 §13.7.1.4), as they stand there, in order.
func xmppAddresses(of certificate: OpaquePointer) -> [String] {
  guard let names = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
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

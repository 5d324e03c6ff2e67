// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

private func hash(of certificate: OpaquePointer, _ digest: OpaquePointer?) -> [UInt8]? {
  var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
  var count: UInt32 = 0
  guard X509_digest(certificate, digest, &bytes, &count) == 1 else { return nil }
  return Array(bytes.prefix(Int(count)))
}

/// The SHA-256 hash of a whole certificate, in 64 lower-case hexadecimal digits.
func sha256(of certificate: OpaquePointer) -> String? {
  hash(of: certificate, EVP_sha256())?.map { byte in
    String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
  }.joined()
}

/// The hash of a certificate as RFC 5929 §4.1 takes it: by the function that its signature uses, or SHA-256 where that
/// one is too old; `nil` where the signature uses none, as Ed25519.
func endPointHash(of certificate: OpaquePointer) -> [UInt8]? {
  var function: Int32 = NID_undef
  guard X509_get_signature_info(certificate, &function, nil, nil, nil) == 1 else { return nil }
  if [NID_md5, NID_sha1, NID_md5_sha1].contains(function) { return hash(of: certificate, EVP_sha256()) }
  guard let digest = OBJ_nid2sn(function).flatMap({ EVP_get_digestbyname($0) }) else { return nil }
  return hash(of: certificate, digest)
}

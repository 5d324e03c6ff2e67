// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Glibc

/// Remembers why OpenSSL did not accept a certificate: after the handshake has failed it no longer tells which one
/// it was.
final class CertificateVerification {
  private(set) var problem: CertificateProblem?

  /// Checks the certificates of `session`, which must not outlive this object.
  func attach(to session: OpaquePointer) {
    SSL_set_ex_data(session, 0, Unmanaged.passUnretained(self).toOpaque())
    SSL_set_verify(session, SSL_VERIFY_PEER) { accepted, context in
      if accepted == 1 { return 1 }
      let session = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx())
      if let session, let data = SSL_get_ex_data(OpaquePointer(session), 0) {
        Unmanaged<CertificateVerification>.fromOpaque(data).takeUnretainedValue().refused(context)
      }
      return 0
    }
  }

  private func refused(_ context: OpaquePointer?) {
    guard problem == nil else { return }
    let certificate = X509_STORE_CTX_get_current_cert(context) ?? X509_STORE_CTX_get0_cert(context)
    problem = CertificateProblem(
      check: check(of: X509_STORE_CTX_get_error(context)),
      subject: text(of: X509_get_subject_name(certificate)),
      issuer: text(of: X509_get_issuer_name(certificate)),
      notBefore: text(ofTime: X509_get0_notBefore(certificate)),
      notAfter: text(ofTime: X509_get0_notAfter(certificate)))
  }

  private func check(of code: Int32) -> CertificateProblem.Check {
    switch code {
    case X509_V_ERR_CERT_HAS_EXPIRED: .expired
    case X509_V_ERR_CERT_NOT_YET_VALID: .notYetValid
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .hostName
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      .unknownIssuer
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: .selfSigned
    case X509_V_ERR_CERT_REVOKED: .revoked
    default: .other(code: Int(code), String(cString: X509_verify_cert_error_string(Int(code))))
    }
  }

  /// A name as RFC 2253 writes it, which escapes whatever is not printable; cut where it becomes absurd.
  private func text(of name: OpaquePointer?) -> String {
    guard let name, let output = BIO_new(BIO_s_mem()) else { return "" }
    defer { BIO_free(output) }
    X509_NAME_print_ex(output, name, 0, openssl_rfc2253_flags)
    var text = [UInt8](repeating: 0, count: 256)
    let count = BIO_read(output, &text, Int32(text.count))
    return String(decoding: text.prefix(Int(max(count, 0))), as: UTF8.self)
  }

  private func text(ofTime time: UnsafePointer<ASN1_TIME>?) -> String {
    var parts = tm()
    guard ASN1_TIME_to_tm(time, &parts) == 1 else { return "an unreadable date" }
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) UTC"
  }
}

extension CertificateProblem: CustomStringConvertible {
  /// What is wrong with it and what to do, for people.
  public var description: String {
    let whose = "the certificate of \(subject), issued by \(issuer) and valid from \(notBefore) to \(notAfter),"
    return switch check {
    case .expired: "\(whose) has expired: the server's operator must renew it (or this machine's clock is wrong)"
    case .notYetValid: "\(whose) is not valid yet: check this machine's clock"
    case .hostName: "\(whose) does not name this server: check the account's domain, or tell the server's operator"
    case .unknownIssuer:
      "\(whose) is signed by nobody this machine trusts: if it is a private authority, name its certificate in ca-file"
    case .selfSigned:
      "\(whose) is signed by itself or by a root this machine does not trust: if it is yours, name it in ca-file"
    case .revoked: "\(whose) was revoked: do not connect, and tell the server's operator"
    case .other(let code, let text): "\(whose) was not accepted: \(text) (OpenSSL verification error \(code))"
    }
  }
}

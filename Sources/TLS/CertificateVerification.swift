// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Glibc

/// Decides whether the certificate of one connection is accepted, and remembers why it was not: after the handshake has
/// failed OpenSSL no longer tells which one it was.
final class CertificateVerification {
  private(set) var problem: CertificateProblem?
  private(set) var isAccepted = false
  private let peer: PeerName
  private let fingerprint: String?

  /// - Parameter fingerprint: the SHA-256 hash of the one certificate that is accepted, instead of all other checks.
  init(_ peer: PeerName, fingerprint: String?) {
    self.peer = peer
    self.fingerprint = fingerprint
  }

  /// Has the connections of `context` ask the object that is attached to them.
  static func prepare(_ context: OpaquePointer) {
    SSL_CTX_set_cert_verify_callback(
      context,
      { state, _ in
        let session = X509_STORE_CTX_get_ex_data(state, SSL_get_ex_data_X509_STORE_CTX_idx())
        guard let session, let data = SSL_get_ex_data(OpaquePointer(session), 0) else { return 0 }
        return Unmanaged<CertificateVerification>.fromOpaque(data).takeUnretainedValue().verify(state) ? 1 : 0
      }, nil)
  }

  /// Checks the certificates of `session`, which must not outlive this object.
  func attach(to session: OpaquePointer) {
    SSL_set_ex_data(session, 0, Unmanaged.passUnretained(self).toOpaque())
    SSL_set_verify(session, SSL_VERIFY_PEER, nil)
  }

  private func verify(_ state: OpaquePointer?) -> Bool {
    guard let certificate = X509_STORE_CTX_get0_cert(state), let hash = sha256(of: certificate) else { return false }
    if let check = failure(state, certificate, hash) {
      let culprit = check.isOfChain ? X509_STORE_CTX_get_current_cert(state) ?? certificate : certificate
      problem = CertificateProblem(check, culprit, of: certificate, hash, peer)
      return false
    }
    X509_STORE_CTX_set_error(state, X509_V_OK)
    isAccepted = true
    return true
  }

  /// The first check that fails. Tells OpenSSL too, which tells the server.
  private func failure(
    _ state: OpaquePointer?, _ certificate: OpaquePointer, _ hash: String
  ) -> CertificateProblem.Check? {
    if let fingerprint {
      if hash == fingerprint { return nil }
      X509_STORE_CTX_set_error(state, X509_V_ERR_CERT_REJECTED)
      return .fingerprint
    }
    guard X509_verify_cert(state) == 1 else { return CertificateProblem.Check(of: X509_STORE_CTX_get_error(state)) }
    if isFor(peer, certificate, state) { return nil }
    X509_STORE_CTX_set_error(state, X509_V_ERR_HOSTNAME_MISMATCH)
    return .hostName
  }

  private func isFor(_ peer: PeerName, _ certificate: OpaquePointer, _ state: OpaquePointer?) -> Bool {
    switch peer {
    case .address(let address): X509_check_ip_asc(certificate, address, 0) == 1
    case .domain(let domain):
      CertificateNames(of: certificate).name(domain, onlyByDomain: hasConstraints(X509_STORE_CTX_get0_chain(state)))
    }
  }

  /// Whether somebody in the chain may vouch for some names only. OpenSSL sees to that for DNS-IDs, knows nothing of
  /// services, and passes over wildcards in the subject: whoever may vouch for one domain could else vouch for all.
  private func hasConstraints(_ chain: OpaquePointer?) -> Bool {
    (0..<max(OPENSSL_sk_num(chain), 0)).contains { index in
      guard let item = OPENSSL_sk_value(chain, index) else { return true }
      return X509_get_ext_by_NID(OpaquePointer(item), NID_name_constraints, -1) >= 0
    }
  }
}

extension CertificateProblem.Check {
  /// What a code of OpenSSL's stands for.
  fileprivate init(of code: Int32) {
    let text = String(cString: X509_verify_cert_error_string(Int(code)))
    self =
      switch code {
      case X509_V_ERR_CERT_HAS_EXPIRED: .expired
      case X509_V_ERR_CERT_NOT_YET_VALID: .notYetValid
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
        X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        .unknownIssuer
      case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: .selfSigned
      case X509_V_ERR_CERT_REVOKED: .revoked
      case X509_V_ERR_INVALID_CA, X509_V_ERR_INVALID_NON_CA, X509_V_ERR_PATH_LENGTH_EXCEEDED,
        X509_V_ERR_KEYUSAGE_NO_CERTSIGN, X509_V_ERR_CERT_SIGNATURE_FAILURE, X509_V_ERR_CERT_CHAIN_TOO_LONG,
        X509_V_ERR_PERMITTED_VIOLATION, X509_V_ERR_EXCLUDED_VIOLATION:
        .chain(text)
      default: .other(code: Int(code), text)
      }
  }

  /// Whether the certificate at fault may be another than the server's own.
  fileprivate var isOfChain: Bool {
    switch self {
    case .hostName, .fingerprint: false
    default: true
    }
  }
}

extension CertificateProblem {
  /// - Parameters:
  ///   - culprit: the certificate that failed.
  ///   - certificate: the server's own.
  fileprivate init(
    _ check: Check, _ culprit: OpaquePointer, of certificate: OpaquePointer, _ hash: String, _ peer: PeerName
  ) {
    self.check = check
    isServers = X509_cmp(culprit, certificate) == 0
    subject = text(of: X509_get_subject_name(culprit))
    issuer = text(of: X509_get_issuer_name(culprit))
    notBefore = text(ofTime: X509_get0_notBefore(culprit))
    notAfter = text(ofTime: X509_get0_notAfter(culprit))
    server = peer.description
    names = CertificateNames(of: certificate).description
    sha256 = hash
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

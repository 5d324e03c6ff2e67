// SPDX-License-Identifier: Apache-2.0

internal import TLS

extension ClientConfiguration {
  /// Which certificates count, of the server's and of ours.
  var trust: TrustSettings {
    TrustSettings(caFile: caFile, fingerprint: fingerprint, clientCertificate: clientCertificate)
  }

  /// The name that the server's certificate must have: that of the account's domain, wherever we connect to
  /// (RFC 6120 §13.7.2.1). Whoever can change the parameter or DNS could else lead us to their own server.
  var certificateName: String {
    let domain = account.domain
    if domain.utf8.first == UInt8(ascii: "[") { return String(domain.dropFirst().dropLast()) }
    return InternationalName.ascii(domain) ?? domain
  }
}

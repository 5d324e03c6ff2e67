// SPDX-License-Identifier: Apache-2.0

internal import TLS

extension ClientConfiguration {
  /// Which certificates count, of the server's and of ours.
  var trust: TrustSettings {
    get throws(TransportError) {
      var trust = TrustSettings(caFile: caFile, fingerprint: fingerprint)
      if let clientCertificate { trust.clientCertificate = try ClientCertificate(pem: clientCertificate) }
      return trust
    }
  }
}

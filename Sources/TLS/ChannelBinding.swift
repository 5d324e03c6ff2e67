// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// What ties an authentication to the TLS connection below it (RFC 5056). The raw values are the registered names.
public enum ChannelBinding: String, Hashable, Sendable, CaseIterable {
  /// Keying material exported from the connection (RFC 9266).
  case exporter = "tls-exporter"
  /// The first Finished message of a TLS 1.2 handshake (RFC 5929 §3).
  case unique = "tls-unique"
  /// The hash of the server's certificate (RFC 5929 §4).
  case serverEndPoint = "tls-server-end-point"
}

extension Transport {
  /// The data of a binding on this connection; `nil` where it has none: before TLS is made, and where this version
  /// of TLS or this certificate gives none that is safe.
  public func channelBinding(_ kind: ChannelBinding) -> [UInt8]? {
    guard case .secure(let session) = state else { return nil }
    return session.channelBinding(kind)
  }
}

extension TLSSession {
  /// What RFC 9266 §2 exports.
  private static let exporterLabel = "EXPORTER-Channel-Binding"
  private static let exporterBytes = 32

  func channelBinding(_ kind: ChannelBinding) -> [UInt8]? {
    switch kind {
    case .exporter: hasOwnKeys ? exported : nil
    case .unique: SSL_version(pointer) == TLS1_2_VERSION && hasOwnKeys ? firstFinished : nil
    case .serverEndPoint: withServerCertificate(endPointHash(of:))
    }
  }

  /// Whether nobody who sits between can have made another connection with the same keys: before TLS 1.3 only the
  /// extended master secret sees to that (RFC 7627 §1, RFC 9266 §4).
  private var hasOwnKeys: Bool {
    SSL_version(pointer) >= TLS1_3_VERSION || SSL_ctrl(pointer, SSL_CTRL_GET_EXTMS_SUPPORT, 0, nil) == 1
  }

  private var exported: [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: Self.exporterBytes)
    let label = Self.exporterLabel
    // A context of no bytes, which before TLS 1.3 is not the same as no context.
    let result = SSL_export_keying_material(pointer, &bytes, bytes.count, label, label.utf8.count, [], 0, 1)
    return result == 1 ? bytes : nil
  }

  /// The client's: sessions are never resumed here, where the server's would come first, nor negotiated anew.
  private var firstFinished: [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    let count =
      isServer
      ? SSL_get_peer_finished(pointer, &bytes, bytes.count) : SSL_get_finished(pointer, &bytes, bytes.count)
    return count > 0 && count <= bytes.count ? Array(bytes.prefix(count)) : nil
  }
}

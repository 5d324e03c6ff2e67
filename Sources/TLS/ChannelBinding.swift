// SPDX-License-Identifier: Apache-2.0

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
  /// The data of a binding on this connection; `nil` where it has none.
  public func channelBinding(_ kind: ChannelBinding) -> [UInt8]? { nil }
}

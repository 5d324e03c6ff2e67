// SPDX-License-Identifier: Apache-2.0

/// Whose signature on a server's certificate counts.
public struct TrustSettings: Hashable, Sendable {
  /// A file of PEM certificates that are trusted instead of the system's; `nil` for the system's.
  public var caFile: String?

  /// Trust in the certificates of `caFile`, or in those of the system.
  public init(caFile: String? = nil) { self.caFile = caFile }
}

/// What a secured connection is made of.
public struct TLSInfo: Hashable, Sendable {
  /// The protocol, as `TLSv1.3`.
  public let version: String
  /// The cipher suite, as `TLS_AES_256_GCM_SHA384`.
  public let cipher: String
  /// The SHA-256 hash of the server's certificate, in hexadecimal digits.
  public let certificateSHA256: String
}

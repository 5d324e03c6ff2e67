// SPDX-License-Identifier: Apache-2.0

/// Which certificate of a server counts, and which we show ourselves.
public struct TrustSettings: Hashable, Sendable {
  /// A file of PEM certificates that are trusted instead of the system's; `nil` for the system's.
  public var caFile: String?
  /// The SHA-256 hash of the one certificate that is accepted, as ``CertificateFingerprint/normalized(_:)`` gives it. It
  /// takes the place of every other check: signatures, name and time do not matter then.
  public var fingerprint: String?
  /// What we show a server that asks who we are.
  public var clientCertificate: ClientCertificate?

  /// Trust in the certificates of `caFile`, or in those of the system; or in the one of `fingerprint`.
  public init(caFile: String? = nil, fingerprint: String? = nil, clientCertificate: ClientCertificate? = nil) {
    self.caFile = caFile
    self.fingerprint = fingerprint
    self.clientCertificate = clientCertificate
  }
}

/// The SHA-256 hash of a certificate, as people write it.
public enum CertificateFingerprint {
  /// The one way to write it: 64 lower-case hexadecimal digits.
  ///
  /// - Parameter text: hexadecimal digits of either case, with a colon between all bytes or with none.
  /// - Returns: `nil` for anything else.
  public static func normalized(_ text: String) -> String? {
    let bytes = asciiLowercase(text.utf8)
    let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 1 || parts.count == 32 && parts.allSatisfy({ $0.count == 2 }) else { return nil }
    let digits = parts.joined()
    let areDigits = digits.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || 0x61...0x66 ~= $0 }
    guard areDigits, digits.count == 64 else { return nil }
    return String(decoding: Array(digits), as: UTF8.self)
  }
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

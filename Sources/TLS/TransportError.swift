// SPDX-License-Identifier: Apache-2.0

/// Why a connection could not be made, secured or kept.
public struct TransportError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of failure, for code that decides what to do.
  public enum Code: Hashable, Sendable {
    /// The network or the peer: refused, unreachable, reset, cut off.
    case network
    /// Nothing happened for too long.
    case timedOut
    /// The certificate was not accepted; ``TransportError/certificate`` tells why.
    case certificate
    /// TLS failed for another reason than the certificate.
    case handshake
    /// The file of trusted certificates cannot be used.
    case trust
    /// The peer reads more slowly than we have things to say.
    case slowReader
    /// We closed the connection meanwhile.
    case cancelled
  }

  /// The kind of failure.
  public let code: Code
  /// What was wrong and what to do, for people.
  public let description: String
  /// What was wrong with the certificate.
  public let certificate: CertificateProblem?

  init(_ code: Code, _ description: String, certificate: CertificateProblem? = nil) {
    self.code = code
    self.description = description
    self.certificate = certificate
  }
}

/// A certificate that was not accepted, and the check that it failed.
public struct CertificateProblem: Hashable, Sendable {
  /// The checks.
  public enum Check: Hashable, Sendable {
    /// Its time is over.
    case expired
    /// Its time has not come; or our clock is wrong.
    case notYetValid
    /// It belongs to another name.
    case hostName
    /// It is signed by nobody that we trust.
    case unknownIssuer
    /// It, or the root that signed it, is signed by itself, and we do not trust that one.
    case selfSigned
    /// It was revoked.
    case revoked
    /// Another check of OpenSSL's, by its number and text.
    case other(code: Int, String)
  }

  /// The check that failed.
  public let check: Check
  /// Whom the certificate is for (RFC 2253).
  public let subject: String
  /// Who signed it (RFC 2253).
  public let issuer: String
  /// Since when it is valid, in UTC.
  public let notBefore: String
  /// Until when it is valid, in UTC.
  public let notAfter: String
}

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
    /// The file of trusted certificates cannot be used, or our own certificate, or the server does not take that.
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

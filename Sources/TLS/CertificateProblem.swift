// SPDX-License-Identifier: Apache-2.0

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
    /// It is in a chain of certificates of which one must not, or does not, vouch for the next; OpenSSL's text.
    case chain(String)
    /// It is not the one that was named by its hash.
    case fingerprint
    /// Another check of OpenSSL's, by its number and text.
    case other(code: Int, String)
  }

  /// The check that failed.
  public let check: Check
  /// Whether it failed on the server's own certificate, and not on one of those that vouch for it.
  public let isServers: Bool
  /// Whom the certificate that failed is for (RFC 2253).
  public let subject: String
  /// Who signed it (RFC 2253).
  public let issuer: String
  /// Since when it is valid, in UTC.
  public let notBefore: String
  /// Until when it is valid, in UTC.
  public let notAfter: String
  /// The name that was expected.
  public let server: String
  /// The first of the names that the server's own certificate is for.
  public let names: [String]
  /// The SHA-256 hash of the server's own certificate, in 64 lower-case hexadecimal digits.
  public let sha256: String
}

extension CertificateProblem: CustomStringConvertible {
  /// What is wrong with it and what to do, for people.
  public var description: String {
    let role = isServers ? "" : " that vouches for the server's"
    let whose =
      "the certificate\(role) of \(subject), issued by \(issuer) and valid from \(notBefore) to \(notAfter),"
    return switch check {
    case .expired: "\(whose) has expired: the server's operator must renew it (or this machine's clock is wrong)\(pin)"
    case .notYetValid: "\(whose) is not valid yet: check this machine's clock\(pin)"
    case .hostName:
      "\(whose) is not for \(server) but for \(names.isEmpty ? "no server" : names.joined(separator: ", ")): check "
        + "the account's domain, or tell the server's operator\(pin)"
    case .unknownIssuer:
      "\(whose) is signed by nobody this machine trusts, or the server leaves out a certificate between: if it is a "
        + "private authority, name its certificate in ca-file\(pin)"
    case .selfSigned:
      "\(whose) is signed by itself or by a root this machine does not trust: if it is yours, name it in ca-file\(pin)"
    // No word of a pin: its key is in the wrong hands.
    case .revoked: "\(whose) was revoked: do not connect, and tell the server's operator"
    case .chain(let text): "\(whose) is in a chain that is not sound (\(text)): tell the server's operator\(pin)"
    case .fingerprint:
      "\(whose) is not the one that fingerprint names: somebody may be listening in; or the server has a new one: ask "
        + "its operator, and if its SHA-256 is \(sha256), set fingerprint to that"
    case .other(let code, let text): "\(whose) was not accepted: \(text) (OpenSSL verification error \(code))\(pin)"
    }
  }

  private var pin: String {
    "; to accept the server's certificate in spite of that, and no other, ask its operator whether its SHA-256 is "
      + "\(sha256), and set fingerprint to that"
  }
}

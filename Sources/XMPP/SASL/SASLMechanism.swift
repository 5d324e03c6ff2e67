// SPDX-License-Identifier: Apache-2.0

internal import Crypto

/// The ways to prove who we are that we know. The raw values are the registered names, as in ``Security/mechanism``.
///
/// They compare by strength, the weakest first. What is remembered of an account is the strongest that has worked: a
/// server that has only weaker ones may be somebody else, who wants to have the password or to sit in between.
public enum SASLMechanism: String, Hashable, Sendable, CaseIterable, Comparable {
  /// The password itself (RFC 4616).
  case plain = "PLAIN"
  /// A proof that we know the password, by SHA-1 (RFC 5802).
  case scramSHA1 = "SCRAM-SHA-1"
  /// A proof that we know the password, by SHA-256 (RFC 7677).
  case scramSHA256 = "SCRAM-SHA-256"
  /// A proof that we know the password, by SHA-512.
  case scramSHA512 = "SCRAM-SHA-512"
  /// As ``scramSHA1``, for this TLS connection only: nobody can be in between (RFC 5802 §6).
  case scramSHA1Plus = "SCRAM-SHA-1-PLUS"
  /// As ``scramSHA256``, for this TLS connection only.
  case scramSHA256Plus = "SCRAM-SHA-256-PLUS"
  /// As ``scramSHA512``, for this TLS connection only.
  case scramSHA512Plus = "SCRAM-SHA-512-PLUS"
  /// The certificate that we have shown in TLS; no password (RFC 4422, appendix A).
  case external = "EXTERNAL"

  /// Whether `left` proves less, or gives more away, than `right`.
  public static func < (left: SASLMechanism, right: SASLMechanism) -> Bool { left.strength < right.strength }

  private var strength: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// What an account is to remember after a log-in by this mechanism: the strongest that has worked. A certificate that
  /// is not used any more says nothing about a password: what is used instead counts from then on.
  /// - Parameter earlier: what was remembered before; nil at the first log-in.
  public func remembered(after earlier: SASLMechanism?) -> SASLMechanism {
    guard let earlier, earlier != .external else { return self }
    return max(earlier, self)
  }

  /// Whether the proof is for one TLS connection only.
  public var bindsChannel: Bool { rawValue.hasSuffix("-PLUS") }

  /// The hash function of SCRAM; nil for the other mechanisms.
  var digest: Digest? {
    switch self {
    case .scramSHA512, .scramSHA512Plus: .sha512
    case .scramSHA256, .scramSHA256Plus: .sha256
    case .scramSHA1, .scramSHA1Plus: .sha1
    case .plain, .external: nil
    }
  }
}

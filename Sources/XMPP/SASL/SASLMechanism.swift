// SPDX-License-Identifier: Apache-2.0

internal import Crypto

/// The ways to prove who we are that we know, the strongest first.
enum SASLMechanism: String, CaseIterable {
  case scramSHA512 = "SCRAM-SHA-512"
  case scramSHA256 = "SCRAM-SHA-256"
  case scramSHA1 = "SCRAM-SHA-1"
  case plain = "PLAIN"

  /// The hash function of SCRAM; nil for the mechanism that sends the password itself.
  var digest: Digest? {
    switch self {
    case .scramSHA512: .sha512
    case .scramSHA256: .sha256
    case .scramSHA1: .sha1
    case .plain: nil
    }
  }

  /// The strongest of those that are offered. The password itself never goes out in the clear, not even on
  /// loopback: whoever took the server's port would have it.
  static func strongest(of offered: [String], isSecured: Bool) -> SASLMechanism? {
    allCases.first { offered.contains($0.rawValue) && (isSecured || $0 != .plain) }
  }
}

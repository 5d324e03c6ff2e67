// SPDX-License-Identifier: Apache-2.0

/// What a hash of entity capabilities stands for (XEP-0115), as it is kept for all accounts together: it says nothing of
/// who announced it, nor of whose contact that was.
public struct StoredCapabilities: Hashable, Sendable {
  /// How many are kept. Then the one that was not used for longest goes.
  public static let most = 1_000
  /// How long an answer may be, in bytes of UTF-8. No client that people have comes near it.
  public static let mostBytes = 64 << 10

  /// The hash function by its name in the registry, as `sha-1`.
  public var algorithm: String
  /// The hash, in Base64.
  public var hash: String
  /// The `<query/>` of disco#info whose hash it is, as XML.
  public var info: String

  /// Describes what is kept.
  public init(algorithm: String, hash: String, info: String) {
    self.algorithm = algorithm
    self.hash = hash
    self.info = info
  }
}

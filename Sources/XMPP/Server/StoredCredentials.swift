// SPDX-License-Identifier: Apache-2.0

internal import Crypto

/// What a server keeps of a password: for each hash function the keys that SCRAM needs (RFC 5802 §3), from which the
/// password cannot be read.
public struct StoredCredentials: Sendable {
  /// How often the password is hashed unless told otherwise; clients accept no less (RFC 7677 §4).
  public static let usualIterations = 4096

  /// The keys for one hash function.
  struct Keys: Hashable {
    let salt: [UInt8]
    let iterations: Int
    let storedKey: [UInt8]
    let serverKey: [UInt8]
  }

  let keys: [Digest: Keys]

  init(keys: [Digest: Keys]) { self.keys = keys }

  /// Makes the keys of a password; nil where it has no prepared form (RFC 4013) or is empty.
  ///
  /// Takes about 2 ms for each hash function: where many accounts share a password, let them share these too.
  /// - Parameters:
  ///   - iterations: how often the password is hashed.
  ///   - mechanisms: by which it is to be possible to log in. ``SASLMechanism/plain`` takes any of the others.
  public init?(
    password: String, iterations: Int = usualIterations,
    mechanisms: Set<SASLMechanism> = [.scramSHA1, .scramSHA256, .scramSHA512]
  ) {
    guard let secret = Stringprep.saslprep.prepare(password), !secret.isEmpty else { return nil }
    var keys: [Digest: Keys] = [:]
    for digest in Set(mechanisms.compactMap(\.digest)) {
      let salt = secureRandom(16)
      let salted = pbkdf2(password: Array(secret.utf8), salt: salt, iterations: iterations, digest: digest)
      keys[digest] = Keys(saltedPassword: salted, salt: salt, iterations: iterations, digest: digest)
    }
    self.keys = keys
  }

  /// What stands in for an account that there is not: nobody can log in with it, and it takes as long to find that out
  /// as for one that there is. The same name always gets the same salt.
  /// - Parameter secret: what nobody else knows.
  static func decoy(for name: String, secret: [UInt8]) -> StoredCredentials {
    var keys: [Digest: Keys] = [:]
    for digest in [Digest.sha1, .sha256, .sha512] {
      let seed = HMAC.code(for: "\(digest) \(name)".utf8, key: secret, digest: .sha512)
      keys[digest] = Keys(
        saltedPassword: HMAC.code(for: seed, key: secret, digest: digest), salt: Array(seed.prefix(16)),
        iterations: usualIterations, digest: digest)
    }
    return StoredCredentials(keys: keys)
  }
}

extension StoredCredentials.Keys {
  /// What is kept of a salted password.
  init(saltedPassword: [UInt8], salt: [UInt8], iterations: Int, digest: Digest) {
    self.salt = salt
    self.iterations = iterations
    storedKey = digest(HMAC.code(for: "Client Key".utf8, key: saltedPassword, digest: digest))
    serverKey = HMAC.code(for: "Server Key".utf8, key: saltedPassword, digest: digest)
  }
}

extension StoredCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Not what they are: they must not get into a log.
  public var description: String { "stored credentials" }
  /// As ``description``.
  public var debugDescription: String { description }
  /// Nothing: a dump would show the keys.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}

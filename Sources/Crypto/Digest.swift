// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// A hash function: `Digest.sha256(bytes)`.
public struct Digest: Sendable, Hashable, CustomStringConvertible {
  private enum Algorithm: Sendable, Hashable { case sha1, sha256, sha512 }
  private let algorithm: Algorithm

  /// SHA-1: 20 bytes. For what a specification demands (XEP-0115, SCRAM-SHA-1), never for anything new.
  public static let sha1 = Digest(algorithm: .sha1)
  /// SHA-256: 32 bytes.
  public static let sha256 = Digest(algorithm: .sha256)
  /// SHA-512: 64 bytes.
  public static let sha512 = Digest(algorithm: .sha512)

  /// How many bytes the hash has.
  public var byteCount: Int {
    switch algorithm {
    case .sha1: 20
    case .sha256: 32
    case .sha512: 64
    }
  }

  /// The name as the IANA registry of SASL mechanisms and hash functions writes it.
  public var description: String {
    switch algorithm {
    case .sha1: "SHA-1"
    case .sha256: "SHA-256"
    case .sha512: "SHA-512"
    }
  }

  /// The hash of `bytes`.
  public func callAsFunction(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    let bytes = Array(bytes)
    return output { buffer in EVP_Digest(bytes, bytes.count, buffer, nil, method, nil) == 1 }
  }

  /// The function as OpenSSL knows it.
  var method: OpaquePointer? {
    switch algorithm {
    case .sha1: EVP_sha1()
    case .sha256: EVP_sha256()
    case .sha512: EVP_sha512()
    }
  }

  /// Lets `fill` write one hash. A failure here has nothing to do with the input: OpenSSL has no memory, or was
  /// installed without the algorithm. There is nothing safe to go on with.
  func output(_ fill: (UnsafeMutablePointer<UInt8>?) -> Bool) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      buffer.initialize(repeating: 0)
      precondition(fill(buffer.baseAddress), "OpenSSL cannot compute \(self)")
      count = byteCount
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// `count` bytes that nobody can guess.
///
/// Ends the process when the system has no randomness to give: a guessable nonce, id or resource name would break
/// what this program promises.
public func secureRandom(_ count: Int) -> [UInt8] {
  [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
    buffer.initialize(repeating: 0)
    precondition(RAND_bytes(buffer.baseAddress, Int32(count)) == 1, "the system's random generator failed")
    initialized = count
  }
}

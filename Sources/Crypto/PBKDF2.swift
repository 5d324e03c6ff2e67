// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Derives a key of the digest's length from a password (RFC 8018 §5.2; the `Hi` of RFC 5802 §2.2).
///
/// Takes some 50 ms for 100,000 `iterations`: call it off the loop. `iterations` below one count as one; the
/// caller bounds them from above, for they come from the peer.
public func pbkdf2(password: [UInt8], salt: [UInt8], iterations: Int, digest: Digest) -> [UInt8] {
  let rounds = Int32(clamping: max(iterations, 1))
  return digest.output { buffer in
    password.withUnsafeBytes { password in
      PKCS5_PBKDF2_HMAC(
        password.bindMemory(to: CChar.self).baseAddress, Int32(password.count), salt, Int32(salt.count), rounds,
        digest.method, Int32(digest.byteCount), buffer) == 1
    }
  }
}

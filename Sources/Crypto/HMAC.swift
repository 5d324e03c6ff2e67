// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Keyed hashes (RFC 2104).
public enum HMAC {
  /// The code that authenticates `message` under `key`.
  public static func code(for message: some Sequence<UInt8>, key: [UInt8], digest: Digest) -> [UInt8] {
    let message = Array(message)
    return digest.output { buffer in
      COpenSSL.HMAC(digest.method, key, Int32(key.count), message, message.count, buffer, nil) != nil
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Whether two secrets are equal, in a time that depends on their length only.
public func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}

// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Writes all of a text, and waits for as long as that takes.
/// - Returns: whether the other side has taken it.
func sendAll(_ text: String, to socket: Int32) -> Bool {
  let bytes = Array(text.utf8)
  var sent = 0
  while sent < bytes.count {
    let count = bytes.withUnsafeBytes {
      send(socket, $0.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
    }
    guard count > 0 else { return false }
    sent += count
  }
  return true
}

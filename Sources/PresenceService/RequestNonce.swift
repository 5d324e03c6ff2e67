// SPDX-License-Identifier: Apache-2.0

/// What the ids of an account's requests start with: eight letters and digits, drawn anew for each run, so that an id
/// from before a restart is never taken for a new one.
enum RequestNonce {
  static func make() -> String {
    var random = SystemRandomNumberGenerator()
    let letters = Array("abcdefghjkmnpqrstuvwxyz23456789")
    return String((0..<8).compactMap { _ in letters.randomElement(using: &random) })
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Audience

/// How much strangers can have handed over to handlers: what is more is dropped, so that they cannot fill the bus.
struct StrangersRate {
  /// Messages in a second.
  static let most = 64
  /// Bytes in a second.
  static let mostBytes = 1 << 20
  private static let interval: Int64 = 1_000_000_000

  private var began = Instant(nanoseconds: 0)
  private var count = 0
  private var bytes = 0

  /// Counts a message.
  /// - Returns: whether it may pass.
  mutating func admits(_ size: Int, at now: Instant) -> Bool {
    if now.nanoseconds - began.nanoseconds >= Self.interval { (began, count, bytes) = (now, 0, 0) }
    guard count < Self.most, bytes + size <= Self.mostBytes else { return false }
    count += 1
    bytes += size
    return true
  }
}

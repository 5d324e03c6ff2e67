// SPDX-License-Identifier: Apache-2.0

/// How much is told of what strangers do: some at once, and then some with each second.
package struct AnnouncementBucket: Sendable {
  private static let interval = 1_000_000_000 / Int64(Limits.toldPerSecond)
  /// When the bucket will be full again.
  private var fullAt: Instant?

  package init() {}

  /// Whether one more may be told.
  package func hasOne(_ now: Instant) -> Bool {
    guard let fullAt, fullAt > now else { return true }
    return fullAt.nanoseconds - now.nanoseconds <= Int64(Limits.toldAtOnce - 1) * Self.interval
  }

  /// Takes one.
  package mutating func take(_ now: Instant) {
    let from = max(fullAt ?? now, now)
    let (sum, overflow) = from.nanoseconds.addingReportingOverflow(Self.interval)
    fullAt = overflow ? .never : Instant(nanoseconds: sum)
  }
}

// SPDX-License-Identifier: Apache-2.0

package import Audience

/// Says in the log how many requests to decloak were not even listed, and says it seldom: whoever asks without end must
/// not fill the log instead.
package struct RequestCounts {
  /// Seconds between two lines.
  package static let interval: UInt32 = 60

  private var told: (dropped: UInt64, silenced: UInt64) = (0, 0)
  private var next: Instant?

  /// Nothing was said yet.
  package init() {}

  /// What is to be said now; `nil` where nothing is new, or something was said a short while ago.
  package mutating func line(dropped: UInt64, silenced: UInt64, now: Instant) -> String? {
    guard (dropped, silenced) != told, next.map({ $0 <= now }) ?? true else { return nil }
    defer {
      told = (dropped, silenced)
      next = now.later(bySeconds: Self.interval)
    }
    return
      "requests to decloak that were not listed: \(dropped) over a limit (\(dropped &- told.dropped) of them new), "
      + "\(silenced) after a no (\(silenced &- told.silenced) new)"
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience

/// Says in the log what was not told one by one, and says it seldom: whoever asks without end must not fill the log instead.
struct GatewayCounts {
  private var told: Gateway.Counts?
  private var next: Instant?

  /// What is to be said now; `nil` where nothing is new, or something was said a short while ago.
  mutating func line(_ counts: Gateway.Counts, now: Instant) -> String? {
    guard !counts.isZero, counts != told, next.map({ $0 <= now }) ?? true else { return nil }
    defer {
      told = counts
      next = now.later(bySeconds: RequestCounts.interval)
    }
    func text(_ count: KeyPath<Gateway.Counts, UInt64>) -> String {
      "\(counts[keyPath: count]) (\(counts[keyPath: count] &- (told?[keyPath: count] ?? 0)) new)"
    }
    let parts = [
      "\(text(\.dropped)) over a limit", "\(text(\.silenced)) after a no", "\(text(\.hidden)) to hidden addresses",
      "\(text(\.untold)) answered without a word",
    ]
    return "requests to decloak that were not listed: \(parts.joined(separator: ", ")); "
      + "sessions that gave way to others: \(text(\.displaced))"
  }
}

extension Gateway.Counts {
  fileprivate var isZero: Bool { dropped + silenced + untold + hidden + displaced == 0 }
}

// SPDX-License-Identifier: Apache-2.0

/// A point on the caller's clock. The core has none of its own: whoever tells it of an event says when it happened.
public struct Instant: Hashable, Comparable, Sendable {
  /// Nanoseconds since an epoch of the caller's.
  public let nanoseconds: Int64

  /// Takes a point on the caller's clock.
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The end of time.
  public static let never = Instant(nanoseconds: .max)

  /// The earlier of two points.
  public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

  /// The point `seconds` later; stays at the end of time instead of wrapping.
  public func later(bySeconds seconds: UInt32) -> Instant {
    let (sum, overflow) = nanoseconds.addingReportingOverflow(Int64(seconds) * 1_000_000_000)
    return overflow ? .never : Instant(nanoseconds: sum)
  }
}

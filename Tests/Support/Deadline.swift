// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A moment after which a test no longer waits.
public struct Deadline: Sendable {
  private let instant: ContinuousClock.Instant

  /// `duration` from now.
  public init(_ duration: Duration) { instant = ContinuousClock.now + duration }

  /// The milliseconds left, 0 when it has passed: what poll(2) takes.
  public var milliseconds: Int32 {
    let left = ContinuousClock.now.duration(to: instant)
    guard left > .zero else { return 0 }
    return Int32(clamping: left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1)
  }

  /// Whether it has passed.
  public var hasPassed: Bool { milliseconds == 0 }
}

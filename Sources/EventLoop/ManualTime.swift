// SPDX-License-Identifier: Apache-2.0

/// A clock that stands still until a test moves it.
@LoopActor
public final class ManualTime: TimeSource {
  /// The present.
  public private(set) var now = MonotonicTime(nanoseconds: 1_000_000_000)
  private var timers = TimerQueue()

  /// A clock that shows one second after the start of the machine.
  public nonisolated init() {}

  /// One second after 2026-01-01 00:00 UTC, plus what has passed.
  public var microsecondsSinceEpoch: UInt64 { 1_767_225_600_000_000 + UInt64(now.nanoseconds / 1000) }

  /// How many timers wait.
  public var pendingTimers: Int { timers.count }

  /// Sets a timer.
  public func schedule(after delay: Duration, _ action: @escaping @LoopActor () -> Void) -> TimerToken {
    timers.add(at: now + delay, action)
  }

  /// Forgets a timer.
  public func cancel(_ token: TimerToken) { timers.cancel(token) }

  /// Moves the clock by `duration`, stopping at each timer on the way.
  public func advance(by duration: Duration) {
    let end = now + duration
    while let deadline = timers.nextDeadline, deadline <= end {
      now = max(now, deadline)
      timers.popDue(at: now)?()
    }
    now = end
  }
}

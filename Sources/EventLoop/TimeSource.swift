// SPDX-License-Identifier: Apache-2.0

/// A clock with timers. The real one is ``EventLoop/time``; tests pass a ``ManualTime`` and move it themselves.
@LoopActor
public protocol TimeSource: AnyObject {
  /// The present.
  var now: MonotonicTime { get }
  /// The present as microseconds since 1970-01-01 UTC, for what people are shown.
  var microsecondsSinceEpoch: UInt64 { get }
  /// Calls `action` once, `delay` from now, unless the timer is cancelled first.
  func schedule(after delay: Duration, _ action: @escaping @LoopActor () -> Void) -> TimerToken
  /// Forgets a timer; nothing happens when it has fired already.
  func cancel(_ token: TimerToken)
}

extension TimeSource {
  /// Suspends the task for `delay` of this clock.
  public func wait(for delay: Duration) async {
    await withCheckedContinuation { continuation in
      _ = schedule(after: delay) { continuation.resume() }
    }
  }
}

/// Names a timer of a ``TimeSource``.
public struct TimerToken: Hashable, Sendable {
  let serial: UInt64
}

// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// The real clock: a queue of timers behind one timerfd.
///
/// A timerfd, because epoll's own time-out stands still while the machine is suspended. It is armed only when
/// the earliest deadline changes.
@LoopActor
final class LoopClock: TimeSource {
  let descriptor = timerfd_create(CLOCK_BOOTTIME, linux_timerfd_flags)
  private var timers = TimerQueue()
  private var armedFor: MonotonicTime?

  nonisolated init() {}

  var now: MonotonicTime { .now }

  var microsecondsSinceEpoch: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
  }

  func schedule(after delay: Duration, _ action: @escaping @LoopActor () -> Void) -> TimerToken {
    defer { arm() }
    return timers.add(at: now + delay, action)
  }

  func cancel(_ token: TimerToken) {
    timers.cancel(token)
    arm()
  }

  /// Runs the timers that are due.
  func fire() {
    var expirations: UInt64 = 0
    _ = read(descriptor, &expirations, MemoryLayout<UInt64>.size)
    armedFor = nil
    // The limit in time is fixed first: a timer that sets itself again for at once waits for the next turn.
    let limit = now
    while let action = timers.popDue(at: limit) { action() }
    arm()
  }

  private func arm() {
    let deadline = timers.nextDeadline
    guard deadline != armedFor else { return }
    armedFor = deadline
    var setting = itimerspec()
    if let deadline {
      // A zero would disarm it.
      let nanoseconds = max(deadline.nanoseconds, 1)
      setting.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
      setting.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
    }
    timerfd_settime(descriptor, linux_timerfd_absolute, &setting, nil)
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import CLinux
public import EventLoop
internal import Glibc

/// Tells when the machine has been suspended, or its clock was set: what was connected before may not be any more.
///
/// A timer for a day that never comes, which the kernel cancels when the time of day jumps (timerfd_create(2),
/// TFD_TIMER_CANCEL_ON_SET), as it also does after a suspend. It costs no wake-up otherwise.
@LoopActor
public final class ClockChanges {
  /// What happened.
  public enum Change: Hashable, Sendable {
    /// The machine was suspended for so long.
    case woke(after: Duration)
    /// Somebody set the clock.
    case clockSet

    /// A suspend is told from a set clock by the time that it took: no machine sleeps and wakes in less.
    static let shortestSleep = Duration.milliseconds(100)

    init(asleep: Duration) { self = asleep >= Self.shortestSleep ? .woke(after: asleep) : .clockSet }
  }

  private let descriptor: Int32
  private let onChange: @LoopActor (Change) -> Void
  private var asleep = ClockChanges.timeAsleep

  /// Begins to watch the clock.
  /// - Parameter onChange: told of each jump.
  /// - Returns: nil where the kernel has no descriptor for us; then nothing is told.
  public convenience init?(onChange: @escaping @LoopActor (Change) -> Void) {
    let descriptor = timerfd_create(CLOCK_REALTIME, linux_timerfd_flags)
    guard descriptor >= 0 else { return nil }
    guard Self.arm(descriptor) else {
      close(descriptor)
      return nil
    }
    self.init(descriptor: descriptor, onChange: onChange)
  }

  /// Watches a descriptor that is its own from here on.
  init(descriptor: Int32, onChange: @escaping @LoopActor (Change) -> Void) {
    self.descriptor = descriptor
    self.onChange = onChange
    EventLoop.shared.watch(descriptor, for: .read) { [weak self] _ in self?.jumped() }
  }

  isolated deinit {
    EventLoop.shared.unwatch(descriptor)
    close(descriptor)
  }

  private static func arm(_ descriptor: Int32) -> Bool {
    var setting = itimerspec()
    setting.it_value.tv_sec = .max
    return timerfd_settime(descriptor, linux_timerfd_absolute | linux_timerfd_cancel_on_set, &setting, nil) == 0
  }

  private func jumped() {
    var count: UInt64 = 0
    // Fails with ECANCELED, and forgets by that that it was cancelled.
    _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    _ = Self.arm(descriptor)
    let before = asleep
    asleep = Self.timeAsleep
    onChange(Change(asleep: asleep - before))
  }

  /// How long the machine has been suspended since it was started.
  private static var timeAsleep: Duration {
    func now(_ clock: clockid_t) -> Duration {
      var time = timespec()
      clock_gettime(clock, &time)
      return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
    return now(CLOCK_BOOTTIME) - now(CLOCK_MONOTONIC)
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import CDBus
internal import EventLoop

/// libdbus's timeouts as timers of the loop. They repeat until they are removed or disabled.
@LoopActor
final class BusTimeouts {
  private var timers: [OpaquePointer: TimerToken] = [:]
  private let time: any TimeSource
  /// Called after a timeout was handled.
  private let afterwards: @LoopActor () -> Void

  init(_ time: any TimeSource, _ afterwards: @escaping @LoopActor () -> Void) {
    self.time = time
    self.afterwards = afterwards
  }

  /// How many are armed.
  var count: Int { timers.count }

  func add(_ timeout: OpaquePointer) {
    guard dbus_timeout_get_enabled(timeout) != 0 else { return }
    let interval = Duration.milliseconds(Int64(max(1, dbus_timeout_get_interval(timeout))))
    nonisolated(unsafe) let timeout = timeout
    timers[timeout] = time.schedule(after: interval) { [weak self] in
      guard let self else { return }
      timers[timeout] = nil
      // Armed first: handling it may remove it, and then it is not to be touched any more.
      add(timeout)
      dbus_timeout_handle(timeout)
      afterwards()
    }
  }

  func remove(_ timeout: OpaquePointer) {
    guard let timer = timers.removeValue(forKey: timeout) else { return }
    time.cancel(timer)
  }

  func toggled(_ timeout: OpaquePointer) {
    remove(timeout)
    add(timeout)
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// Unix signals as events of the loop.
public enum Signals {
  /// Keeps `signals` (numbers, as `SIGTERM`) from being delivered to any thread, and makes a write to a closed
  /// socket an error instead of the end. Call it first thing in `main`, before there is a second thread.
  public static func block(_ signals: [Int32]) {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
    signal(SIGPIPE, SIG_IGN)
  }

  /// Calls `handler` on the loop for each of `signals` that arrives. They must have been blocked.
  @LoopActor
  public static func handle(_ signals: [Int32], _ handler: @escaping @LoopActor (Int32) -> Void) {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    let descriptor = signalfd(-1, &set, linux_signalfd_flags)
    EventLoop.shared.watch(descriptor, for: .read) { _ in
      var info = signalfd_siginfo()
      while read(descriptor, &info, MemoryLayout<signalfd_siginfo>.size) > 0 { handler(Int32(info.ssi_signo)) }
    }
  }
}

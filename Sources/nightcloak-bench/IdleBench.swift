// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// How often a daemon wakes that has nothing to do: a processor that is let sleep is a battery that lasts.
enum IdleBench {
  /// A tenth of the minute that DESIGN.md speaks of: short of any keepalive, so that none of them counts.
  static let seconds = 6

  @LoopActor
  static func run(in workshop: Workshop) async throws -> [Figure] {
    Progress.tell(.idle, "connecting an account")
    let daemon = try await Daemon(in: workshop)
    _ = try await daemon.connect("account0")
    // A second after the last stanza the server is asked what it has had; that is the end of connecting.
    await EventLoop.shared.time.wait(for: .milliseconds(2500))
    Progress.tell(.idle, "watching for \(seconds) seconds")
    let before = daemon.figures.wakeUps
    // It has slept while it was logging in: without a trace of that, nothing would be measured.
    guard before > 0 else { throw BenchFailure("the kernel does not count the daemon's wake-ups (/proc/PID/task)") }
    await EventLoop.shared.time.wait(for: .seconds(seconds))
    let count = daemon.figures.wakeUps - before
    await daemon.end(in: workshop)
    return [
      Figure("idle", "connected and idle for \(seconds) s, all threads", "wake-ups", count, goal: .valueAtMost(0))
    ]
  }
}

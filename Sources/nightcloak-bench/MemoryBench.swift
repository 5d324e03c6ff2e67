// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// What the daemon occupies: before the first account, with one over TLS, and for each of those that follow.
enum MemoryBench {
  private static let furtherAccounts = 20

  @LoopActor
  static func run(in workshop: Workshop) async throws -> [Figure] {
    Progress.tell(.memory, "idle")
    let daemon = try await Daemon(in: workshop)
    let idle = try await settled(daemon)
    Progress.tell(.memory, "first account")
    _ = try await daemon.connect("account0")
    let first = try await settled(daemon)
    for number in 1...furtherAccounts {
      Progress.tell(.memory, "account \(number) of \(furtherAccounts) more")
      _ = try await daemon.connect("account\(number)")
    }
    let all = try await settled(daemon)
    await daemon.end(in: workshop)
    return [
      Figure("memory", "memory (PSS), idle", "MB", idle / 1024, goal: .valueAtMost(9)),
      Figure("memory", "  with a first account over TLS", "MB", first / 1024, goal: .valueAtMost(12)),
      Figure(
        "memory", "  for each of \(furtherAccounts) further accounts", "KiB",
        (all - first) / Double(furtherAccounts), goal: .valueAtMost(80)),
    ]
  }

  /// The proportional set size in KiB, once what the log-in needed is over.
  @LoopActor
  private static func settled(_ daemon: Daemon) async throws -> Double {
    await EventLoop.shared.time.wait(for: .milliseconds(500))
    let size = daemon.figures.proportionalKiB
    guard size > 0 else { throw BenchFailure("the kernel does not tell the daemon's PSS (/proc/PID/smaps_rollup)") }
    return size
  }
}

// SPDX-License-Identifier: Apache-2.0

public import EventLoop

/// Tells those of a test who wait that something has changed.
@LoopActor
public final class Changes {
  /// Whoever waits for longer waits for what never comes, and would keep all tests waiting. Nothing here takes as long, on
  /// a busy machine either.
  public nonisolated static let limit = Duration.seconds(120)

  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// Nobody waits yet.
  public nonisolated init() {}

  /// Something has changed.
  public func tell() {
    let woken = waiting
    waiting = []
    for continuation in woken { continuation.resume() }
  }

  /// Waits until `condition` holds; it is looked at with each change.
  /// - Returns: whether it does. It may not, after ``limit``.
  public func wait(until condition: () -> Bool) async -> Bool {
    let time = EventLoop.shared.time
    var isLate = false
    let timer = time.schedule(after: Self.limit) {
      isLate = true
      self.tell()
    }
    defer { time.cancel(timer) }
    while !condition() {
      guard !isLate else { return false }
      // A test's own task is not one of the loop's: others may run before the continuation is made.
      await withCheckedContinuation { continuation in
        if condition() || isLate { continuation.resume() } else { waiting.append(continuation) }
      }
    }
    return true
  }
}

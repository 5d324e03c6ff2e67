// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// Calls that wait for the same thing to happen, each with a time limit.
@LoopActor
final class Waiters<Value: Sendable> {
  private var continuations: [UInt64: (CheckedContinuation<Value?, Never>, TimerToken)] = [:]
  private var serial: UInt64 = 0
  private let time: any TimeSource

  init(time: any TimeSource) { self.time = time }

  /// Waits until ``resume(_:)``; `nil` when `limit` is over first.
  func wait(atMost limit: Duration) async -> Value? {
    await withCheckedContinuation { continuation in
      serial += 1
      let mine = serial
      let timer = time.schedule(after: limit) { [self] in
        continuations.removeValue(forKey: mine)?.0.resume(returning: nil)
      }
      continuations[mine] = (continuation, timer)
    }
  }

  /// Wakes all that wait.
  func resume(_ value: Value?) {
    let woken = continuations.values
    continuations.removeAll()
    for (continuation, timer) in woken {
      time.cancel(timer)
      continuation.resume(returning: value)
    }
  }

  var isEmpty: Bool { continuations.isEmpty }
}

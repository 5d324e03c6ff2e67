// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// Lets one task at a time through, in the order in which they came: a change of visibility takes several round
/// trips, and two of them must not mix.
@LoopActor
final class SerialGate {
  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func enter() async {
    if !isTaken {
      isTaken = true
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  func leave() {
    if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
  }
}

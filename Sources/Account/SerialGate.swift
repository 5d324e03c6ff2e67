// SPDX-License-Identifier: Apache-2.0

package import EventLoop

/// Lets one task at a time through, in the order in which they came: a change of visibility takes several round
/// trips, and two of them must not mix.
@LoopActor
package final class SerialGate {
  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// Open.
  package init() {}

  package func enter() async {
    if !isTaken {
      isTaken = true
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  package func leave() {
    if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
  }
}

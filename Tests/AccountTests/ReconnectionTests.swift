// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing

@testable import Account

@Suite("When to try again")
struct ReconnectionTests {
  private func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

  @Test("The wait doubles from one second to five minutes, and stays there")
  func doubling() {
    var reconnection = Reconnection()
    let waits = (0..<12).map { _ in reconnection.lost(at: at(0), chance: 0).components.seconds }
    #expect(waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
  }

  @Test("Up to half of a wait is left to chance, and whatever chance says is taken")
  func chance() {
    for (chance, milliseconds) in [(0.0, 1000), (1.0, 500), (0.5, 750), (-3.0, 1000), (7.0, 500)] {
      var reconnection = Reconnection()
      #expect(reconnection.lost(at: at(0), chance: chance) == .milliseconds(milliseconds))
    }
  }

  @Test("A minute of being connected makes the wait short again, less does not")
  func stability() {
    for (seconds, wait) in [(59, 4), (60, 1)] as [(Int64, Int64)] {
      var reconnection = Reconnection()
      _ = reconnection.lost(at: at(0), chance: 0)
      _ = reconnection.lost(at: at(0), chance: 0)
      reconnection.connected(at: at(100))
      #expect(reconnection.lost(at: at(100 + seconds), chance: 0) == .seconds(wait))
    }
  }

  @Test("A sign that it may go well now makes the wait short again")
  func encouraged() {
    var reconnection = Reconnection()
    for _ in 0..<5 { _ = reconnection.lost(at: at(0), chance: 0) }
    reconnection.encouraged()
    #expect(reconnection.lost(at: at(0), chance: 0) == .seconds(1))
  }
}

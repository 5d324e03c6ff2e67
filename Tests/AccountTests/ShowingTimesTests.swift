// SPDX-License-Identifier: Apache-2.0

import Audience
import Testing

@testable import Account

@Suite("Since when contacts see us")
struct ShowingTimesTests {
  private let romeo = BareAddress("romeo@localhost")
  private let paris = BareAddress("paris@localhost")

  private func second(_ number: Int64) -> Instant { Instant(nanoseconds: number * 1_000_000_000) }

  @Test("Each since it was shown to last; the others since everybody was")
  func times() {
    var times = ShowingTimes()
    var visibility = Visibility.invisible
    func change(_ now: Int64, _ body: (inout Visibility) -> Void) {
      let old = visibility
      body(&visibility)
      times.change(from: old, to: visibility, at: second(now))
    }
    change(1) { $0.showAll() }
    change(2) { $0.hide(romeo) }
    change(3) { $0.show(romeo) }
    #expect(times.since(romeo) == second(3) && times.since(paris) == second(1))
    change(4) { $0.hideFromAll() }
    change(5) { $0.show(romeo) }
    change(6) { $0.show(paris) }
    #expect(times.since(romeo) == second(5) && times.since(paris) == second(6))
    change(7) { $0.hide(romeo) }
    change(8) { $0.show(romeo) }
    #expect(times.since(romeo) == second(8) && times.since(paris) == second(6))
    change(9) { $0.showAll() }
    #expect(times.since(romeo) == second(9) && times.since(paris) == second(9))
  }
}

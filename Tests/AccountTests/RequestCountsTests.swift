// SPDX-License-Identifier: Apache-2.0

import Audience
import Testing

@testable import Account

@Suite("Counts of requests")
struct RequestCountsTests {
  @Test("They are said when they have grown, at most once a minute, and what was said is not said again")
  func seldom() {
    var counts = RequestCounts()
    func line(_ dropped: UInt64, _ silenced: UInt64, at second: Int64) -> String? {
      counts.line(dropped: dropped, silenced: silenced, now: Instant(nanoseconds: second * 1_000_000_000))
    }
    #expect(line(0, 0, at: 0) == nil)
    #expect(line(1, 0, at: 1)?.contains("1 over a limit (1 of them new), 0 after a no (0 new)") == true)
    for second in Int64(2)...60 { #expect(line(UInt64(second), 5, at: second) == nil) }
    #expect(line(90, 7, at: 61)?.contains("90 over a limit (89 of them new), 7 after a no (7 new)") == true)
    #expect(line(90, 7, at: 500) == nil)
    #expect(line(90, 8, at: 501) != nil)
  }
}

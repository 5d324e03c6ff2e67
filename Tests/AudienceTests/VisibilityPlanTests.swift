// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Becoming visible and invisible")
struct VisibilityPlanTests {
  @Test("Hiding ends the sessions, withdraws the broadcast, and takes a new resource that nobody can know")
  func hiding() {
    #expect(VisibilityPlan.change(from: .visible, to: .invisible) == [.endSessions, .withdraw, .newStream])
  }

  @Test("Showing broadcasts, on the stream that is there")
  func showing() {
    #expect(VisibilityPlan.change(from: .invisible, to: .visible) == [.broadcast])
  }

  @Test("Repeating the present state sends nothing", arguments: [Mode.visible, .invisible])
  func repeating(_ mode: Mode) {
    #expect(VisibilityPlan.change(from: mode, to: mode).isEmpty)
  }

  @Test("A stream that starts invisible sends nothing at all; one that starts visible broadcasts")
  func starting() {
    #expect(VisibilityPlan.start(in: .invisible).isEmpty)
    #expect(VisibilityPlan.start(in: .visible) == [.broadcast])
  }

  @Test("What was never broadcast is never withdrawn: that would go to every contact with the full JID")
  func closing() {
    #expect(VisibilityPlan.close(in: .invisible) == [.endSessions])
    #expect(VisibilityPlan.close(in: .visible) == [.endSessions, .withdraw])
  }
}

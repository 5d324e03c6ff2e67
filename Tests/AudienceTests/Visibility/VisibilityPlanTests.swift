// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Becoming visible and invisible")
struct VisibilityPlanTests {
  private let directed = VisibilityPlan(.directed, subscribers: [])

  @Test("Hiding ends the sessions and takes a new resource that nobody can know")
  func hiding() {
    #expect(directed.change(from: .visible, to: .invisible) == [.end(.all), .newStream])
  }

  @Test("Showing broadcasts, on the stream that is there")
  func showing() {
    #expect(directed.change(from: .invisible, to: .visible) == [.audience(.visible), .broadcast, .fence])
  }

  @Test("Repeating the present state sends nothing", arguments: [Visibility.visible, .invisible])
  func repeating(_ visibility: Visibility) {
    #expect(directed.change(from: visibility, to: visibility).isEmpty)
  }

  @Test("A stream that starts invisible sends nothing at all; one that starts visible broadcasts")
  func starting() {
    #expect(directed.start(in: .invisible).isEmpty)
    #expect(directed.start(in: .visible) == [.audience(.visible), .broadcast, .fence])
  }

  @Test("What was never broadcast is never withdrawn: that would go to every contact with the full JID")
  func closing() {
    #expect(directed.close(in: .invisible, hasPrivacyLists: false) == [.end(.all), .audience(.invisible)])
    #expect(directed.close(in: .visible, hasPrivacyLists: false) == [.end(.all), .withdraw])
  }

  @Test(
    "Whoever was shown to alone and is hidden from alone next loses the session, too", arguments: Mechanism.allCases)
  func turnedRound(_ mechanism: Mechanism) {
    let romeo = BareAddress("romeo@montague.example")
    let steps = VisibilityPlan(mechanism, subscribers: [romeo]).change(
      from: Visibility(showsOthers: false, exceptions: [romeo]), to: Visibility(showsOthers: true, exceptions: [romeo]))
    #expect(steps.first == .end(.contacts([romeo])) || steps.first == .end(.all))
  }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Groups in what a person wants")
struct WishedGroupsTests {
  private let nurse = BareAddress("nurse@capulet.example")
  private let house: Set<String> = ["House"]

  @Test("Whoever hides from a group hides from those, too, that were shown by name before, and the other way round")
  func lastWordHolds() {
    var visible = VisibilityWish.visible
    visible.hide(group: "House", members: [nurse: house])
    visible.show(nurse)
    #expect(!visible.isException(nurse, in: house))
    visible.hide(group: "House", members: [nurse: house])
    #expect(visible.isException(nurse, in: house))

    var hidden = VisibilityWish.invisible
    hidden.show(nurse)
    hidden.hide(group: "House", members: [nurse: house])
    #expect(hidden == .invisible)
  }

  @Test("A member of two groups is shown with the one although the other stays hidden from")
  func twoGroups() {
    var wish = VisibilityWish.visible
    let both: Set<String> = ["House", "Kitchen"]
    for group in both { wish.hide(group: group, members: [nurse: both]) }
    wish.show(group: "House", members: [nurse: both])
    #expect(!wish.isException(nurse, in: both))
    #expect(wish.isException(BareAddress("cook@capulet.example"), in: ["Kitchen"]))
    wish.show(group: "Kitchen", members: [nurse: both])
    #expect(wish == .visible)
  }
}

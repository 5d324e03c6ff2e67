// SPDX-License-Identifier: Apache-2.0

import Audience
import Testing

@Suite("Whether one wish shows us to more than another")
struct WishComparisonTests {
  private let people = (0..<3).map { BareAddress("c\($0)@x") }
  private let groups = ["A", "B"]

  /// All wishes about three contacts and two groups.
  private var wishes: [VisibilityWish] {
    [true, false].flatMap { showsOthers in
      (0..<8).flatMap { contacts in
        (0..<4).flatMap { groups in
          (0..<8).filter { groups != 0 || $0 == 0 }.map { withheld in
            func chosen(_ bits: Int) -> ContactSet {
              ContactSet(people.indices.filter { bits & 1 << $0 != 0 }.map { people[$0] })
            }
            return VisibilityWish(
              showsOthers: showsOthers, contacts: chosen(contacts),
              groups: Set(self.groups.indices.filter { groups & 1 << $0 != 0 }.map { self.groups[$0] }),
              withheld: chosen(withheld))
          }
        }
      }
    }
  }

  private func shows(_ wish: VisibilityWish, _ contact: BareAddress, _ memberships: [String]) -> Bool {
    wish.showsOthers != wish.isException(contact, in: memberships)
  }

  @Test("One that does not shows us to nobody else, whatever the groups of the roster are")
  func nobodyMore() {
    let all = wishes
    let rosters = [[], ["A"], ["B"], ["A", "B"]]
    var less = 0
    for (index, old) in all.enumerated() {
      // Each with a share of the others, since all pairs take long.
      for new in all[(index % 7)...].enumerated().filter({ $0.offset % 7 == 0 }).map(\.element)
      where !new.showsMore(than: old) {
        less += 1
        for contact in people {
          for memberships in rosters where shows(new, contact, memberships) && !shows(old, contact, memberships) {
            Issue.record("\(new) shows \(contact) in \(memberships), which \(old) does not")
          }
        }
      }
    }
    #expect(less > 1_000)
  }

  @Test("Being invisible, hiding from one more and showing one less show nobody more; the reverse does")
  func usual() {
    let one = people[0]
    for wish in wishes {
      #expect(!VisibilityWish.invisible.showsMore(than: wish))
      #expect(!wish.showsMore(than: wish))
      guard wish.groups.isEmpty else { continue }
      #expect(!wish.showsMore(than: .visible))
      var hidden = wish
      hidden.hide(one)
      #expect(!hidden.showsMore(than: wish))
      if hidden != wish { #expect(wish.showsMore(than: hidden)) }
    }
    #expect(VisibilityWish.visible.showsMore(than: .invisible))
    var weaker = VisibilityWish.invisible
    weaker.acceptsLess = true
    #expect(weaker.showsMore(than: .visible))
  }
}

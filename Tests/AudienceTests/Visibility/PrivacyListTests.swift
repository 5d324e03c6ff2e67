// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("The rules of a privacy list")
struct PrivacyListRuleTests {
  private let nurse = BareAddress("nurse@capulet.example")
  private let house = PrivacyContact(groups: ["House"], subscription: .both)

  private func list(
    _ visibility: Visibility, admitting admitted: Set<Address> = [], before kept: [PrivacyRule] = []
  ) -> PrivacyList {
    PrivacyList(keepingTo: visibility, admitting: admitted, before: kept) { $0 == nurse ? house : PrivacyContact() }
  }

  @Test("The first rule that speaks of a stanza decides; where none does it passes")
  func order() {
    let rules = [
      PrivacyRule(.jid(jid("romeo@montague.example/r")), [.presenceOut], allows: true),
      PrivacyRule(.jid(.bare(romeo)), [.presenceOut, .message], allows: false),
    ]
    let list = PrivacyList(rules)
    #expect(list.passes(.presenceOut, jid("romeo@montague.example/r"), PrivacyContact()))
    #expect(!list.passes(.presenceOut, jid("romeo@montague.example/s"), PrivacyContact()))
    #expect(!list.passes(.message, jid("romeo@montague.example/r"), PrivacyContact()))
    #expect(list.passes(.iq, .bare(romeo), PrivacyContact()))
    #expect(!PrivacyList(rules.reversed()).passes(.presenceOut, jid("romeo@montague.example/r"), PrivacyContact()))
  }

  @Test("Rules speak of domains, groups, subscriptions and everybody; one about no kind is about all")
  func subjects() {
    func stops(_ subject: PrivacyRule.Subject, _ address: String, _ contact: PrivacyContact = PrivacyContact()) -> Bool
    {
      !PrivacyList([PrivacyRule(subject, allows: false)]).passes(.presenceOut, jid(address), contact)
    }
    #expect(stops(.jid(jid("montague.example")), "romeo@montague.example/r"))
    #expect(!stops(.jid(jid("montague.example")), "romeo@montague.example.net"))
    #expect(stops(.group("House"), "nurse@capulet.example", house))
    #expect(!stops(.group("House"), "tybalt@capulet.example"))
    #expect(stops(.subscription(.both), "nurse@capulet.example", house))
    #expect(stops(.subscription(.none), "romeo@montague.example"))
    #expect(stops(.everybody, "romeo@montague.example"))
    #expect(
      PrivacyRule(.everybody, allows: false) == PrivacyRule(.everybody, Set(PrivacyRule.Kind.allCases), allows: false))
  }

  @Test("Each contact is seen, or not, as the visibility says; incoming stanzas are nobody's business")
  func visibility() {
    for (visibility, shown) in [
      (Visibility.invisible, []), (Visibility(showsOthers: false, exceptions: [nurse]), [nurse]),
      (Visibility(showsOthers: true, exceptions: [nurse]), [romeo, tybalt]), (.visible, [nurse, romeo, tybalt]),
    ] {
      let list = list(visibility)
      for contact in [nurse, romeo, tybalt] {
        #expect(list.passes(.presenceOut, .bare(contact), house) == shown.contains(contact))
        for kind in [PrivacyRule.Kind.message, .iq, .presenceIn] { #expect(list.passes(kind, .bare(contact), house)) }
      }
    }
  }

  @Test("What was blocked stays blocked for those who are shown, whatever the rule speaks of; an approved session wins")
  func kept() {
    let only = Visibility(showsOthers: false, exceptions: [nurse, romeo])
    for subject in [
      PrivacyRule.Subject.jid(.bare(nurse)), .group("House"), .subscription(.both), .jid(jid("capulet.example")),
    ] {
      let kept = [PrivacyRule(subject, allows: false)]
      #expect(!list(only, before: kept).passes(.presenceOut, .bare(nurse), house))
      #expect(list(only, before: kept).passes(.presenceOut, .bare(romeo), PrivacyContact()))
      #expect(!list(only, before: kept).passes(.message, .bare(nurse), house))
      let session = jid("nurse@capulet.example/r")
      let open = list(only, admitting: [session], before: kept)
      #expect(open.passes(.presenceOut, session, house))
      #expect(!open.passes(.presenceOut, .bare(nurse), house))
      #expect(!open.passes(.message, session, house))
      #expect(Array(open.rules.suffix(1)) == kept)
    }
  }

  @Test("A list always has a rule: one without would be removed")
  func neverEmpty() {
    #expect(list(.visible).rules.count == 1)
    #expect(list(.visible).passes(.presenceOut, .bare(nurse), house))
  }
}

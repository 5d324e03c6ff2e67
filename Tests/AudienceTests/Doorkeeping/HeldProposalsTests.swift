// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Proposals that are held")
struct HeldProposalsTests {
  private func proposal(_ from: String, _ id: String, bytes: Int = 100) -> HeldProposals<String>.Proposal {
    .init(from: jid(from), id: id, content: "\(from) \(id)", bytes: bytes)
  }

  @Test("They come out in the order in which they came, those of one contact and no other's")
  func order() {
    var held = HeldProposals<String>()
    for id in ["b", "a"] { #expect(held.hold(proposal("romeo@montague.example/x", id))) }
    #expect(held.hold(proposal("tybalt@capulet.example/y", "c")))
    #expect(held.take(romeo).map(\.id) == ["b", "a"])
    #expect(held.take(romeo).isEmpty)
    #expect(held.count == 1)
  }

  @Test("A contact has four at most, and so many bytes; a repeat takes no new place")
  func limits() {
    var held = HeldProposals<String>()
    for id in 1...Limits.proposalsPerContact { #expect(held.hold(proposal("romeo@montague.example/x", "\(id)"))) }
    #expect(!held.hold(proposal("romeo@montague.example/y", "more")))
    #expect(held.hold(proposal("romeo@montague.example/x", "1")))
    #expect(held.count == Limits.proposalsPerContact)
    let most = Limits.proposalBytesPerContact
    #expect(!held.hold(proposal("tybalt@capulet.example/y", "large", bytes: most + 1)))
    #expect(held.hold(proposal("tybalt@capulet.example/y", "fits", bytes: most)))
    #expect(!held.hold(proposal("tybalt@capulet.example/y", "one byte", bytes: 1)))
  }

  @Test("Only the address that proposed takes it back")
  func retraction() {
    var held = HeldProposals<String>()
    for id in ["a", "b"] { #expect(held.hold(proposal("romeo@montague.example/x", id))) }
    #expect(held.retract("a", from: jid("romeo@montague.example/y")) == (false, false))
    #expect(held.retract("a", from: jid("romeo@montague.example/x")) == (true, true))
    #expect(held.retract("a", from: jid("romeo@montague.example/x")) == (false, true))
    #expect(held.retract("b", from: jid("romeo@montague.example/x")) == (true, false))
    #expect(held.count == 0)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Proposals that are held")
struct HeldProposalsTests {
  private let orchard = jid("romeo@montague.example/orchard")
  private let street = jid("tybalt@capulet.example/street")

  /// What came of holding these, one after the other.
  private func hold(
    _ proposals: [(from: Address, id: String, bytes: Int)], in held: inout HeldProposals<String>
  ) -> [Bool] {
    proposals.map { held.hold(.init(from: $0.from, id: $0.id, content: $0.id, bytes: $0.bytes)) }
  }

  @Test("They come out in the order in which they came, those of one contact and no other's")
  func order() {
    var held = HeldProposals<String>()
    let kept = hold([(orchard, "b", 1), (orchard, "a", 1), (street, "c", 1)], in: &held)
    #expect(kept == [true, true, true])
    let taken = [held.take(romeo), held.take(romeo)]
    #expect(taken.map { $0.map(\.id) } == [["b", "a"], []])
    #expect(held.count == 1)
  }

  @Test("A contact has four at most, and so many bytes; a repeat takes no new place")
  func limits() {
    var held = HeldProposals<String>()
    let ids = (1...Limits.proposalsPerContact).map { (orchard, "\($0)", 1) }
    let kept = hold(ids + [(jid("romeo@montague.example/hall"), "more", 1), (orchard, "1", 1)], in: &held)
    #expect(kept == ids.map { _ in true } + [false, true])
    #expect(held.count == Limits.proposalsPerContact)
    let most = Limits.proposalBytesPerContact
    let large = hold([(street, "large", most + 1), (street, "fits", most), (street, "one byte", 1)], in: &held)
    #expect(large == [false, true, false])
  }

  @Test("Only the address that proposed takes it back")
  func retraction() {
    var held = HeldProposals<String>()
    _ = hold([(orchard, "a", 1), (orchard, "b", 1)], in: &held)
    let hall = jid("romeo@montague.example/hall")
    let retractions = [("a", hall), ("a", orchard), ("a", orchard), ("b", orchard)].map {
      held.retract($0.0, from: $0.1)
    }
    #expect(retractions.map(\.wasHeld) == [false, true, false, true])
    #expect(retractions.map(\.hasOthers) == [false, true, true, false])
    #expect(held.count == 0)
  }
}

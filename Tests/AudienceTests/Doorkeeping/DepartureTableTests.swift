// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

/// One line of the outgoing half of "Who gets what", written out from the contract and not from the code.
private struct Row {
  let departure: Departure
  let destination: Destination
  let visible: DepartureVerdict
  let invisible: DepartureVerdict
  init(
    _ departure: Departure, _ destination: Destination, visible: DepartureVerdict, invisible: DepartureVerdict
  ) {
    self.departure = departure
    self.destination = destination
    self.visible = visible
    self.invisible = invisible
  }
}

private let expected: [Row] = [
  // To inside: all of it is sent, in every mode.
  Row(.available, .inside, visible: .send, invisible: .send),
  Row(.unavailable, .inside, visible: .send, invisible: .send),
  Row(.probe, .inside, visible: .send, invisible: .send),
  Row(.subscription, .inside, visible: .send, invisible: .send),
  Row(.iqRequest, .inside, visible: .send, invisible: .send),
  Row(.iqResponse, .inside, visible: .send, invisible: .send),
  Row(.message, .inside, visible: .send, invisible: .send),
  // To outside: WouldReveal in every mode. Unavailable presence to somebody who was shown nothing: never.
  Row(.available, .outside, visible: .wouldReveal, invisible: .wouldReveal),
  Row(.unavailable, .outside, visible: .refuse, invisible: .refuse),
  Row(.probe, .outside, visible: .wouldReveal, invisible: .wouldReveal),
  Row(.subscription, .outside, visible: .wouldReveal, invisible: .wouldReveal),
  Row(.iqRequest, .outside, visible: .wouldReveal, invisible: .wouldReveal),
  Row(.iqResponse, .outside, visible: .wouldReveal, invisible: .wouldReveal),
  Row(.message, .outside, visible: .wouldReveal, invisible: .wouldReveal),
  // Leaving the audience ends with directed unavailable: to those who were shown, and nothing else to them.
  Row(.available, .shown, visible: .wouldReveal, invisible: .wouldReveal),
  Row(.unavailable, .shown, visible: .send, invisible: .send),
  Row(.probe, .shown, visible: .wouldReveal, invisible: .wouldReveal),
  Row(.subscription, .shown, visible: .wouldReveal, invisible: .wouldReveal),
  Row(.iqRequest, .shown, visible: .wouldReveal, invisible: .wouldReveal),
  Row(.iqResponse, .shown, visible: .wouldReveal, invisible: .wouldReveal),
  Row(.message, .shown, visible: .wouldReveal, invisible: .wouldReveal),
  // Undirected presence: when visible. Sending directed presence only, neither form ever (COMPAT.md, rule 2).
  Row(.available, .undirected, visible: .send, invisible: .refuse),
  Row(.unavailable, .undirected, visible: .send, invisible: .refuse),
  // IQs without `to` are between us and our own server, which is inside.
  Row(.iqRequest, .undirected, visible: .send, invisible: .send),
  Row(.iqResponse, .undirected, visible: .send, invisible: .send),
  // Nothing else has a meaning without `to`: a cell that is not filled refuses.
  Row(.probe, .undirected, visible: .refuse, invisible: .refuse),
  Row(.subscription, .undirected, visible: .refuse, invisible: .refuse),
  Row(.message, .undirected, visible: .refuse, invisible: .refuse),
]

@Suite("What leaves")
struct DepartureTableTests {
  @Test("The expectations name every departure to every destination once")
  func complete() {
    #expect(expected.count == Departure.allCases.count * Destination.allCases.count)
    for departure in Departure.allCases {
      for destination in Destination.allCases {
        #expect(expected.count { $0.departure == departure && $0.destination == destination } == 1)
      }
    }
  }

  @Test("Each departure to each destination in each mode gets what the contract says", arguments: expected.indices)
  func verdicts(_ index: Int) {
    let row = expected[index]
    #expect(DepartureTable.verdict(row.departure, row.destination, .visible) == row.visible)
    #expect(DepartureTable.verdict(row.departure, row.destination, .invisible) == row.invisible)
  }

  @Test("Being invisible never lets more out than being visible", arguments: Departure.allCases)
  func monotonous(_ departure: Departure) {
    for destination in Destination.allCases
    where DepartureTable.verdict(departure, destination, .invisible) == .send {
      #expect(DepartureTable.verdict(departure, destination, .visible) == .send)
    }
  }

  @Test("A destination is inside, shown before, outside, or nowhere in particular")
  func destinations() throws {
    var world = World(subscribers: [romeo])
    #expect(world.audience.destination(nil) == .undirected)
    #expect(world.audience.destination(.bare(romeo)) == .inside)
    #expect(world.audience.destination(jid("romeo@montague.example/orchard")) == .inside)
    #expect(world.audience.destination(.bare(tybalt)) == .outside)
    // Shown, and then ended without a word having left yet.
    world.audience.noteDeparture(.available, to: .bare(tybalt))
    #expect(world.audience.destination(.bare(tybalt)) == .shown)
    #expect(world.audience.destination(jid("tybalt@capulet.example/street")) == .outside)
    world.audience.noteDeparture(.unavailable, to: .bare(tybalt))
    #expect(world.audience.destination(.bare(tybalt)) == .outside)
  }
}

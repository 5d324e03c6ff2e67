// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

/// One line of the outgoing half of "Who gets what", written out from the contract and not from the code.
private struct Row {
  let departure: Departure
  let destination: Destination
  let open: DepartureVerdict
  let covered: DepartureVerdict
  let exposed: DepartureVerdict
  let uncovered: DepartureVerdict
  /// The same whatever the server would make of undirected presence.
  init(_ departure: Departure, _ destination: Destination, _ verdict: DepartureVerdict) {
    self.init(departure, destination, open: verdict, covered: verdict, exposed: verdict, uncovered: verdict)
  }
  init(
    _ departure: Departure, _ destination: Destination, open: DepartureVerdict, covered: DepartureVerdict,
    exposed: DepartureVerdict, uncovered: DepartureVerdict
  ) {
    (self.departure, self.destination) = (departure, destination)
    (self.open, self.covered, self.exposed, self.uncovered) = (open, covered, exposed, uncovered)
  }
}

private let expected: [Row] = [
  // To inside: all of it is sent, in every mode.
  Row(.available, .inside, .send),
  Row(.unavailable, .inside, .send),
  Row(.probe, .inside, .send),
  Row(.subscription, .inside, .send),
  Row(.iqRequest, .inside, .send),
  Row(.iqResponse, .inside, .send),
  Row(.message, .inside, .send),
  // To outside: WouldReveal in every mode. Unavailable presence to somebody who was shown nothing: never.
  Row(.available, .outside, .wouldReveal),
  Row(.unavailable, .outside, .refuse),
  Row(.probe, .outside, .wouldReveal),
  Row(.subscription, .outside, .wouldReveal),
  Row(.iqRequest, .outside, .wouldReveal),
  Row(.iqResponse, .outside, .wouldReveal),
  Row(.message, .outside, .wouldReveal),
  // Leaving the audience ends with directed unavailable: to those who were shown, and nothing else to them.
  Row(.available, .shown, .wouldReveal),
  Row(.unavailable, .shown, .send),
  Row(.probe, .shown, .wouldReveal),
  Row(.subscription, .shown, .wouldReveal),
  Row(.iqRequest, .shown, .wouldReveal),
  Row(.iqResponse, .shown, .wouldReveal),
  Row(.message, .shown, .wouldReveal),
  // To a contact outside whose presence we are subscribed to: as to others, but a probe may go (COMPAT.md).
  Row(.available, .watched, .wouldReveal),
  Row(.unavailable, .watched, .refuse),
  Row(.probe, .watched, .send),
  Row(.subscription, .watched, .wouldReveal),
  Row(.iqRequest, .watched, .wouldReveal),
  Row(.iqResponse, .watched, .wouldReveal),
  Row(.message, .watched, .wouldReveal),
  // Presence of type invisible and visible: to a server that takes it for its own, and to nobody else ever.
  Row(.invisibility, .server, .send),
  Row(.invisibility, .inside, .refuse),
  Row(.invisibility, .shown, .refuse),
  Row(.invisibility, .watched, .refuse),
  Row(.invisibility, .outside, .refuse),
  Row(.invisibility, .undirected, .refuse),
  Row(.available, .server, .refuse),
  Row(.unavailable, .server, .refuse),
  Row(.probe, .server, .refuse),
  Row(.subscription, .server, .refuse),
  Row(.iqRequest, .server, .refuse),
  Row(.iqResponse, .server, .refuse),
  Row(.message, .server, .refuse),
  // Undirected presence: when visible, or where the server keeps it from those outside. Sending directed presence only, neither form ever (COMPAT.md, rule 2).
  Row(.available, .undirected, open: .send, covered: .send, exposed: .refuse, uncovered: .refuse),
  Row(.unavailable, .undirected, open: .send, covered: .send, exposed: .send, uncovered: .refuse),
  // IQs without `to` are between us and our own server, which is inside.
  Row(.iqRequest, .undirected, .send),
  Row(.iqResponse, .undirected, .send),
  // Nothing else has a meaning without `to`: a cell that is not filled refuses.
  Row(.probe, .undirected, .refuse),
  Row(.subscription, .undirected, .refuse),
  Row(.message, .undirected, .refuse),
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

  @Test("Each departure to each destination over each link gets what the contract says", arguments: expected.indices)
  func verdicts(_ index: Int) {
    let row = expected[index]
    #expect(DepartureTable.verdict(row.departure, row.destination, .open) == row.open)
    #expect(DepartureTable.verdict(row.departure, row.destination, .covered) == row.covered)
    #expect(DepartureTable.verdict(row.departure, row.destination, .exposed) == row.exposed)
    #expect(DepartureTable.verdict(row.departure, row.destination, .uncovered) == row.uncovered)
  }

  @Test("Being invisible never lets more out than being visible", arguments: Departure.allCases)
  func monotonous(_ departure: Departure) {
    for destination in Destination.allCases {
      for link in Link.allCases where DepartureTable.verdict(departure, destination, link) == .send {
        #expect(DepartureTable.verdict(departure, destination, .open) == .send)
      }
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

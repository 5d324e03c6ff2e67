// SPDX-License-Identifier: Apache-2.0

/// What kind of stanza wants to leave.
public enum Departure: String, CaseIterable, Hashable, Sendable {
  /// Available presence.
  case available
  /// Unavailable presence.
  case unavailable
  /// A presence probe.
  case probe
  /// Subscription presence: subscribe, subscribed, unsubscribe, unsubscribed.
  case subscription
  /// An IQ of type get or set.
  case iqRequest
  /// An IQ of type result or error.
  case iqResponse
  /// A message of any type.
  case message
}

/// Where a stanza wants to go.
public enum Destination: String, CaseIterable, Hashable, Sendable {
  /// Nowhere in particular: the server handles it (no `to`).
  case undirected
  /// To somebody inside the audience.
  case inside
  /// To somebody outside who was shown presence on this stream and has not been told that it ended.
  case shown
  /// To anybody else.
  case outside
}

/// What becomes of a stanza that wants to leave.
public enum DepartureVerdict: Hashable, Sendable {
  /// It leaves.
  case send
  /// It does not leave: it would tell somebody outside the audience that we are online.
  case wouldReveal
  /// It does not leave: nothing in the program may ever ask for it.
  case refuse
}

/// The outgoing half of "Who gets what": the one place that says which stanzas leave. A cell that is not filled
/// refuses.
public enum DepartureTable {
  struct Cell: Hashable {
    let departure: Departure
    let destination: Destination
    let mode: Mode
    init(_ departure: Departure, _ destination: Destination, _ mode: Mode) {
      (self.departure, self.destination, self.mode) = (departure, destination, mode)
    }
  }

  static let cells: [Cell: DepartureVerdict] = {
    var cells: [Cell: DepartureVerdict] = [:]
    for mode in [Mode.visible, .invisible] {
      for departure in Departure.allCases {
        cells[Cell(departure, .inside, mode)] = .send
        cells[Cell(departure, .outside, mode)] = .wouldReveal
        cells[Cell(departure, .shown, mode)] = .wouldReveal
      }
      // Those who were shown presence are told that it ended, when they no longer may know what comes next.
      cells[Cell(.unavailable, .shown, mode)] = .send
      // Unavailable to somebody who was shown nothing would say that there had been something to see.
      cells[Cell(.unavailable, .outside, mode)] = .refuse
      // Without `to`, IQs stay between us and our server.
      cells[Cell(.iqRequest, .undirected, mode)] = .send
      cells[Cell(.iqResponse, .undirected, mode)] = .send
    }
    // Undirected presence is broadcast by the server. In `directed` mode both forms would reach every contact,
    // the unavailable one with our full JID even when nothing was shown before (measured on three servers).
    cells[Cell(.available, .undirected, .visible)] = .send
    cells[Cell(.unavailable, .undirected, .visible)] = .send
    return cells
  }()

  /// The verdict on a stanza.
  public static func verdict(_ departure: Departure, _ destination: Destination, _ mode: Mode) -> DepartureVerdict {
    cells[Cell(departure, destination, mode)] ?? .refuse
  }
}

extension Audience {
  /// Which column of the table `address` stands in; `nil` means that the stanza has no `to`.
  public func destination(_ address: Address?) -> Destination {
    guard let address else { return .undirected }
    if contains(address) { return .inside }
    return wasShown(address) ? .shown : .outside
  }
}

// SPDX-License-Identifier: Apache-2.0

/// What kind of stanza wants to leave.
public enum Departure: String, CaseIterable, Hashable, Sendable {
  /// Available presence.
  case available
  /// Unavailable presence.
  case unavailable
  /// A presence probe.
  case probe
  /// Presence of type invisible or visible: for the server, which passes it to nobody (XEP-0018 §4).
  case invisibility
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
  /// To somebody else outside, whose presence we are subscribed to and want to see.
  case watched
  /// To our server, whatever the address says: it takes the stanza for its own.
  case server
  /// To anybody else.
  case outside
}

/// What the server would make of undirected presence.
public enum Link: String, CaseIterable, Hashable, Sendable {
  /// It would reach all who are subscribed, and all may see us.
  case open
  /// It would reach nobody who may not see us: the server has confirmed that.
  case covered
  /// It would reach, or may reach, some who may not see us, who see nothing of us yet.
  case uncovered
  /// As ``uncovered``, but something was broadcast and stands: only to take it back is right.
  case exposed
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
    let link: Link
    init(_ departure: Departure, _ destination: Destination, _ link: Link) {
      (self.departure, self.destination, self.link) = (departure, destination, link)
    }
  }

  static let cells: [Cell: DepartureVerdict] = {
    var cells: [Cell: DepartureVerdict] = [:]
    for link in Link.allCases {
      for departure in Departure.allCases where departure != .invisibility {
        cells[Cell(departure, .inside, link)] = .send
        cells[Cell(departure, .outside, link)] = .wouldReveal
        cells[Cell(departure, .watched, link)] = .wouldReveal
        cells[Cell(departure, .shown, link)] = .wouldReveal
      }
      // Those who were shown presence are told that it ended, when they no longer may know what comes next.
      cells[Cell(.unavailable, .shown, link)] = .send
      // Unavailable to somebody who was shown nothing would say that there had been something to see.
      cells[Cell(.unavailable, .outside, link)] = .refuse
      cells[Cell(.unavailable, .watched, link)] = .refuse
      // A probe is answered by the contact's server; the contact hears nothing of it.
      cells[Cell(.probe, .watched, link)] = .send
      // Without `to`, IQs stay between us and our server.
      cells[Cell(.iqRequest, .undirected, link)] = .send
      cells[Cell(.iqResponse, .undirected, link)] = .send
      cells[Cell(.invisibility, .server, link)] = .send
    }
    // Undirected presence is broadcast by the server. Where nothing keeps it from those outside both forms would reach
    // every contact, the unavailable one with our full JID even when nothing was shown before (measured on three
    // servers).
    for link in [Link.open, .covered] { cells[Cell(.available, .undirected, link)] = .send }
    for link in [Link.open, .covered, .exposed] { cells[Cell(.unavailable, .undirected, link)] = .send }
    return cells
  }()

  /// The verdict on a stanza.
  public static func verdict(_ departure: Departure, _ destination: Destination, _ link: Link) -> DepartureVerdict {
    cells[Cell(departure, destination, link)] ?? .refuse
  }
}

extension Audience {
  /// What the server would make of undirected presence now.
  public var link: Link {
    if mode == .visible { return .open }
    return isCovered ? .covered : isBroadcasting ? .exposed : .uncovered
  }

  /// Which column of the table `address` stands in; `nil` means that the stanza has no `to`.
  public func destination(_ address: Address?) -> Destination {
    guard let address else { return .undirected }
    if contains(address) { return .inside }
    if wasShown(address) { return .shown }
    return isWatched(address.account) ? .watched : .outside
  }

  /// Which column presence of type invisible or visible stands in: only a server that knows the types takes them, others
  /// pass them on.
  public var destinationOfInvisibility: Destination { mechanism == .invisiblePresence ? .server : .outside }
}

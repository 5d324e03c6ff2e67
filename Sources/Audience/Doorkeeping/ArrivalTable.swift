// SPDX-License-Identifier: Apache-2.0

/// What kind of stanza has arrived.
public enum Arrival: String, CaseIterable, Hashable, Sendable {
  /// Available presence without a request.
  case available
  /// Available presence with a request to decloak (XEP-0276 §4).
  case decloak
  /// Unavailable presence, or a presence error.
  case departure
  /// A presence probe. Servers answer these; one that arrives is not for us.
  case probe
  /// A subscription request (RFC 6121 §3.1).
  case subscribe
  /// Another subscription state change; the roster push that comes with it is what counts.
  case subscriptionChange
  /// An IQ of type get or set.
  case iqRequest
  /// An IQ of type result or error.
  case iqResponse
  /// A message that a server takes for an absent resource without an error: chat, normal, headline, error.
  case message
  /// A message that some servers bounce for an absent resource: groupchat, and what is said for the moment alone. Where
  /// the server would not, it is a message like others.
  case bouncedMessage
  /// A message that proposes a call (XEP-0353 §3.1): from outside it asks whether we are there.
  case propose
  /// Anything else.
  case other
}

/// Where a stanza has come from.
public enum Source: String, CaseIterable, Hashable, Sendable {
  /// Somebody inside the audience.
  case inside
  /// Anybody else.
  case outside
}

/// What becomes of a stanza that has arrived.
public enum ArrivalVerdict: Hashable, Sendable {
  /// The account acts on it and may answer.
  case use
  /// The account may act on it for a session or a request of ours that waits, and answers nothing.
  case learn
  /// Decloak decides.
  case ask
  /// It is listed for a person to answer.
  case list
  /// The handler gets it; nothing automatic goes back.
  case deliver
  /// The answer that this server gives for a resource that is not there goes back.
  case imitate
  /// It counts only as the answer to an outstanding request of ours. As the answer to nothing it gets what this server
  /// gives for a resource that is not there: most give silence.
  case match
  /// Nothing happens.
  case drop
}

/// The incoming half of "Who gets what". A cell that is not filled drops.
public enum ArrivalTable {
  struct Cell: Hashable {
    let arrival: Arrival
    let source: Source
    init(_ arrival: Arrival, _ source: Source) { (self.arrival, self.source) = (arrival, source) }
  }

  static let cells: [Cell: ArrivalVerdict] = [
    Cell(.available, .inside): .use,
    Cell(.available, .outside): .learn,
    Cell(.decloak, .inside): .ask,
    Cell(.decloak, .outside): .ask,
    Cell(.departure, .inside): .use,
    Cell(.departure, .outside): .learn,
    Cell(.probe, .inside): .drop,
    Cell(.probe, .outside): .drop,
    Cell(.subscribe, .inside): .list,
    Cell(.subscribe, .outside): .list,
    Cell(.subscriptionChange, .inside): .drop,
    Cell(.subscriptionChange, .outside): .drop,
    Cell(.iqRequest, .inside): .use,
    Cell(.iqRequest, .outside): .imitate,
    Cell(.iqResponse, .inside): .match,
    Cell(.iqResponse, .outside): .match,
    Cell(.message, .inside): .deliver,
    Cell(.message, .outside): .deliver,
    Cell(.bouncedMessage, .inside): .deliver,
    Cell(.bouncedMessage, .outside): .imitate,
    Cell(.propose, .inside): .deliver,
    Cell(.propose, .outside): .ask,
  ]

  /// The verdict on a stanza.
  public static func verdict(_ arrival: Arrival, _ source: Source) -> ArrivalVerdict {
    cells[Cell(arrival, source)] ?? .drop
  }
}

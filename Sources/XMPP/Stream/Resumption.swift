// SPDX-License-Identifier: Apache-2.0

public import EventLoop
public import XML

/// What it takes to go on with a session on another connection (XEP-0198 §5).
public struct Resumption: Sendable {
  /// The session's address.
  public let jid: FullJID
  /// What the server calls the session.
  public let id: String
  /// Where the server wants to be reached for it, as `host:port`; nil where it does not matter.
  public let location: String?
  /// Until when the server keeps the session.
  public let expiresAt: MonotonicTime
  /// How many of the server's stanzas we have had, modulo 2³² (XEP-0198 §4).
  public let handled: UInt32
  /// How many of our stanzas the server has said that it had, modulo 2³².
  public let acknowledged: UInt32
  /// What we sent after those, in order.
  public let unacknowledged: [SentStanza]
  /// For how long the server keeps the session each time that its connection is lost.
  public let lifetime: Duration

  /// Describes a session that can be gone on with.
  public init(
    jid: FullJID, id: String, location: String?, expiresAt: MonotonicTime, handled: UInt32, acknowledged: UInt32,
    unacknowledged: [SentStanza], lifetime: Duration = .seconds(600)
  ) {
    self.jid = jid
    self.id = id
    self.location = location
    self.expiresAt = expiresAt
    self.handled = handled
    self.acknowledged = acknowledged
    self.unacknowledged = unacknowledged
    self.lifetime = lifetime
  }
}

/// A stanza that was sent, and what its sender noted on it.
public struct SentStanza: Hashable, Sendable {
  /// What a sender notes. The stream makes no use of it.
  public struct Notes: OptionSet, Hashable, Sendable {
    /// The notes, a bit each.
    public let rawValue: UInt8
    /// Notes by their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Somebody said that it may go to whom it would reveal us.
    public static let meant = Notes(rawValue: 1)
    /// It is the first that shows us to whom it goes.
    public static let first = Notes(rawValue: 2)
  }

  /// The stanza.
  public let element: Element
  /// What was noted.
  public let notes: Notes
  /// Whether somebody said that it may go to whom it would reveal us.
  public var isMeant: Bool { notes.contains(.meant) }

  /// Notes a stanza.
  public init(_ element: Element, _ notes: Notes) {
    self.element = element
    self.notes = notes
  }

  /// Notes a stanza.
  public init(_ element: Element, isMeant: Bool) { self.init(element, isMeant ? .meant : []) }
}

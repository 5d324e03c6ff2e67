// SPDX-License-Identifier: Apache-2.0

public import EventLoop
public import XML

/// A stream of stanzas to and from our server, from before it is made to its end.
///
/// Opened once and never again. The real one is ``ClientStream``; tests pass others.
@LoopActor
public protocol StanzaStream: AnyObject {
  /// Told what happens. Set it before ``open()``.
  var onEvent: @LoopActor (StreamEvent) -> Void { get set }
  /// Begins to connect; ``StreamEvent/bound(_:_:_:)``, ``StreamEvent/resumed(_:unacknowledged:)`` or
  /// ``StreamEvent/ended(_:_:)`` follows.
  func open()
  /// Sends a stanza, in the order of the calls. Before the stream is bound or resumed, and once it is closed or has
  /// ended, nothing is sent.
  /// - Parameter notes: the sender's, given back with the stanza if the server never had it.
  func send(_ element: Element, _ notes: SentStanza.Notes)
  /// Tells the server whether somebody is looking (XEP-0352), where it wants to know. Forgotten with the stream.
  func setActive(_ isActive: Bool)
  /// Finds out soon whether the server is still there: something happened that may have cut the connection.
  func check()
  /// Ends the stream in good order: what was sent before goes out first. ``StreamEvent/ended(_:_:)`` follows, and no
  /// more stanzas.
  func close()
}

extension StanzaStream {
  /// Sends a stanza.
  public func send(_ stanza: Stanza) { send(stanza.element, []) }

  /// Sends an element with the one note that most have or lack.
  public func send(_ element: Element, isMeant: Bool) { send(element, isMeant ? .meant : []) }
}

/// What happened on a stream.
public enum StreamEvent: Sendable {
  /// How far it has come, before it is bound or resumed.
  case step(StreamStep)
  /// The server has let us in, under this address, with a new session.
  case bound(FullJID, StreamFeatures, Security)
  /// The session of an earlier stream goes on. What it had sent and the server never had is given back: it has not
  /// been sent again.
  case resumed(Security, unacknowledged: [SentStanza])
  /// The session of an earlier stream is over, and a new one follows with ``bound(_:_:_:)``. What it had sent and the
  /// server never had, as far as it knows, is given back.
  case notResumed(unacknowledged: [SentStanza])
  /// A stanza came, as it was understood and as it was said. What is no stanza does not get here.
  case stanza(Stanza, raw: Element)
  /// The stream is over. Told exactly once, and last; with what it takes to go on with its session, where the server
  /// keeps it.
  case ended(StreamEnd, Resumption?)
}

// SPDX-License-Identifier: Apache-2.0

public import EventLoop
public import XML

/// A stream of the stanzas to and from a whole domain (XEP-0114), from before it is made to its end.
///
/// Opened once and never again. The real one is ``ComponentStream``; tests pass others.
@LoopActor
public protocol ComponentStanzaStream: AnyObject {
  /// Told what happens. Set it before ``open()``.
  var onEvent: @LoopActor (ComponentEvent) -> Void { get set }
  /// Begins to connect; ``ComponentEvent/ready(_:)`` or ``ComponentEvent/ended(_:)`` follows.
  func open()
  /// Sends a stanza, in the order of the calls. Before the stream is ready, and once it is closed or has ended, nothing is
  /// sent.
  /// - Parameter element: in the namespace of clients. Its `from` must be an address of our domain, and its `to` one of
  ///   anybody's: servers end the whole stream over one that lacks them, so such a one is dropped.
  func send(_ element: Element)
  /// Finds out soon whether the server is still there: something happened that may have cut the connection.
  func check()
  /// Ends the stream in good order: what was sent before goes out first. ``ComponentEvent/ended(_:)`` follows, and no more
  /// stanzas.
  func close()
}

extension ComponentStanzaStream {
  /// Sends a stanza.
  public func send(_ stanza: Stanza) { send(stanza.element) }
}

/// What happened on the stream of a component.
public enum ComponentEvent: Sendable {
  /// How far it has come, before it is ready.
  case step(StreamStep)
  /// The server has let us in: the domain is ours.
  case ready(Security)
  /// A stanza came for one of our addresses, as it was understood and as it was said, in the namespace of clients. It has a
  /// `from` and a `to`, and the `to` is of our domain. What is no stanza does not get here.
  case stanza(Stanza, raw: Element)
  /// The stream is over. Told exactly once, and last.
  ///
  /// A wrong secret has the code ``StreamEnd/Code/authentication``, and a server that has the domain already
  /// ``StreamCondition/conflict``, which is not final: whoever has it may go.
  case ended(StreamEnd)
}

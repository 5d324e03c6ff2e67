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
  /// Begins to connect; ``StreamEvent/bound(_:_:_:)`` or ``StreamEvent/ended(_:)`` follows.
  func open()
  /// Sends a stanza, in the order of the calls. Before the stream is bound, and once it is closed or has ended,
  /// nothing is sent.
  func send(_ element: Element)
  /// Ends the stream in good order: what was sent before goes out first. ``StreamEvent/ended(_:)`` follows, and no
  /// more stanzas.
  func close()
}

extension StanzaStream {
  /// Sends a stanza.
  public func send(_ stanza: Stanza) { send(stanza.element) }
}

/// What happened on a stream.
public enum StreamEvent: Sendable {
  /// The server has let us in, under this address.
  case bound(FullJID, StreamFeatures, Security)
  /// A stanza came, as it was understood and as it was said. What is no stanza does not get here.
  case stanza(Stanza, raw: Element)
  /// The stream is over. Told exactly once, and last.
  case ended(StreamEnd)
}

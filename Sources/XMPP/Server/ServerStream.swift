// SPDX-License-Identifier: Apache-2.0

public import EventLoop
public import XML

/// A server's end of a stream: one session of a client or of a component, from its connection's first byte on. It may
/// outlive its connection (XEP-0198 §5).
@LoopActor
public final class ServerStream {
  /// Told what happens; never within ``send(_:)``.
  public var onEvent: @LoopActor (ServerStreamEvent) -> Void = { _ in }
  /// The address of the client's session, once it has begun.
  public private(set) var jid: FullJID?
  /// The domain of the component, once it has proved to be that.
  public private(set) var componentDomain: String?

  init() {}

  /// Sends a stanza, in the order of the calls. While the client is away it waits for it, as far as the limits allow.
  /// Before the session has begun and after its end nothing is sent.
  public func send(_ stanza: Element) {}

  /// Ends the stream, and the session with it: what was sent before goes out first. ``ServerStreamEvent/ended(unacknowledged:)``
  /// is told within the call.
  /// - Parameter condition: why (RFC 6120 §4.9.3); nil for no error.
  public func close(_ condition: StreamCondition? = nil) {}

  /// Cuts the connection without a word, as a failing network does: a client may come back to its session if it can.
  public func cut() {}
}

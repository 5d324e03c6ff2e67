// SPDX-License-Identifier: Apache-2.0

public import XML

/// What happened on a server's end of a stream.
public enum ServerStreamEvent: Sendable {
  /// A client's session has begun, under this address.
  case bound(FullJID)
  /// A component has proved that it is that of this domain (XEP-0114).
  case component(domain: String)
  /// A stanza came, as it was said: its `from` is not yet what it must be (RFC 6120 §8.1.2.1). Those of components have
  /// the namespace of clients, too.
  case stanza(Element)
  /// The connection was lost, and the client may come back (XEP-0198 §5). What is sent meanwhile waits for it.
  case suspended
  /// The client has come back; what it had missed was sent again.
  case resumed
  /// The stream is over for good: closed, lost without stream management, or nobody came back in time. Told exactly once,
  /// and last, also to streams that have never become a session, such as one that brought a client back to another. With
  /// what was sent and the client has not said that it had, where that was counted.
  case ended(unacknowledged: [Element])
}

// SPDX-License-Identifier: Apache-2.0

public import XML

/// Names a session of a client or of a component at the embedded server.
public struct SessionID: Hashable, Sendable {
  let number: UInt64

  /// Names a session.
  public init(_ number: UInt64) { self.number = number }
}

/// A stanza that a session is to get.
public struct Delivery: Hashable, Sendable {
  /// Whose.
  public let to: SessionID
  /// What.
  public let stanza: Element
}

// SPDX-License-Identifier: Apache-2.0

/// Why a stream is over.
public struct StreamEnd: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kinds of ends, for code that decides what to do.
  public enum Code: Hashable, Sendable {
    /// The server cannot be found or reached, or the connection broke.
    case network
    /// The server took too long.
    case timedOut
    /// The server does not let us in, or could not prove that it is the server.
    case authentication
    /// The server's certificate, or the file to check it with, is not accepted.
    case certificate
    /// The server ended the stream, naming a condition.
    case streamError(StreamCondition)
    /// The server refused a request that it takes to log in.
    case refused(StanzaError.Condition)
    /// The server ended the stream without saying why.
    case closedByPeer
    /// We closed it.
    case cancelled
    /// The server does something that XMPP forbids, or offers nothing that we can do.
    case `protocol`
  }

  /// The kind of end.
  public let code: Code
  /// What was wrong and what to do, for people.
  public let text: String

  /// Describes an end.
  public init(_ code: Code, _ text: String) {
    self.code = code
    self.text = text
  }

  /// The text.
  public var description: String { text }
}

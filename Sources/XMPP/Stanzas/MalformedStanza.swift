// SPDX-License-Identifier: Apache-2.0

/// Why an element is no stanza, and how whoever sent it could be told.
public struct MalformedStanza: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with it. Quotes nothing of the stanza.
  public let description: String
  /// The error that RFC 6120 §8.3 provides for it. Whether it is sent is another question.
  public let error: StanzaError

  init(_ condition: StanzaError.Condition, _ description: String) {
    self.description = description
    error = StanzaError(condition)
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Why a text is not an address of XMPP (RFC 6122).
public struct JIDError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The part of an address that is wrong.
  public enum Part: String, Hashable, Sendable {
    /// What stands before the `@`.
    case localpart
    /// The server's name.
    case domain
    /// What stands after the first `/`.
    case resource
  }

  /// The part that is wrong.
  public let part: Part
  /// What is wrong with it, in words that can be shown to a person.
  public let description: String

  init(_ part: Part, _ problem: String) {
    self.part = part
    description = "the \(part.rawValue) of the address \(problem)"
  }
}

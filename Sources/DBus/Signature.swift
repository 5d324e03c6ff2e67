// SPDX-License-Identifier: Apache-2.0

/// The types of some values, as `a{sv}`.
public struct Signature: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
  /// The type codes.
  public let text: String

  /// A signature from outside; throws `InvalidArgs` when it is not valid.
  public init(_ text: String) throws(DBusError) {
    guard Validation.isSignature(text) else {
      throw DBusError(.invalidArgs, "\(quoted(text)) is no valid signature")
    }
    self.text = text
  }

  /// A signature written in the source, where a wrong one is a fault of the program.
  public init(stringLiteral text: String) {
    precondition(Validation.isSignature(text), "a signature in the source is not valid")
    self.text = text
  }

  /// A signature that libdbus has checked.
  init(checked text: String) { self.text = text }

  /// The type codes.
  public var description: String { text }
}

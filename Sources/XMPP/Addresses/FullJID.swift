// SPDX-License-Identifier: Apache-2.0

/// An address with a resource: one session of an account.
public struct FullJID: Hashable, Sendable, Comparable, CustomStringConvertible {
  let address: PreparedAddress

  init(address: PreparedAddress) { self.address = address }

  /// Prepares an address.
  /// - Throws: ``JIDError`` when it is no address, or has no resource.
  public init(_ text: String) throws(JIDError) {
    address = try PreparedAddress(text)
    guard address.hasResource else { throw JIDError(.resource, "is missing") }
  }

  /// The account that the session belongs to.
  public var bare: BareJID { BareJID(address: address.bare) }
  /// What stands before the `@`, where there is one.
  public var localpart: String? { address.local }
  /// The server's name, in Unicode.
  public var domain: String { address.domain }
  /// What stands after the first `/`.
  public var resource: String { address.resource ?? "" }
  /// The prepared text.
  public var description: String { address.text }

  /// The order of the texts, by bytes.
  public static func < (left: FullJID, right: FullJID) -> Bool {
    left.address.text.utf8.lexicographicallyPrecedes(right.address.text.utf8)
  }
}

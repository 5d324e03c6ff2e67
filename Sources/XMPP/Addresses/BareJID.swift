// SPDX-License-Identifier: Apache-2.0

/// An address without a resource: an account (`local@domain`) or a server (`domain`). Prepared, so that two
/// spellings of one address are equal.
public struct BareJID: Hashable, Sendable, Comparable, CustomStringConvertible {
  let address: PreparedAddress

  init(address: PreparedAddress) { self.address = address }

  /// Prepares an address.
  /// - Throws: ``JIDError`` when it is no address, or has a resource.
  public init(_ text: String) throws(JIDError) {
    address = try PreparedAddress(text)
    guard !address.hasResource else { throw JIDError(.resource, "must be left out here") }
  }

  /// Puts an address together from its parts, preparing them.
  public init(localpart: String?, domain: String) throws(JIDError) {
    address = try PreparedAddress(local: localpart, domain: domain, resource: nil)
  }

  /// What stands before the `@`; nil for the address of a server.
  public var localpart: String? { address.local }
  /// The server's name, in Unicode.
  public var domain: String { address.domain }
  /// The address of the server, as stanzas to the server itself carry it.
  public var server: JID { JID(address: address.server) }
  /// The prepared text.
  public var description: String { address.text }

  /// The address of one session of this account.
  /// - Throws: ``JIDError`` when the resource cannot be one.
  public func with(resource: String) throws(JIDError) -> FullJID {
    FullJID(address: try address.with(resource: resource))
  }

  /// The order of the texts, by bytes.
  public static func < (left: BareJID, right: BareJID) -> Bool {
    left.address.text.utf8.lexicographicallyPrecedes(right.address.text.utf8)
  }
}

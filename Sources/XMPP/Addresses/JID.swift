// SPDX-License-Identifier: Apache-2.0

/// An address, bare or full, as a stanza carries it.
public struct JID: Hashable, Sendable, CustomStringConvertible {
  let address: PreparedAddress

  init(address: PreparedAddress) { self.address = address }

  /// Prepares an address.
  /// - Throws: ``JIDError`` when it is no address.
  public init(_ text: String) throws(JIDError) { address = try PreparedAddress(text) }

  /// The address of an account or server.
  public init(_ jid: BareJID) { address = jid.address }

  /// The address of a session.
  public init(_ jid: FullJID) { address = jid.address }

  /// The address without its resource.
  public var bare: BareJID { BareJID(address: address.bare) }
  /// The address if it has a resource.
  public var full: FullJID? { address.hasResource ? FullJID(address: address) : nil }
  /// Whether there is no resource.
  public var isBare: Bool { !address.hasResource }
  /// What stands before the `@`, where there is one.
  public var localpart: String? { address.local }
  /// The server's name, in Unicode.
  public var domain: String { address.domain }
  /// What stands after the first `/`, where there is one.
  public var resource: String? { address.resource }
  /// The prepared text.
  public var description: String { address.text }

  /// Whether the address names the account or server `jid`, without a resource.
  public static func == (left: JID, right: BareJID) -> Bool { left.address == right.address }
  /// Whether the address names the session `jid`.
  public static func == (left: JID, right: FullJID) -> Bool { left.address == right.address }
}

// SPDX-License-Identifier: Apache-2.0

/// A bare JID (RFC 6120 §1.4), prepared by whoever made it: two are the same account when the bytes of their texts are.
/// Swift takes more for equal: letters that Unicode came to know after stringprep was written pass its folding, and servers
/// hold two spellings of those for two people.
public struct BareAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// `local@domain`, or `domain` alone.
  public let text: String

  /// Takes a bare JID that has been prepared.
  public init(_ prepared: String) { text = prepared }

  /// The part behind the `@`.
  public var domain: Substring {
    // Among the bytes: letters of some scripts grow together with what stands behind them, and there would be no `@`.
    guard let at = text.utf8.firstIndex(of: UInt8(ascii: "@")) else { return text[...] }
    return text[text.utf8.index(after: at)...]
  }

  /// The text.
  public var description: String { text }

  /// The order of the texts.
  public static func < (left: BareAddress, right: BareAddress) -> Bool { left.text < right.text }

  /// Whether the texts are the same, byte for byte.
  public static func == (left: BareAddress, right: BareAddress) -> Bool { left.text.isSpelled(as: right.text) }

  /// Goes with the text.
  public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// A full JID (RFC 6120 §1.4), prepared: one resource of an account.
public struct FullAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The account.
  public let bare: BareAddress
  /// The resource, without the slash.
  public let resource: String

  /// Takes an account and one of its resources, both prepared.
  public init(_ bare: BareAddress, resource: String) {
    self.bare = bare
    self.resource = resource
  }

  /// `local@domain/resource`.
  public var description: String { "\(bare.text)/\(resource)" }

  /// The order of accounts, then of resources.
  public static func < (left: FullAddress, right: FullAddress) -> Bool {
    (left.bare, left.resource) < (right.bare, right.resource)
  }

  /// Whether the texts are the same, byte for byte.
  public static func == (left: FullAddress, right: FullAddress) -> Bool {
    left.bare == right.bare && left.resource.isSpelled(as: right.resource)
  }

  /// Goes with the texts.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(bare)
    hasher.combine(resource)
  }
}

extension String {
  /// Whether another text has the same bytes.
  fileprivate func isSpelled(as other: String) -> Bool { self == other && utf8.elementsEqual(other.utf8) }
}

/// Somebody to whom a stanza may go: a whole account, or one resource of it.
public enum Address: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// All resources of an account.
  case bare(BareAddress)
  /// One resource.
  case full(FullAddress)

  /// The account.
  public var account: BareAddress {
    switch self {
    case .bare(let bare): bare
    case .full(let full): full.bare
    }
  }

  /// The JID's text.
  public var description: String {
    switch self {
    case .bare(let bare): bare.description
    case .full(let full): full.description
    }
  }

  /// The order of the texts.
  public static func < (left: Address, right: Address) -> Bool { left.description < right.description }
}

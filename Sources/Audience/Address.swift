// SPDX-License-Identifier: Apache-2.0

/// A bare JID (RFC 6120 §1.4), prepared by whoever made it: two are the same account when their texts are equal.
public struct BareAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// `local@domain`, or `domain` alone.
  public let text: String

  /// Takes a bare JID that has been prepared.
  public init(_ prepared: String) { text = prepared }

  /// The part behind the `@`.
  public var domain: Substring {
    guard let at = text.firstIndex(of: "@") else { return text[...] }
    return text[text.index(after: at)...]
  }

  /// The text.
  public var description: String { text }

  /// The order of the texts.
  public static func < (left: BareAddress, right: BareAddress) -> Bool { left.text < right.text }
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

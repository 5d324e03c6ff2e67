// SPDX-License-Identifier: Apache-2.0

internal import Store
internal import XML
public import XMPP

/// The roster as our server keeps it (RFC 6121 §2).
public struct Roster: Sendable {
  static let namespace = "jabber:iq:roster"
  static let mostItems = 100_000

  /// How presence flows between us and a contact (RFC 6121 §2.1.2.5).
  public enum Subscription: String, Hashable, Sendable {
    case none, to, from, both

    /// Whether the contact is subscribed to our presence.
    public var seesUs: Bool { self == .from || self == .both }
    /// Whether we are subscribed to the contact's presence.
    public var isSeen: Bool { self == .to || self == .both }
  }

  /// One contact.
  public struct Item: Hashable, Sendable {
    /// Who.
    public let jid: BareJID
    /// What the person calls the contact; empty if nothing.
    public var name: String
    /// The groups in which the person put the contact.
    public var groups: [String]
    /// How presence flows.
    public var subscription: Subscription
    /// Whether our own subscription request waits for an answer.
    public var isPending: Bool
    /// Whether the contact may see us as soon as it asks (RFC 6121 §3.4).
    public var isApproved: Bool
  }

  /// What a push changed.
  enum Change: Hashable {
    case updated(Item)
    case removed(BareJID)
  }

  /// The contacts.
  public private(set) var items: [BareJID: Item] = [:]

  /// Takes the whole roster from the result of a roster get. Items that cannot be read, and those above the
  /// limit, are left out.
  mutating func replace(from query: Element?) {
    items.removeAll()
    for child in query?.children ?? [] {
      guard items.count < Self.mostItems, case .updated(let item)? = Self.read(child) else { continue }
      items[item.jid] = item
    }
  }

  /// Takes the roster as it was kept.
  mutating func replace(with contacts: [StoredContact]) {
    items.removeAll()
    items.reserveCapacity(min(contacts.count, Self.mostItems))
    for contact in contacts.prefix(Self.mostItems) {
      guard let jid = try? BareJID(contact.jid), let subscription = Subscription(rawValue: contact.subscription)
      else { continue }
      items[jid] = Item(
        jid: jid, name: contact.name, groups: contact.groups, subscription: subscription,
        isPending: contact.isPending, isApproved: contact.isApproved)
    }
  }

  /// Takes a roster push, which carries exactly one item (RFC 6121 §2.1.6).
  /// - Returns: what changed; `nil` if it cannot be read or the roster is full.
  mutating func push(_ query: Element) -> Change? {
    let children = Array(query.children)
    guard children.count == 1, let child = children.first, let change = Self.read(child) else { return nil }
    switch change {
    case .updated(let item):
      guard items[item.jid] != nil || items.count < Self.mostItems else { return nil }
      items[item.jid] = item
    case .removed(let jid):
      items[jid] = nil
    }
    return change
  }

  private static func read(_ element: Element) -> Change? {
    guard element.name == "item", element.namespace == namespace,
      let jid = element.attribute("jid").flatMap({ try? BareJID($0) })
    else { return nil }
    let subscription = element.attribute("subscription") ?? "none"
    if subscription == "remove" { return .removed(jid) }
    guard let subscription = Subscription(rawValue: subscription) else { return nil }
    return .updated(
      Item(
        jid: jid, name: element.attribute("name") ?? "",
        groups: element.children.filter { $0.name == "group" }.map(\.text),
        subscription: subscription, isPending: element.attribute("ask") == "subscribe",
        isApproved: element.attribute("approved").map { $0 == "true" || $0 == "1" } ?? false))
  }
}

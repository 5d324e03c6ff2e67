// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

/// The roster of an account (RFC 6121 §2).
struct RosterBook {
  static let namespace = "jabber:iq:roster"

  /// One contact.
  struct Item: Hashable {
    let address: BareAddress
    var name: String?
    var groups: [String] = []
    var subscription = Subscription.none
    /// Whether the account waits for leave to see the contact.
    var isAsked = false
    /// Whether the contact gets leave to see the account as soon as it asks (§3.4).
    var isApproved = false

    init(_ address: BareAddress) { self.address = address }

    var element: Element {
      Element(
        "item", RosterBook.namespace,
        [
          "jid": address.text, "name": name, "subscription": subscription.rawValue,
          "ask": isAsked ? "subscribe" : nil, "approved": isApproved ? "true" : nil,
        ], children: groups.map { Element("group", RosterBook.namespace, text: $0) })
    }
  }

  /// Who sees the account: those with a subscription, and the account itself (§4.2.2), kept for each broadcast.
  private(set) var subscribers: Set<BareAddress>
  private(set) var items: [BareAddress: Item] = [:]
  private var revision = 0

  init(of account: BareAddress, _ contacts: [LoopbackContact]) {
    subscribers = [account]
    for contact in contacts {
      let address = BareAddress(contact.jid)
      update(address) {
        $0.name = contact.name
        $0.groups = contact.groups
        $0.subscription = contact.subscription
      }
    }
  }

  subscript(contact: BareAddress) -> Item? { items[contact] }

  /// Changes a contact, or makes it one.
  /// - Returns: whether anything has changed.
  @discardableResult
  mutating func update(_ contact: BareAddress, _ change: (inout Item) -> Void) -> Bool {
    var item = items[contact] ?? Item(contact)
    change(&item)
    guard items[contact] != item else { return false }
    items[contact] = item
    if item.subscription.hasFrom { subscribers.insert(contact) } else { subscribers.remove(contact) }
    revision += 1
    return true
  }

  /// Takes a contact out.
  /// - Returns: what it was.
  mutating func remove(_ contact: BareAddress) -> Item? {
    guard let item = items.removeValue(forKey: contact) else { return nil }
    subscribers.remove(contact)
    revision += 1
    return item
  }

  /// The name of its present state (§2.6), which must not be that of a state that a server of an earlier run had.
  func version(_ run: String) -> String { "\(run)-\(revision)" }

  /// The whole of it, as an answer.
  func query(version: String) -> Element {
    Element(
      "query", Self.namespace, ["ver": version],
      children: items.values.sorted { $0.address < $1.address }.map(\.element))
  }
}

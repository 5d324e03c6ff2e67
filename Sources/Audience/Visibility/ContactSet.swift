// SPDX-License-Identifier: Apache-2.0

internal import HashTreeCollections

/// Contacts, as many as there may be exceptions.
///
/// A set of the standard library is copied whole when a copy is changed, and compared whole: one contact more would cost
/// what all of them cost. This one shares what has not changed with the set that it was made from.
public struct ContactSet: Hashable, Sendable, Sequence, ExpressibleByArrayLiteral {
  private var contacts: TreeSet<BareAddress>

  private init(_ contacts: TreeSet<BareAddress>) { self.contacts = contacts }

  /// These contacts.
  public init(_ contacts: some Sequence<BareAddress>) { self.contacts = TreeSet(contacts) }

  /// These contacts.
  public init(arrayLiteral contacts: BareAddress...) { self.init(contacts) }

  /// How many there are.
  public var count: Int { contacts.count }
  /// Whether there are none.
  public var isEmpty: Bool { contacts.isEmpty }

  /// Whether a contact is one of them.
  public func contains(_ contact: BareAddress) -> Bool { contacts.contains(contact) }

  /// Adds a contact.
  public mutating func insert(_ contact: BareAddress) { contacts.insert(contact) }

  /// Removes a contact.
  public mutating func remove(_ contact: BareAddress) { contacts.remove(contact) }

  /// Removes all.
  public mutating func removeAll() { contacts = TreeSet() }

  /// Those that are in one of two sets alone. Costs what differs where one was made from the other.
  public func symmetricDifference(_ other: ContactSet) -> ContactSet {
    ContactSet(contacts.symmetricDifference(other.contacts))
  }

  /// Those that are in this set and not in another one. Costs what differs where one was made from the other.
  public func subtracting(_ other: ContactSet) -> ContactSet { ContactSet(contacts.subtracting(other.contacts)) }

  /// All of them, in no particular order.
  public func makeIterator() -> AnyIterator<BareAddress> { AnyIterator(contacts.makeIterator()) }
}

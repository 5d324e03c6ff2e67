// SPDX-License-Identifier: Apache-2.0

/// What a person wants ``Visibility`` to be. Groups of the roster can be exceptions as well, so what it comes to changes
/// with the roster.
public struct VisibilityWish: Hashable, Sendable {
  /// Whether those see us who are no exceptions.
  public var showsOthers: Bool
  /// Contacts that are exceptions.
  public var contacts: ContactSet
  /// Groups whose members are exceptions.
  public var groups: Set<String>
  /// Contacts that are none although a group of theirs is.
  public var withheld: ContactSet
  /// Whether we want to see contacts that do not see us, as far as the server lets us.
  public var probes: Bool
  /// Whether a mechanism will do that cannot keep all of it, as `Degraded` then tells.
  public var acceptsLess: Bool

  /// Everybody.
  public static let visible = VisibilityWish(showsOthers: true)
  /// Nobody.
  public static let invisible = VisibilityWish(showsOthers: false)

  /// Says what is wanted.
  public init(
    showsOthers: Bool, contacts: ContactSet = [], groups: Set<String> = [], withheld: ContactSet = [],
    probes: Bool = true, acceptsLess: Bool = false
  ) {
    self.showsOthers = showsOthers
    self.contacts = contacts
    self.groups = groups
    self.withheld = withheld
    self.probes = probes
    self.acceptsLess = acceptsLess
  }

  /// The mode's name.
  public var mode: Mode {
    Visibility(showsOthers: showsOthers, exceptions: contacts).mode.withGroups(!groups.isEmpty)
  }

  /// Whether a contact is an exception.
  /// - Parameter memberships: the contact's groups.
  public func isException(_ contact: BareAddress, in memberships: some Sequence<String>) -> Bool {
    if contacts.contains(contact) { return true }
    return !groups.isEmpty && !withheld.contains(contact) && memberships.contains(where: groups.contains)
  }

  /// Whether anybody may see us by it who may not by another. Where that depends on the roster the answer is yes.
  public func showsMore(than other: VisibilityWish) -> Bool {
    guard probes == other.probes, !acceptsLess || other.acceptsLess else { return true }
    switch (other.showsOthers, showsOthers) {
    case (true, true): return !hasExceptions(of: other)
    case (false, false): return !other.hasExceptions(of: self)
    case (true, false):
      if groups.isEmpty && other.groups.isEmpty { return contacts.contains(where: other.contacts.contains) }
      return !groups.isEmpty || contacts != []
    case (false, true): return true
    }
  }

  /// Whether whoever is an exception of another is one of this.
  private func hasExceptions(of other: VisibilityWish) -> Bool {
    guard other.contacts.subtracting(contacts) == [] else { return false }
    return other.groups.isEmpty || other.groups.isSubset(of: groups) && withheld.subtracting(other.withheld) == []
  }

  // MARK: Changes

  /// Shows us to a contact, whatever its groups are.
  public mutating func show(_ contact: BareAddress) { set(contact, isException: !showsOthers) }

  /// Hides us from a contact, whatever its groups are.
  public mutating func hide(_ contact: BareAddress) { set(contact, isException: showsOthers) }

  /// Shows us to the members of a group. What was said of one of them before is said anew.
  /// - Parameter members: those on the roster, each with all of its groups.
  public mutating func show(group: String, members: [BareAddress: Set<String>] = [:]) {
    set(group, members, isException: !showsOthers)
  }

  /// Hides us from the members of a group. What was said of one of them before is said anew.
  /// - Parameter members: those on the roster, each with all of its groups.
  public mutating func hide(group: String, members: [BareAddress: Set<String>] = [:]) {
    set(group, members, isException: showsOthers)
  }

  private mutating func set(_ contact: BareAddress, isException: Bool) {
    if isException {
      contacts.insert(contact)
      withheld.remove(contact)
    } else {
      contacts.remove(contact)
      if !groups.isEmpty { withheld.insert(contact) }
    }
  }

  private mutating func set(_ group: String, _ members: [BareAddress: Set<String>], isException: Bool) {
    if isException { groups.insert(group) } else { groups.remove(group) }
    for (member, memberships) in members {
      withheld.remove(member)
      guard !isException else { continue }
      contacts.remove(member)
      if !memberships.isDisjoint(with: groups) { withheld.insert(member) }
    }
    if groups.isEmpty { withheld.removeAll() }
  }
}

extension Mode {
  fileprivate func withGroups(_ hasGroups: Bool) -> Mode {
    switch self {
    case .visible where hasGroups: .except
    case .invisible where hasGroups: .only
    default: self
    }
  }
}

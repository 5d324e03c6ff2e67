// SPDX-License-Identifier: Apache-2.0

public import Audience

/// Since when those who see us by subscription do.
package struct ShowingTimes {
  /// When it began for those who are not named below.
  private var beginning = Instant(nanoseconds: 0)
  /// When it began for contacts that were made, or ceased to be, exceptions later.
  private var later: [BareAddress: Instant] = [:]

  /// Nobody sees us yet.
  package init() {}

  /// Notes a change of who may see us. It costs what differs.
  package mutating func change(from old: Visibility, to new: Visibility, at now: Instant) {
    guard old.showsOthers == new.showsOthers, old.mode != .invisible else {
      beginning = now
      later.removeAll()
      return
    }
    for contact in old.exceptions.symmetricDifference(new.exceptions) {
      later[contact] = new.shows(contact) ? now : nil
    }
  }

  /// When it began for a contact that sees us.
  package func since(_ contact: BareAddress) -> Instant { later[contact] ?? beginning }
}

extension Account {
  /// Since when a contact that sees us by its subscription does so.
  public func visibleSince(_ contact: BareAddress) -> Instant { showings.since(contact) }
}

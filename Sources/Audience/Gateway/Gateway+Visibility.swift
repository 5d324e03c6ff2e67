// SPDX-License-Identifier: Apache-2.0

extension Gateway {
  /// Sets which contacts may see any of our addresses. Those who lose sight are told first, with their sessions at an
  /// end; those who are subscribed and gain it are shown us.
  public mutating func setVisibility(_ new: Visibility, now: Instant) -> [GatewayEffect] {
    let old = visibility
    guard new != old else { return [] }
    visibility = new
    // Their indices as a collection would be a copy of all.
    var index = hosts.values.startIndex
    while index != hosts.values.endIndex {
      hosts.values[index].audience.visibility = new
      hosts.values.formIndex(after: &index)
    }
    let leaving = VisibilityPlan.leaving(from: old, to: new)
    // One contact more or less costs what it has to do with.
    let concerned =
      leaving == .all || old.showsOthers != new.showsOthers
      ? Array(pairs.keys) : old.exceptions.symmetricDifference(new.exceptions).filter { pairs[$0] != nil }
    var effects: [GatewayEffect] = []
    for contact in concerned.sorted() {
      let gains = !old.shows(contact) && new.shows(contact)
      let leaves = leaving == .all || leaving != nil && !new.shows(contact)
      for target in targets(of: contact) {
        effects += change(target, with: contact, now: now) { host in
          host.visibilityChanged(for: contact, leaves: leaves, gains: gains)
        }
      }
    }
    return effects
  }
}

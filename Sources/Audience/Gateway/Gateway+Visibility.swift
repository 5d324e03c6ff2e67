// SPDX-License-Identifier: Apache-2.0

extension Gateway {
  /// Sets which contacts may see any of our addresses. Those who lose sight are told first, with their sessions at an
  /// end; those who are subscribed and gain it are shown us.
  public mutating func setVisibility(_ new: Visibility, now: Instant) -> [GatewayEffect] {
    let old = visibility
    guard new != old else { return [] }
    visibility = new
    let leaving = VisibilityPlan.leaving(from: old, to: new)
    return changeAll(now: now) { host in
      let effects = leaving.map { host.decloak.hide($0, audience: &host.audience) } ?? []
      let changes = host.decloak.visibilityChanged(to: new, audience: &host.audience)
      let shown = old.difference(to: new, among: host.audience.subscribers).shown
      return effects + changes + shown.map { .show(.bare($0), full: true) }
    }
  }
}

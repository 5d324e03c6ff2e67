// SPDX-License-Identifier: Apache-2.0

extension Gateway {
  /// When ``timePassed(now:)`` may have something to do next.
  public var nextDeadline: Instant? {
    switch (deadlines.next, subscriptions.nextDeadline) {
    case (let mine?, let theirs?): min(mine, theirs)
    case (let mine, let theirs): mine ?? theirs
    }
  }

  /// Ends what is over. Costs what is due.
  public mutating func timePassed(now: Instant) -> [GatewayEffect] {
    var effects: [GatewayEffect] = []
    while let (instant, pair) = deadlines.takeDue(now) {
      // What was put off meanwhile has been noted anew.
      guard pairs[pair.contact]?[pair.target]?.scheduled == instant else { continue }
      pairs[pair.contact]?[pair.target]?.scheduled = .never
      effects += change(pair.target, with: pair.contact, now: now) { host in
        host.decloak.timePassed(with: pair.contact, audience: &host.audience, now: now)
      }
    }
    subscriptions.timePassed(now)
    return effects
  }
}

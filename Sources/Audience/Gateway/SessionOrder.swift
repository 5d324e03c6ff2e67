// SPDX-License-Identifier: Apache-2.0

/// A session of one of a gateway's addresses.
struct GatewaySession: Hashable, Sendable {
  let target: BareAddress
  let address: Address
}

/// The sessions of all of a gateway's addresses, in the order in which something was last exchanged in them.
struct SessionOrder: Sendable {
  private var all = RecencyList<GatewaySession>()
  private var domains: [String: RecencyList<GatewaySession>] = [:]

  /// How many there are.
  var count: Int { all.count }

  /// Notes a session that has begun, or in which something was exchanged.
  mutating func touch(_ session: GatewaySession) {
    all.touch(session)
    domains[String(session.address.account.domain), default: RecencyList()].touch(session)
  }

  /// Forgets a session.
  mutating func remove(_ session: GatewaySession) {
    all.remove(session)
    let domain = String(session.address.account.domain)
    domains[domain]?.remove(session)
    if domains[domain]?.count == 0 { domains[domain] = nil }
  }

  /// Whose turn it is to end where there are too many: the session that was silent longest, of the domain that the last
  /// one came from if that has more than its share.
  /// - Parameter contact: who came last.
  /// - Returns: `nil` where there is room for all.
  func surplus(after contact: BareAddress) -> GatewaySession? {
    guard count > Limits.gatewaySessions else { return nil }
    let mine = domains[String(contact.domain)]
    return mine.flatMap { $0.count > Limits.gatewaySessionsPerDomain ? $0.oldest : nil } ?? all.oldest
  }
}

// SPDX-License-Identifier: Apache-2.0

@testable import Audience

/// What a gateway notes beside its hosts, found out once more by walking through all of them.
struct GatewayBooks {
  let gateway: Gateway

  /// What does not agree first.
  var fault: String? {
    let hosts = gateway.hosts
    var pairs: Set<GatewayPair> = []
    var sessions = 0
    var seen: [BareAddress: Int] = [:]
    var silenced = 0
    var shown: [String: Int] = [:]
    var pending: Set<String> = []
    for (target, host) in hosts {
      if gateway.hostsBySerial[host.serial] != target { return "\(target) is not found by its serial" }
      if host.decloak.rules != DecloakRules() { return "\(target) has kept the rules" }
      if host.audience.visibility != gateway.visibility { return "\(target) has another visibility" }
      if host.decloak.policy != gateway.policy { return "\(target) has another policy" }
      if host.verdict != gateway.verdict(on: target, anew: ()) { return "\(target) has another verdict" }
      for contact in contacts(of: host) {
        let pair = GatewayPair(target: target, contact: contact)
        pairs.insert(pair)
        let mine = host.audience.sessions.keys.filter { $0.account == contact }
        sessions += mine.count
        if !mine.isEmpty { seen[contact, default: 0] += 1 }
        guard let state = gateway.pairs[contact]?[target] else { return "\(pair) is not in the books" }
        if state.sessions != Set(mine) { return "\(pair) has sessions that are not in the books" }
        if let deadline = deadline(host, contact), state.scheduled > deadline { return "\(pair) is not waited for" }
        if state.isSilenced != (host.decloak.silences[contact] != nil) { return "\(pair) is silenced, or not" }
      }
      silenced += host.decloak.silences.count
      for address in host.audience.shown { shown[String(address.account.domain), default: 0] += 1 }
      pending.formUnion(host.decloak.pending.values.map(\.id))
      if host.contacts != contacts(of: host) { return "\(target) knows of other contacts" }
      if host.isIdle { return "\(target) is kept for nothing" }
    }
    let inBooks = gateway.pairs.flatMap { contact, targets in
      targets.keys.map { GatewayPair(target: $0, contact: contact) }
    }
    if Set(inBooks) != pairs || gateway.pairCount != pairs.count { return "\(inBooks) are in the books" }
    if gateway.pairs.values.contains(where: \.isEmpty) { return "somebody has to do with nothing" }
    if gateway.hostsBySerial.count != hosts.count { return "there are serials of nobody" }
    if gateway.order.count != sessions { return "\(gateway.order.count) sessions are in order" }
    if gateway.seenInSessions != seen { return "\(gateway.seenInSessions) are counted" }
    if gateway.silenced.count != silenced { return "\(gateway.silenced.count) are silenced" }
    if gateway.shownCount != shown.values.reduce(0, +) { return "\(gateway.shownCount) are shown" }
    for domain in ["capulet.example", "montague.example"]
    where gateway.shownDomains[BareAddress(domain)] != shown[domain] ?? 0 {
      return "\(gateway.shownDomains) are shown"
    }
    if Set(gateway.places.waiting.map(\.id)) != pending { return "\(pending) wait" }
    let next = hosts.values.flatMap { host in contacts(of: host).compactMap { deadline(host, $0) } }.min()
    if let next, gateway.nextDeadline.map({ $0 > next }) ?? true { return "the next deadline is \(next)" }
    return nil
  }

  /// Everybody of whom something is known.
  private func contacts(of host: GatewayHost) -> Set<BareAddress> {
    let (audience, decloak) = (host.audience, host.decloak)
    return Set(audience.sessions.keys.map(\.account)).union(audience.subscribers).union(audience.shown.map(\.account))
      .union(decloak.pending.keys).union(decloak.asks.keys).union(decloak.peers.keys.map(\.account))
      .union(gateway.pairs.keys.filter { decloak.silences[$0] != nil })
  }

  private func deadline(_ host: GatewayHost, _ contact: BareAddress) -> Instant? {
    let sessions = host.audience.sessions.values.filter { $0.address.account == contact }.map(\.expiresAt)
    let peers = host.decloak.peers.values.filter { $0.address.account == contact }.map(\.expiresAt)
    let request = host.decloak.pending[contact].map { request in
      request.hasUnreportedChange ? min(request.expiresAt, request.reportedAt.later(bySeconds: 1)) : request.expiresAt
    }
    return (sessions + peers + [request, host.decloak.silences[contact]?.until].compactMap { $0 }).min()
  }
}

extension Gateway {
  /// What the rules say about an address, whatever its host has been told.
  fileprivate func verdict(on target: BareAddress, anew: Void) -> TargetRules.Verdict {
    Self.canonical(target, in: domain).map(rules.targets.verdict) ?? .hidden
  }
}

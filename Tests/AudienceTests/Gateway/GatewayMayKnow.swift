// SPDX-License-Identifier: Apache-2.0

@testable import Audience

/// A second, shorter answer to "who may know" at a gateway, kept from the events alone.
struct GatewayMayKnow {
  /// A leave to see one address.
  struct Grant {
    var until: Instant
    /// From when its lifetime counts.
    var from: Instant
    /// Whether it was given on request.
    var isAnswer = false
    /// Whether it was given by asking, and by nothing else.
    var isAsking = false
  }

  /// A request of our own.
  struct Ask {
    let until: Instant
    let lifetime: UInt32
    var isAnswered = false
  }

  /// A call that was begun.
  struct Call: Hashable {
    let session: GatewaySession
    let id: String
  }

  /// An address of ours as a person understands it; `nil` where it stands for nobody.
  let meant: [BareAddress: String]
  var policy = Decloak.Policy.off
  /// What people decided about askers and addresses, by the rule's text.
  var rules: [String: RuleDecision] = [:]
  var showsOthers = true
  var exceptions: Set<BareAddress> = []
  var subscriptions: Set<GatewaySubscription> = []
  /// Those that a person granted and meant, whoever is hidden from.
  var revealed: Set<GatewaySubscription> = []
  var grants: [GatewaySession: Grant] = [:]
  /// What was asked of whom on whose behalf: sessions with bare addresses.
  var asks: [GatewaySession: Ask] = [:]
  var calls: Set<Call> = []
  /// Who asked whom and has not left, and when it last did.
  var asking: [GatewaySession: Instant] = [:]

  /// What the rules say about an address; `nil` for one that must look as if it did not exist.
  func gate(_ target: BareAddress) -> RuleDecision? {
    guard let meant = meant[target] else { return nil }
    let patterns = rules.filter { $0.key.hasPrefix("to:") }.map { (String($0.key.dropFirst(3)), $0.value) }
    guard !patterns.isEmpty else { return .allow }
    let order: [RuleDecision] = [.allow, .ask, .deny]
    let best = patterns.filter { Self.matches(Array($0.0), Array(meant)) }.map { text, decision in
      (text.filter { $0 != "*" }.count, order.firstIndex(of: decision) ?? 0)
    }.max { $0 < $1 }
    guard let best, order[best.1] != .deny else { return nil }
    return order[best.1]
  }

  static func matches(_ pattern: [Character], _ text: [Character]) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    let rest = Array(pattern.dropFirst())
    if first == "*" { return (0...text.count).contains { matches(rest, Array(text.dropFirst($0))) } }
    return text.first == first && matches(rest, Array(text.dropFirst()))
  }

  /// The text of the rule that decides about an asker.
  func rule(for contact: BareAddress) -> String? {
    [contact.text, "@\(contact.domain)"].first { rules[$0] != nil }
  }

  /// Whether what a person decided beforehand shows an address to somebody that asks.
  func isAllowed(_ contact: BareAddress, _ target: BareAddress) -> Bool {
    guard policy != .off, showsOthers, !exceptions.contains(contact), gate(target) == .allow else { return false }
    if let rule = rule(for: contact) { return rules[rule] == .allow }
    return policy == .allow || (policy == .rules && rules.keys.contains { $0.hasPrefix("to:") })
  }

  func isSubscribed(_ contact: BareAddress, _ target: BareAddress) -> Bool {
    subscriptions.contains(GatewaySubscription(contact: contact, target: target)) && policy != .off
      && gate(target) != nil && rule(for: contact).map { rules[$0] != .deny } ?? true
      && showsOthers != exceptions.contains(contact)
  }

  func contains(_ address: Address, _ target: BareAddress) -> Bool {
    isSubscribed(address.account, target) || grants[GatewaySession(target: target, address: address)] != nil
      || grants[GatewaySession(target: target, address: .bare(address.account))] != nil
  }

  mutating func grant(_ session: GatewaySession, _ lifetime: UInt32, isAnswer: Bool, now: Instant) {
    grants[session] = Grant(until: now.later(bySeconds: lifetime), from: now, isAnswer: isAnswer)
  }

  mutating func end(where isOver: (GatewaySession, Grant) -> Bool) {
    grants = grants.filter { !isOver($0.key, $0.value) }
    asks = asks.filter { grants[$0.key] != nil }
  }

  /// Forgets calls with those who see us no longer.
  mutating func forgetCalls() { calls = calls.filter { contains($0.session.address, $0.session.target) } }

  mutating func exchanged(_ address: Address, _ target: BareAddress, now: Instant) {
    for (session, grant) in grants where session.target == target && session.address.account == address.account {
      guard session.address == address || [session.address, address].contains(.bare(address.account)), grant.until > now
      else { continue }
      // Until our own request is answered time runs.
      if let ask = asks[session], !ask.isAnswered { continue }
      let lifetime = grant.until.nanoseconds - grant.from.nanoseconds
      grants[session]?.until = max(grant.until, Instant(nanoseconds: now.nanoseconds + lifetime))
      grants[session]?.from = now
    }
  }

  // MARK: Asking

  mutating func ask(_ contact: BareAddress, _ target: BareAddress, _ lifetime: UInt32, now: Instant) {
    let session = GatewaySession(target: target, address: .bare(contact))
    let until = now.later(bySeconds: Limits.askLifetime)
    if let grant = grants[session] {
      grants[session]?.until = max(grant.until, until)
    } else {
      grants[session] = Grant(until: until, from: now, isAsking: true)
    }
    asks[session] = Ask(until: until, lifetime: lifetime)
  }

  /// Whether we wait for somebody, or it has answered.
  func isAsked(_ contact: BareAddress, _ target: BareAddress, now: Instant) -> Bool {
    asks[GatewaySession(target: target, address: .bare(contact))].map { $0.isAnswered || $0.until > now } ?? false
  }

  mutating func appeared(_ address: Address, _ target: BareAddress, now: Instant) {
    let session = GatewaySession(target: target, address: .bare(address.account))
    guard isAsked(address.account, target, now: now), let ask = asks[session], let grant = grants[session],
      grant.until > now, !ask.isAnswered
    else { return }
    asks[session]?.isAnswered = true
    let end = now.later(bySeconds: ask.lifetime)
    grants[session]?.until = grant.isAsking ? end : max(grant.until, end)
    if grant.isAsking { grants[session]?.from = now }
  }
}

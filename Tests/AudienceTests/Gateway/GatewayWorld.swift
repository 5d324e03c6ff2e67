// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

let sip = "sip.shakespeare.lit"
let romeoAtSip = BareAddress("romeo%shakespeare.lit@\(sip)")
let juliet = BareAddress("juliet@capulet.example")

/// The core as a gateway's shell holds it, with a clock that is moved by hand and a server that takes what leaves: each
/// stanza only if the gateway itself lets it.
struct GatewayWorld {
  var gateway: Gateway
  var now = Instant(nanoseconds: 0)
  /// Who sees which address as the stanzas say that have left.
  private(set) var seen: Set<GatewaySession> = []
  /// What the gateway wanted sent and did not let leave.
  private(set) var refused: [GatewayEffect] = []
  /// What a store keeps.
  private(set) var kept: Set<GatewaySubscription> = []
  var isConnected = true
  /// Whether presence waits for its turn, as where there is much of it.
  var isPaced = false { didSet { if isPaced { hasWaited = true } } }
  private var hasWaited = false
  private var queue: [GatewaySession] = []
  var isWaiting: Bool { !queue.isEmpty }
  /// Who was told that an address is gone and did not see it.
  private(set) var toldInVain: [GatewaySession] = []

  init(
    _ policy: Decloak.Policy = .ask, rules: [String: RuleDecision] = [:], visibility: Visibility = .visible,
    subscriptions: [GatewaySubscription] = [], isBalanced: Bool = false
  ) {
    var decisions: [RuleSubject: RuleDecision] = [:]
    for (text, decision) in rules { decisions[subject(text)] = decision }
    gateway = Gateway(
      domain: sip, nonce: "boot", policy: policy, rules: DecloakRules(decisions), visibility: visibility,
      subscriptions: subscriptions, isBalanced: isBalanced)
    kept = Set(subscriptions)
  }

  /// What a shell does with effects: it sends, and notes what it has sent.
  @discardableResult
  mutating func sending(_ effects: [GatewayEffect]) -> [GatewayEffect] {
    for effect in effects {
      switch effect {
      case .decloak(let target, .show(let address, _)), .decloak(let target, .hide(let address)):
        if isPaced {
          queue.append(GatewaySession(target: target, address: address))
        } else {
          send(effect.isHide ? .unavailable : .available, effect, target, address)
        }
      case .decloak(let target, .request(let contact, _)): send(.available, effect, target, .bare(contact))
      case .subscribed(let subscription), .unsubscribed(let subscription):
        send(.subscription, effect, subscription.target, .bare(subscription.contact))
      case .keep(let subscription): kept.insert(subscription)
      case .drop(let subscription): kept.remove(subscription)
      default: break
      }
    }
    return effects
  }

  private mutating func send(
    _ departure: Departure, _ effect: GatewayEffect, _ target: BareAddress, _ address: Address
  ) {
    guard isConnected else { return }
    let session = GatewaySession(target: target, address: address)
    if departure == .unavailable, !seen.contains(session) {
      // What was to be shown may wait still.
      if !hasWaited { toldInVain.append(session) }
      return
    }
    guard gateway.verdict(departure, from: target, to: address) == .send else {
      refused.append(effect)
      return
    }
    gateway.noteDeparture(departure, from: target, to: address)
    switch departure {
    case .available: seen.insert(session)
    case .unavailable: seen.remove(session)
    default: break
    }
  }

  /// Those who wait have their turn: what is true by now is said.
  mutating func takeTurns() {
    isPaced = false
    let turns = queue
    queue.removeAll()
    for session in turns where isConnected {
      let audience = gateway.audience(of: session.target)
      if audience.contains(session.address) {
        sending([.decloak(session.target, .show(session.address, full: audience.seesAll(session.address)))])
      } else if audience.wasShown(session.address) {
        sending([.decloak(session.target, .hide(session.address))])
      }
    }
  }

  /// Somebody has left, and knows that it sees nothing more.
  mutating func forget(_ session: GatewaySession) { seen.remove(session) }

  // MARK: Time

  /// Lets seconds go by without the timer, as when it is late.
  mutating func pass(_ seconds: Double) {
    now = Instant(nanoseconds: now.nanoseconds + Int64(seconds * 1e9))
  }

  /// Lets seconds go by, then the timer fires.
  @discardableResult
  mutating func wait(_ seconds: Double) -> [GatewayEffect] {
    pass(seconds)
    return sending(gateway.timePassed(now: now))
  }

  // MARK: Events

  @discardableResult
  mutating func receive(
    _ requester: String = "juliet@capulet.example/balcony", at target: BareAddress = romeoAtSip,
    _ reason: DecloakReason = .media
  ) -> [GatewayEffect] {
    let arrived = ArrivedRequest(
      requester: jid(requester), reason: reason, namespaces: ["urn:xmpp:decloak:0"], isInRoster: false)
    return sending(gateway.received(arrived, at: target, now: now))
  }

  @discardableResult
  mutating func leave(_ address: String, from target: BareAddress = romeoAtSip) -> [GatewayEffect] {
    sending(gateway.left(jid(address), from: target, now: now))
  }

  @discardableResult
  mutating func subscribe(_ contact: BareAddress = juliet, to target: BareAddress = romeoAtSip) -> [GatewayEffect] {
    sending(gateway.subscribe(contact, to: target, now: now))
  }

  @discardableResult
  mutating func unsubscribe(
    _ contact: BareAddress = juliet, from target: BareAddress = romeoAtSip
  ) -> [GatewayEffect] {
    sending(gateway.unsubscribe(contact, from: target, now: now))
  }

  @discardableResult
  mutating func authorize(
    _ contact: BareAddress = juliet, to target: BareAddress? = nil, reveal: Bool = false
  ) throws(DecloakError) -> [GatewayEffect]? {
    let effects = try gateway.authorizeSubscription(contact, to: target, reveal: reveal, now: now)
    return effects.map { sending($0) }
  }

  mutating func refuseSubscription(_ contact: BareAddress) -> Bool { gateway.denySubscription(contact, to: nil) }

  @discardableResult
  mutating func probe(_ address: String, at target: BareAddress = romeoAtSip) -> [GatewayEffect] {
    sending(gateway.probed(jid(address), at: target))
  }

  // MARK: What people say

  @discardableResult
  mutating func approve(
    _ id: String, _ scope: AnswerScope = .once, full: Bool = false, lifetime: UInt32 = Limits.sessionLifetime
  ) throws(DecloakError) -> [GatewayEffect] {
    sending(try gateway.approve(id, scope: scope, full: full, lifetime: lifetime, now: now))
  }

  @discardableResult
  mutating func deny(_ id: String, _ scope: AnswerScope = .once) throws(DecloakError) -> [GatewayEffect] {
    sending(try gateway.deny(id, scope: scope, now: now))
  }

  @discardableResult
  mutating func setRule(_ text: String, _ decision: RuleDecision?) throws(DecloakError) -> [GatewayEffect] {
    sending(try gateway.setRule(decision, for: subject(text), now: now))
  }

  @discardableResult
  mutating func setPolicy(_ policy: Decloak.Policy) -> [GatewayEffect] {
    sending(gateway.setPolicy(policy, now: now))
  }

  @discardableResult
  mutating func setVisibility(_ visibility: Visibility) -> [GatewayEffect] {
    sending(gateway.setVisibility(visibility, now: now))
  }

  @discardableResult
  mutating func share(
    _ address: String, from target: BareAddress = romeoAtSip, full: Bool = false,
    lifetime: UInt32 = Limits.sessionLifetime
  ) throws(DecloakError) -> [GatewayEffect] {
    sending(try gateway.share(target, with: jid(address), full: full, lifetime: lifetime, now: now))
  }

  @discardableResult
  mutating func revoke(_ contact: BareAddress? = nil) -> [GatewayEffect] {
    sending(gateway.revoke(contact, now: now).effects)
  }

  // MARK: The stream

  @discardableResult
  mutating func disconnect(inOrder: Bool) -> [GatewayEffect] {
    isPaced = false
    if !inOrder { isConnected = false }
    let effects = sending(gateway.disconnected(inOrder: inOrder, now: now))
    isConnected = false
    queue.removeAll()
    return effects
  }

  @discardableResult
  mutating func connect() -> [GatewayEffect] {
    isConnected = true
    return sending(gateway.connected())
  }

  /// An earlier run of the program had shown an address.
  mutating func inherit(_ target: BareAddress, _ address: Address) {
    gateway.inherit(shown: [(target, address)])
    seen.insert(GatewaySession(target: target, address: address))
  }

  // MARK: What is there

  func pendingID(_ contact: BareAddress = juliet, at target: BareAddress = romeoAtSip) -> String {
    gateway.pendingRequests.first { $0.target == target && $0.request.contact == contact }?.request.id ?? ""
  }

  func shows(_ target: BareAddress = romeoAtSip, to address: String) -> Bool {
    gateway.shows(target, to: jid(address))
  }

  func sees(_ address: String, _ target: BareAddress = romeoAtSip) -> Bool {
    seen.contains(GatewaySession(target: target, address: jid(address)))
  }
}

// What there is of thousands tells nobody why a test failed.
extension GatewayWorld: CustomTestStringConvertible {
  var testDescription: String { "a gateway with \(gateway.sessionCount) sessions" }
}

/// The subject of a rule as it is written on the bus.
func subject(_ text: String) -> RuleSubject {
  if text.hasPrefix("to:"), let pattern = try? TargetPattern(String(text.dropFirst(3))) { return .target(pattern) }
  return text.hasPrefix("@") ? .domain(String(text.dropFirst())) : .contact(BareAddress(text))
}

extension GatewayEffect {
  var isHide: Bool { if case .decloak(_, .hide) = self { true } else { false } }
}

extension [GatewayEffect] {
  /// What Decloak wants done, on whoever's behalf.
  var decloak: [DecloakEffect] {
    compactMap { if case .decloak(_, let effect) = $0 { effect } else { nil } }
  }

  /// What leaves.
  var sent: [GatewayEffect] {
    filter { effect in
      switch effect {
      case .decloak(_, .show), .decloak(_, .request), .decloak(_, .hide), .subscribed, .unsubscribed: true
      default: false
      }
    }
  }

  /// Subscription requests that a person is told of.
  var announcedSubscriptions: [GatewaySubscription] {
    compactMap { if case .announceSubscription(let request) = $0 { request.subscription } else { nil } }
  }
}

// SPDX-License-Identifier: Apache-2.0

@testable import Audience

/// The address that a JID's text names.
func jid(_ text: String) -> Address {
  guard let slash = text.firstIndex(of: "/") else { return .bare(BareAddress(text)) }
  return .full(FullAddress(BareAddress(String(text[..<slash])), resource: String(text[text.index(after: slash)...])))
}

let tybalt = BareAddress("tybalt@capulet.example")
let romeo = BareAddress("romeo@montague.example")

/// The core as an account holds it: the machine, its audience, a clock that is moved by hand, and a server that
/// notes what leaves.
struct World {
  var decloak = Decloak(nonce: "boot")
  var audience = Audience(account: BareAddress("juliet@capulet.example"))
  var now = Instant(nanoseconds: 0)

  /// - Parameters:
  ///   - mode: what holds from the start.
  ///   - subscribers: who is subscribed to our presence.
  init(_ policy: Decloak.Policy = .ask, mode: Mode = .visible, subscribers: Set<BareAddress> = []) {
    setPolicy(policy)
    rosterReplaced(subscribers)
    setMode(mode)
  }

  /// What an account does with effects: it sends, and notes what it has sent.
  @discardableResult
  private mutating func sending(_ effects: [DecloakEffect]) -> [DecloakEffect] {
    for effect in effects {
      switch effect {
      case .show(let address, _): audience.noteDeparture(.available, to: address)
      case .request(let contact, _): audience.noteDeparture(.available, to: .bare(contact))
      case .hide(let address): audience.noteDeparture(.unavailable, to: address)
      default: break
      }
    }
    return effects
  }

  // MARK: Time

  /// Lets seconds go by without the timer, as when it is late.
  mutating func pass(_ seconds: Double) {
    now = Instant(nanoseconds: now.nanoseconds + Int64(seconds * 1e9))
  }

  /// Lets seconds go by, then the timer fires.
  @discardableResult
  mutating func wait(_ seconds: Double) -> [DecloakEffect] {
    pass(seconds)
    return sending(decloak.timePassed(audience: &audience, now: now))
  }

  // MARK: Events

  @discardableResult
  mutating func setPolicy(_ policy: Decloak.Policy) -> [DecloakEffect] {
    sending(decloak.setPolicy(policy, audience: &audience, now: now))
  }

  @discardableResult
  mutating func receive(
    _ requester: String, _ reason: DecloakReason = .media, namespaces: [String] = ["urn:xmpp:decloak:0"],
    isInRoster: Bool = false
  ) -> [DecloakEffect] {
    let arrived = ArrivedRequest(
      requester: jid(requester), reason: reason, namespaces: namespaces, isInRoster: isInRoster)
    return sending(decloak.received(arrived, audience: &audience, now: now))
  }

  @discardableResult
  mutating func approve(
    _ id: String, _ scope: AnswerScope = .once, full: Bool = false, lifetime: UInt32 = Limits.sessionLifetime
  ) throws(DecloakError) -> [DecloakEffect] {
    sending(try decloak.approve(id, scope: scope, full: full, lifetime: lifetime, audience: &audience, now: now))
  }

  @discardableResult
  mutating func deny(_ id: String, _ scope: AnswerScope = .once) throws(DecloakError) -> [DecloakEffect] {
    sending(try decloak.deny(id, scope: scope, audience: &audience, now: now))
  }

  @discardableResult
  mutating func setRule(_ subject: String, _ decision: RuleDecision?) throws(DecloakError) -> [DecloakEffect] {
    let subject: RuleSubject =
      subject.hasPrefix("@") ? .domain(String(subject.dropFirst())) : .contact(BareAddress(subject))
    return sending(try decloak.setRule(decision, for: subject, audience: &audience, now: now))
  }

  @discardableResult
  mutating func leave(_ address: String) -> [DecloakEffect] {
    sending(decloak.left(jid(address), audience: &audience))
  }

  @discardableResult
  mutating func ask(
    _ contact: BareAddress, _ reason: DecloakReason = .media, lifetime: UInt32 = Limits.sessionLifetime,
    reveal: Bool = false, isSeen: Bool = false
  ) throws(DecloakError) -> Decloak.Asked {
    let asked = try decloak.ask(
      contact, reason: reason, lifetime: lifetime, reveal: reveal, isSeen: isSeen, audience: &audience, now: now)
    sending(asked.effects)
    return asked
  }

  @discardableResult
  mutating func appear(_ address: String) -> [DecloakEffect] {
    sending(decloak.appeared(jid(address), audience: &audience, now: now))
  }

  @discardableResult
  mutating func exchange(with address: Address) -> [DecloakEffect] {
    sending(decloak.exchanged(with: address, audience: &audience, now: now))
  }

  @discardableResult
  mutating func endCall(_ address: Address, _ last: JingleCalls.Last) -> [DecloakEffect] {
    sending(decloak.callEnded(with: address, last, audience: &audience))
  }

  @discardableResult
  mutating func share(
    _ address: String, full: Bool = false, lifetime: UInt32 = Limits.sessionLifetime
  ) throws(DecloakError) -> [DecloakEffect] {
    sending(try decloak.share(jid(address), full: full, lifetime: lifetime, audience: &audience, now: now))
  }

  @discardableResult
  mutating func revoke(_ contact: BareAddress? = nil) -> (effects: [DecloakEffect], ended: Int) {
    let revoked = decloak.revoke(contact, audience: &audience)
    sending(revoked.effects)
    return revoked
  }

  @discardableResult
  mutating func upgrade(_ contact: BareAddress) throws(DecloakError) -> [DecloakEffect] {
    sending(try decloak.upgrade(contact, audience: &audience))
  }

  @discardableResult
  mutating func roster(_ contact: BareAddress, seesUs: Bool, seen: Bool = false) -> [DecloakEffect] {
    sending(decloak.subscriptionChanged(contact, seesUs: seesUs, seen: seen, audience: &audience))
  }

  @discardableResult
  mutating func rosterReplaced(_ subscribers: Set<BareAddress>) -> [DecloakEffect] {
    sending(decloak.rosterReplaced(subscribers, audience: &audience))
  }

  /// Changes the mode in the steps of the plan for a stream that is up.
  @discardableResult
  mutating func setMode(_ mode: Mode) -> [DecloakEffect] {
    guard mode != audience.mode else { return [] }
    return setVisibility(mode == .visible ? .visible : .invisible)
  }

  @discardableResult
  mutating func setVisibility(_ new: Visibility) -> [DecloakEffect] {
    let old = audience.visibility
    guard old.showsOthers == new.showsOthers else {
      guard new.showsOthers else {
        let ended = sending(decloak.hide(.all, audience: &audience))
        audience.noteDeparture(.unavailable, to: nil)
        return ended + sending(decloak.visibilityChanged(to: new, audience: &audience))
      }
      let effects = sending(decloak.visibilityChanged(to: new, audience: &audience))
      audience.noteDeparture(.available, to: nil)
      return effects
    }
    let leaving = old.exceptions.symmetricDifference(new.exceptions).filter { old.shows($0) }.sorted()
    return sending(decloak.hide(.contacts(leaving), audience: &audience))
      + sending(decloak.visibilityChanged(to: new, audience: &audience))
  }

  @discardableResult
  mutating func disconnect(inOrder: Bool) -> [DecloakEffect] {
    if !inOrder { audience.streamEnded() }
    let effects = sending(decloak.disconnected(inOrder: inOrder, audience: &audience))
    audience.streamEnded()
    return effects
  }

  @discardableResult
  mutating func resume(unconfirmed: Set<Address> = [], hasNewPresence: Bool = false) -> [DecloakEffect] {
    sending(decloak.resumed(unconfirmed: unconfirmed, hasNewPresence: hasNewPresence, audience: audience))
  }

  // MARK: Questions

  /// A contact asks and leaves at once.
  mutating func receiveAndLeave(_ requester: String) -> [DecloakEffect] { receive(requester) + leave(requester) }

  /// The id of the request of a contact that waits.
  func pendingID(_ contact: BareAddress) -> String { decloak.pending[contact]?.id ?? "none" }

  func sees(_ address: String) -> Bool { audience.contains(jid(address)) }

  func session(_ address: String) -> Session? { audience.sessions[jid(address)] }
}

/// How a session ended, to be compared.
struct End: Hashable {
  let contact: BareAddress
  let direction: SessionDirection
  let cause: SessionEndCause
}

/// How a request ended, to be compared.
struct Resolution: Hashable {
  let contact: BareAddress
  let outcome: RequestOutcome
}

extension [DecloakEffect] {
  /// Who is sent available presence, requests of our own included.
  var shown: [Address] {
    compactMap {
      switch $0 {
      case .show(let address, _): address
      case .request(let contact, _): .bare(contact)
      default: nil
      }
    }
  }

  var hidden: [Address] { compactMap { if case .hide(let address) = $0 { address } else { nil } } }
  var announced: [DecloakRequest] { compactMap { if case .announce(let request) = $0 { request } else { nil } } }
  var changed: [DecloakRequest] { compactMap { if case .changed(let request) = $0 { request } else { nil } } }

  var resolved: [Resolution] {
    compactMap {
      if case .resolved(let request, let outcome) = $0 {
        Resolution(contact: request.contact, outcome: outcome)
      } else {
        nil
      }
    }
  }

  /// What is to be written down.
  var decisions: [DecloakDecision] { compactMap { if case .decided(let decision) = $0 { decision } else { nil } } }
  /// Who decided, in the same order.
  var judges: [DecloakDecision.Judge] { decisions.map(\.judge) }
  /// The counts that are to be written down, by id.
  var recounts: [String: UInt32] {
    reduce(into: [:]) { if case .recounted(let id, let count) = $1 { $0[id] = count } }
  }

  var ends: [End] {
    compactMap {
      if case .sessionEnded(let contact, let direction, let cause) = $0 {
        End(contact: contact, direction: direction, cause: cause)
      } else {
        nil
      }
    }
  }

  /// Whether none of them sends anything.
  var sendNothing: Bool {
    allSatisfy {
      switch $0 {
      case .show, .request, .hide, .subscribeBothWays: false
      default: true
      }
    }
  }
}

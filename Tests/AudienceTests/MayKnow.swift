// SPDX-License-Identifier: Apache-2.0

@testable import Audience

/// A second, shorter answer to "who may know", kept from the events alone.
struct MayKnow {
  /// A leave to see us.
  struct Grant {
    var until: Instant
    /// When it was given, or last renewed.
    var since: Instant
    /// Whether it was given on request.
    var isAnswer = false
  }

  var policy = Decloak.Policy.off
  /// What people decided, by the rule's text.
  var rules: [String: RuleDecision] = [:]
  /// Whether subscribers see us, and for whom it is the other way round.
  var showsOthers = true
  var exceptions: Set<BareAddress> = []
  var subscribers: Set<BareAddress> = []
  var grants: [Address: Grant] = [:]
  /// Our own requests: until when an answer counts, how long it would then last, and whether it came.
  var asks: [BareAddress: (until: Instant, lifetime: UInt32, began: Bool, isAnswered: Bool)] = [:]
  var upgrading: Set<Address> = []
  /// Who has been sent presence and not been told that it ended.
  var told: Set<Address> = []
  /// Who asked and has not left, and when it last did.
  var asking: [Address: Instant] = [:]
  /// Whom a person said no to, and until when it is not heard.
  var refused: [BareAddress: Instant] = [:]

  func shows(_ contact: BareAddress) -> Bool { showsOthers != exceptions.contains(contact) }

  func isSubscribed(_ contact: BareAddress) -> Bool { subscribers.contains(contact) && shows(contact) }

  func contains(_ address: Address) -> Bool {
    isSubscribed(address.account) || grants[address] != nil || grants[.bare(address.account)] != nil
  }

  /// The text of the rule that decides about a contact.
  func rule(for contact: BareAddress) -> String? {
    [contact.text, "@\(contact.domain)"].first { rules[$0] != nil }
  }

  /// Whether what a person decided beforehand shows us to a contact that asks.
  func isAllowed(_ contact: BareAddress) -> Bool {
    guard policy != .off, showsOthers, !exceptions.contains(contact) else { return false }
    return rule(for: contact).map { rules[$0] == .allow } ?? (policy == .allow)
  }

  /// Whether somebody asked so lately that it can still be answered.
  func waits(_ address: Address, _ now: Instant) -> Bool {
    asking[address].map { $0.later(bySeconds: Limits.requestLifetime) > now } ?? false
  }

  mutating func grant(_ address: Address, _ lifetime: UInt32, isAnswer: Bool = false, now: Instant) {
    grants[address] = Grant(until: now.later(bySeconds: lifetime), since: now, isAnswer: isAnswer)
    upgrading.remove(address)
  }

  /// Something was said in sessions: each lasts as long again. But our own request waits for its answer, not for talk.
  mutating func exchanged(with address: Address, now: Instant) {
    let contact = address.account
    for (who, grant) in grants where who.account == contact && grant.until > now {
      let isMeant = who == address || who == .bare(contact) || address == .bare(contact)
      guard isMeant, who != .bare(contact) || asks[contact]?.isAnswered != false else { continue }
      let lifetime = grant.until.nanoseconds - grant.since.nanoseconds
      grants[who]?.until = max(grant.until, Instant(nanoseconds: now.nanoseconds + lifetime))
      grants[who]?.since = now
    }
  }

  mutating func ask(_ contact: BareAddress, lifetime: UInt32, now: Instant) {
    let until = now.later(bySeconds: 120)
    let before = grants[.bare(contact)]
    asks[contact] = (until, lifetime, began: before == nil, isAnswered: false)
    grants[.bare(contact), default: Grant(until: until, since: now)].until = max(before?.until ?? until, until)
  }

  mutating func appeared(_ contact: BareAddress, now: Instant) {
    guard let ask = asks[contact], !ask.isAnswered, ask.until > now, let grant = grants[.bare(contact)],
      grant.until > now
    else { return }
    asks[contact]?.isAnswered = true
    let end = now.later(bySeconds: ask.lifetime)
    grants[.bare(contact)]?.until = ask.began ? end : max(grant.until, end)
    if ask.began { grants[.bare(contact)]?.since = now }
  }

  mutating func end(where isOver: (Address, Grant) -> Bool) {
    for (address, grant) in grants where isOver(address, grant) {
      grants[address] = nil
      upgrading.remove(address)
      if case .bare(let contact) = address { asks[contact] = nil }
    }
  }

  mutating func upgraded(_ contact: BareAddress) {
    guard isSubscribed(contact), upgrading.contains(where: { $0.account == contact }) else {
      return
    }
    end { address, _ in address.account == contact }
  }

  /// Whoever sees us by subscription needs no session, but for the answer to what we asked.
  mutating func absorb() {
    let waiting = Set(asks.filter { !$0.value.isAnswered }.keys)
    let absorbed = Set(subscribers.filter(isSubscribed)).subtracting(waiting)
    end { address, _ in absorbed.contains(address.account) }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Support

// Who asks to see an address for a while, how long they see it, and what the owner says to it.

extension GatewayRun {
  func ask() throws {
    let (asker, address) = randomPair()
    let pair = Pair(who: asker.full, address: address.jid)
    let verdict = model.verdict(on: pair)
    note("\(asker.role) asks \(address.jid) (\(model.policy), \(model.gate(address.jid)): \(verdict))")
    let sees = model.sight(pair) > .nothing
    let isHeard = !sees && isHeard(pair)
    verdicts[sees ? "of who sees" : isHeard ? verdict : "\(verdict), unheard", default: 0] += 1
    if !sees, verdict != "off" {
      model.asking.insert(pair)
      places[pair.bare] = .now
      if verdict == "allow" { maybe(pair, GatewayModel.Session(isFull: false)) }
      if verdict == "deny", isHeard { unheard[pair.bare] = model.rule(for: asker.bare) ?? "policy" }
    }
    let dialect = StrangerQuestion.dialects.randomElement(using: &numbers) ?? StrangerQuestion.dialects[0]
    asker.directed.insert(address.jid)
    leaving.remove(pair)
    try cast.send(
      asker, "presence", to: randomSpelling(address), "", StrangerQuestion.unseenCapabilities + dialect)
    try cast.fence()
    guard !sees, verdict != "off" else { return }
    let waiting = try requests()[pair.bare]
    if isHeard {
      guard (verdict == "ask") == (waiting != nil) else {
        throw WitnessError("the request of \(asker.role) is \(verdict), and waits: \(waiting != nil)")
      }
      if verdict == "allow" {
        model.sessions[pair] = GatewayModel.Session(isFull: false)
        asker.late.remove(address.jid)
      }
    }
    guard let waiting, Bool.random(using: &numbers) else { return }
    try answer(pair.bare, waiting)
  }

  /// Whether a request would be looked at: it was not refused lately, none waits already, and there are not so many that one
  /// is dropped.
  private func isHeard(_ pair: Pair) -> Bool {
    let now = ContinuousClock.now
    places = places.filter { now - $0.value < .seconds(125) }
    return unheard[pair.bare] == nil && !model.asking.contains { $0.bare == pair.bare }
      && places.keys.count { $0.who == pair.bare.who && $0 != pair.bare } < 4
  }

  func answerOne() throws {
    guard let (pair, id) = try requests().sorted(by: { $0.value < $1.value }).randomElement(using: &numbers) else {
      return
    }
    try answer(pair, id)
  }

  private func answer(_ pair: Pair, _ id: String) throws {
    let isYes = Int.random(in: 0..<3, using: &numbers) > 0
    let isFull = isYes && Bool.random(using: &numbers)
    let domain = "@\(pair.who.drop { $0 != "@" }.dropFirst())"
    let (scope, subject): (String, String?) =
      switch Int.random(in: 0..<6, using: &numbers) {
      case 0: ("domain", domain)
      case 1, 2: ("contact", pair.who)
      default: ("once", nil)
      }
    note("\(isYes ? "Approve" : "Deny") \(pair.who) \(pair.address) \(scope) full=\(isFull)")
    let asking = model.asking.filter { $0.bare == pair }
    places[pair] = nil
    if isYes {
      for one in asking { maybe(one, GatewayModel.Session(isFull: isFull)) }
    } else {
      unheard[pair] = "person"
    }
    if let subject { prepareRule(isYes ? "allow" : "deny", subject) }
    try gateway.call(
      .Decloak, isYes ? "Approve" : "Deny",
      [.string(id), .string(scope), .options(isYes ? ["full": .bool(isFull)] : [:])])
    model.asking.subtract(asking)
    if isYes {
      for one in asking where !leaving.contains(one) {
        // What is seen already stays as much.
        model.sessions[one] = GatewayModel.Session(isFull: isFull)
        cast.askers.first { $0.full == one.who }?.late.remove(one.address)
      }
    }
    if let subject { finishRule(isYes ? "allow" : "deny", subject) }
  }

  /// Somebody leaves: the gateway hears of it when their server likes.
  func mayEnd(_ pair: Pair) {
    leaving.insert(pair)
    if model.sessions[pair.bare]?.isQuestion == true { leaving.insert(pair.bare) }
  }

  /// Somebody goes offline to an address.
  func leave() throws {
    let (asker, address) = randomPair()
    note("\(asker.role) goes offline to \(address.jid)")
    let pair = Pair(who: asker.full, address: address.jid)
    // It knows by itself.
    mayEnd(pair)
    asker.directed.remove(address.jid)
    asker.late.insert(address.jid)
    try cast.send(asker, "presence", to: randomSpelling(address), "type='unavailable'")
    try cast.fence()
    model.sessions[pair] = nil
    model.asking.remove(pair)
    leaving.remove(pair)
    asker.left(address.jid)
  }

  // MARK: Of our own accord

  func share() throws {
    let (asker, address) = (cast.askers.randomElement(using: &numbers) ?? cast.askers[0], randomAddress())
    let who = Bool.random(using: &numbers) ? asker.bare : asker.full
    let isFull = Bool.random(using: &numbers)
    note("Share \(address.jid) with \(who) full=\(isFull)")
    let pair = Pair(who: who, address: address.jid)
    try begin(pair, GatewayModel.Session(isFull: isFull, isShared: true)) {
      try gateway.call(
        .Decloak, "Share", [.string(who), .options(["from": .string(address.jid), "full": .bool(isFull)])])
    }
  }

  /// An address asks somebody, which shows it to them. It ends when there is no answer.
  func requestDecloak() throws {
    let (asker, address) = (cast.askers.randomElement(using: &numbers) ?? cast.askers[0], randomAddress())
    let pair = Pair(who: asker.bare, address: address.jid)
    // A request says less than those know who are shown all of it: it would take the place of that.
    guard
      !cast.askers.contains(where: {
        $0.bare == asker.bare && model.sight(Pair(who: $0.full, address: pair.address)) > .nothing
      })
    else { return }
    note("RequestDecloak \(asker.bare) from \(address.jid)")
    let ends = ContinuousClock.now + .seconds(100)
    try begin(pair, GatewayModel.Session(isFull: false, isShared: true, isQuestion: true, mayEnd: ends)) {
      try gateway.call(
        .Decloak, "RequestDecloak",
        [.string(asker.bare), .string("text"), .options(["from": .string(address.jid), "reveal": .bool(true)])])
    }
  }

  private func begin(_ pair: Pair, _ session: GatewayModel.Session, _ call: () throws -> Void) throws {
    let isHidden = model.gate(pair.address) == "hidden"
    if !isHidden { maybe(pair, session) }
    do {
      try call()
    } catch let refusal as RawBus.Refusal where isHidden {
      return note("it is refused: \(refusal.text)")
    }
    guard !isHidden else { throw WitnessError("leak: \(pair.address) is hidden, and was shown to \(pair.who)") }
    model.sessions[pair] = session
    model.asking = model.asking.filter { $0 != pair && $0.bare != pair }
    for asker in cast.askers where asker.full == pair.who || asker.bare == pair.who {
      if asker.isThere { asker.late.remove(pair.address) } else { asker.late.insert(pair.address) }
    }
  }

  func revoke() throws {
    let contact = Int.random(in: 0..<4, using: &numbers) == 0 ? "" : randomContact()
    note("Revoke \"\(contact)\"")
    try gateway.call(.Decloak, "Revoke", [.string(contact)])
    model.sessions = model.sessions.filter { !contact.isEmpty && bareJID($0.key.who) != contact }
  }
}

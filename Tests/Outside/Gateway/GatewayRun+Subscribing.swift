// SPDX-License-Identifier: Apache-2.0

import Support

// Who asks to see an address for good.

extension GatewayRun {
  /// Not every server passes on what its user's roster says is so already.
  private func mayStay(_ asker: Asker) -> Bool { !asker.isForeign }

  func subscribe() throws {
    let (asker, address) = randomPair()
    let pair = Pair(who: asker.bare, address: address.jid)
    let verdict = model.verdict(on: pair)
    note("\(asker.role) subscribes to \(address.jid) (\(verdict))")
    everApplied.insert(pair)
    let wasApplying = model.applying.contains(pair)
    let isHeard = unheard[pair] == nil && !model.subscriptions.contains(pair) && !mayStay(asker)
    if model.subscriptions.contains(pair) {
      mayHearOfGrant.insert(pair)
    } else if verdict == "allow" {
      maybeSubscribed(pair)
    } else if verdict == "ask" {
      model.applying.insert(pair)
    }
    try cast.send(
      asker, "presence", to: address.spellings.randomElement(using: &numbers) ?? address.jid, "type='subscribe'",
      isOfAccount: true)
    try cast.fence()
    guard isHeard else { return }
    if verdict == "allow" { model.subscriptions.insert(pair) }
    let isListed = try isListed(pair)
    let mostOfOne = model.applying.count { $0.who == pair.who } > 4
    guard isListed == (verdict == "ask") || wasApplying || mostOfOne else {
      throw WitnessError("the subscription of \(pair.who) is \(verdict), and is listed: \(isListed)")
    }
  }

  private func isListed(_ pair: Pair) throws -> Bool {
    try gateway.list(.Connection, "ListSubscriptionRequests").contains {
      $0["Contact"]?.text == pair.who && $0["Target"]?.text == pair.address
    }
  }

  func unsubscribe() throws {
    let asker = randomAsker()
    let own = model.subscriptions.filter { $0.who == asker.bare }.map(\.address).sorted()
    guard let address = own.randomElement(using: &numbers) ?? Optional(randomAddress().jid) else { return }
    let pair = Pair(who: asker.bare, address: address)
    note("\(asker.role) unsubscribes from \(address)")
    if model.isSubscribed(pair) { mayHearOfEnd.insert(pair) }
    unsure.insert(pair)
    try cast.send(asker, "presence", to: address, "type='unsubscribe'", isOfAccount: true)
    for one in cast.askers where one.bare == asker.bare { one.roster.remove(address) }
    try cast.fence()
    try readBack(pair, mustBeOver: asker.isForeign)
  }

  /// What a server told the gateway.
  private func readBack(_ pair: Pair, mustBeOver: Bool) throws {
    let isThere = try gateway.list(.Connection, "ListRoster", [.options()]).contains {
      $0["Contact"]?.text == pair.who && $0["Target"]?.text == pair.address
    }
    guard !isThere else {
      if mustBeOver { throw WitnessError("\(pair.who) is subscribed to \(pair.address) still") }
      return
    }
    model.subscriptions.remove(pair)
    model.applying.remove(pair)
    lostSight(pair)
  }

  /// A server may have told its user by itself that a subscription is over, and with it what was seen in a session.
  private func lostSight(_ pair: Pair) {
    for asker in cast.askers
    where asker.bare == pair.who && model.sight(Pair(who: asker.full, address: pair.address)) > .nothing {
      if !asker.isForeign { asker.late.insert(pair.address) }
    }
  }

  func answerSubscription() throws {
    guard
      let pair = model.applying.sorted(by: { ($0.who, $0.address) < ($1.who, $1.address) })
        .randomElement(using: &numbers)
    else { return }
    let target: [Pair] =
      Bool.random(using: &numbers) ? [pair] : model.applying.filter { $0.who == pair.who }
    let options = target.count == 1 ? BusValue.options(["target": .string(pair.address)]) : .options()
    if Bool.random(using: &numbers) {
      note("DenySubscription \(pair.who) \(target.map(\.address))")
      try gateway.call(.Connection, "DenySubscription", [.string(pair.who), options])
    } else {
      note("AuthorizeSubscription \(pair.who) \(target.map(\.address))")
      let isVisible = model.isVisible(to: pair.who)
      if isVisible { for one in target { maybeSubscribed(one) } }
      do {
        try gateway.call(.Connection, "AuthorizeSubscription", [.string(pair.who), options])
      } catch let refusal as RawBus.Refusal where refusal.ours == "WouldReveal" && !isVisible { return }
      guard isVisible else { throw WitnessError("leak: \(pair.who), whom we hide from, was authorized") }
      model.subscriptions.formUnion(target)
    }
    model.applying.subtract(target)
  }

  func remove() throws {
    guard
      let pair = model.subscriptions.sorted(by: { ($0.who, $0.address) < ($1.who, $1.address) })
        .randomElement(using: &numbers)
    else { return }
    let isOne = Bool.random(using: &numbers)
    let ended = isOne ? [pair] : model.subscriptions.filter { $0.who == pair.who }
    note("RemoveContact \(pair.who) \(isOne ? pair.address : "")")
    for one in ended {
      var online = model
      online.isOnline = true
      guard online.isSubscribed(one) else { continue }
      owedEnds.insert(one)
      if model.isOnline { mayHearOfEnd.insert(one) }
    }
    try gateway.call(
      .Connection, "RemoveContact",
      [.string(pair.who), .options(isOne ? ["target": .string(pair.address)] : [:])])
    model.subscriptions.subtract(ended)
    for one in ended { lostSight(one) }
  }
}

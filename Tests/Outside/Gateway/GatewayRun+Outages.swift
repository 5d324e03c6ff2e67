// SPDX-License-Identifier: Apache-2.0

import Support

// People, the gateway, the network, the program and the server come and go.

extension GatewayRun {
  func logOut() throws {
    guard let one = cast.present.randomElement(using: &numbers) else { return }
    note("\(one.role) logs out")
    // Their server tells the gateway where they went, if it knows.
    for address in AskedAddress.all {
      mayEnd(Pair(who: one.full, address: address.jid))
      one.late.insert(address.jid)
    }
    let directed = one.directed
    try judge(cast.logOut(one).map { (one, $0) })
    try cast.fence()
    guard one.isForeign, model.isOnline else { return }
    for address in directed { ended(Pair(who: one.full, address: address)) }
  }

  private func ended(_ pair: Pair) {
    model.sessions[pair] = nil
    model.asking.remove(pair)
  }

  func logIn() throws {
    guard let one = (cast.askers.filter { !$0.isThere }).randomElement(using: &numbers) else { return }
    note("\(one.role) logs in")
    one.late.formUnion(AskedAddress.all.map(\.jid))
    // Its server may ask again for what was never answered.
    for pair in everApplied where pair.who == one.bare && !one.isForeign {
      switch model.verdict(on: pair) {
      case "allow": maybeSubscribed(pair)
      case "ask": model.applying.insert(pair)
      default: break
      }
    }
    try cast.logIn(one)
  }

  func disconnect() throws {
    note("Disconnect")
    try gateway.call(.Connection, "Disconnect")
    model.streamEnded()
    wasLost = true
  }

  func connect() throws {
    note("Connect")
    wasLost = true
    try comeBack()
  }

  /// Connects as often as it takes.
  func comeBack() throws {
    var online = model
    online.isOnline = true
    permit(online)
    mayHearOfGrant.formUnion(model.subscriptions)
    mayHearOfEnd.formUnion(owedEnds)
    let deadline = Deadline(.seconds(60))
    while true {
      do {
        try gateway.call(.Connection, "Connect")
        return model.isOnline = true
      } catch let refusal as RawBus.Refusal {
        guard !deadline.hasPassed else { throw WitnessError("it does not come back: \(refusal)") }
        // A server that has just begun to listen may refuse what it will take in a moment, and may not know yet that the
        // last connection is dead.
        _ = try? gateway.owner.wait(for: "the next try", within: .milliseconds(100)) { false }
      }
    }
  }

  // MARK: Breaks

  /// The connection to the server breaks, in or outside of a call.
  func cut(inCall: Bool) throws {
    let mark = gateway.owner.received.count
    let manner = FaultProxy.Manner.allCases.randomElement(using: &numbers) ?? .closed
    wasLost = true
    note("a cut: \(manner)")
    if inCall {
      let direction: FaultProxy.Direction = Bool.random(using: &numbers) ? .toServer : .toClient
      gateway.proxy.strike(.cut(after: Int.random(in: 0..<600, using: &numbers), direction, manner))
    }
    let broken = inCall ? try beginSomething() : nil
    gateway.proxy.cut(manner)
    try gateway.owner.wait(for: "the loss of the connection", within: .seconds(30)) {
      !gateway.statuses(since: mark).isEmpty
    }
    model.streamEnded()
    if let broken { try readBack(broken) } else { try decideMeanwhile() }
    try comeBack()
    arriveLate(broken)
  }

  /// The program dies without a word, and starts again.
  func kill(inCall: Bool) throws {
    let wasOnline = model.isOnline
    wasLost = true
    let broken = inCall ? try beginSomething() : nil
    note("kill -9")
    try gateway.killAndStart()
    (isHandling, unheard, places) = (false, [:], [:])
    // It is not kept who asked for a subscription.
    model.streamEnded()
    model.applying = []
    (model.show, model.status) = ("available", "")
    if let broken { try readBack(broken) } else { try decideMeanwhile() }
    if wasOnline { try comeBack() }
    arriveLate(broken)
  }

  /// What was asked on the way may have come to the next connection.
  private func arriveLate(_ broken: Broken?) {
    if model.isOnline { model.asking.formUnion(broken?.asking ?? []) }
  }

  /// What the owner decides while nobody can be told holds when the connection is back.
  private func decideMeanwhile() throws {
    for _ in 0..<Int.random(in: 0...2, using: &numbers) {
      switch Int.random(in: 0..<4, using: &numbers) {
      case 0: try setPolicy()
      case 1: try setRule(ofTargets: true)
      case 2: try setRule(ofTargets: false)
      default: try perform(.visibility)
      }
    }
  }

  /// The server stops and starts, and all come back.
  func restart() throws {
    note("the server restarts")
    wasLost = true
    let mark = gateway.owner.received.count
    let wasOnline = model.isOnline
    try server.stop()
    let there = cast.present
    try judge(cast.wasLeft())
    if wasOnline {
      try gateway.owner.wait(for: "the loss of the connection", within: .seconds(30)) {
        !gateway.statuses(since: mark).isEmpty
      }
    }
    model.streamEnded()
    try server.startAgain()
    try cast.connectHouse()
    for asker in there {
      asker.late.formUnion(AskedAddress.all.map(\.jid))
      try cast.logIn(asker)
    }
    if wasOnline { try comeBack() }
  }

  // MARK: In a call

  /// A call that may have taken effect or not.
  private struct Broken {
    let call: RawBus.Pending
    let change: (inout GatewayModel) -> Void
    /// Who asked meanwhile.
    var asking: Set<Pair> = []
  }

  /// The owner decides something and others ask, and nobody waits for what comes of it.
  private func beginSomething() throws -> Broken {
    var broken: Broken
    let old = model
    switch Int.random(in: 0..<3, using: &numbers) {
    case 0:
      let policy = ["off", "rules", "ask", "allow"].randomElement(using: &numbers) ?? "off"
      note("broken in Policy \(policy)")
      preparePolicy(policy)
      broken = Broken(call: try gateway.beginSet(.Decloak, "Policy", .string(policy))) { $0.setPolicy(policy) }
    case 1:
      let rule = randomRule(ofTargets: Bool.random(using: &numbers))
      note("broken in SetRule \(rule.written) \"\(rule.decision)\"")
      prepareRule(rule.decision, rule.listed)
      let call = try gateway.begin(.Decloak, "SetRule", [.string(rule.written), .string(rule.decision)])
      broken = Broken(call: call) { $0.setRule(rule.decision, rule.listed) }
    default:
      let change = randomVisibility()
      note("broken in \(change.member) \(change.arguments.map(\.brief).joined(separator: " "))")
      let call = try gateway.begin(.Visibility, change.member, change.arguments)
      broken = Broken(call: call) { $0.setVisibility(showsOthers: change.showsOthers, change.exceptions) }
    }
    var new = model
    broken.change(&new)
    permit(new)
    if model.isOnline { broken.asking = try askOnTheWay([old, new]) }
    return broken
  }

  /// Requests that may have been answered before the end, after it, or never.
  private func askOnTheWay(_ models: [GatewayModel]) throws -> Set<Pair> {
    var asked: Set<Pair> = []
    for _ in 0..<Int.random(in: 0...3, using: &numbers) {
      let (asker, address) = (randomAsker(), randomAddress())
      let pair = Pair(who: asker.full, address: address.jid)
      note("\(asker.role) asks \(address.jid) meanwhile")
      if models.contains(where: { $0.verdict(on: pair) == "allow" }) {
        maybe(pair, GatewayModel.Session(isFull: false))
      }
      asked.insert(pair)
      places[pair.bare] = .now
      asker.directed.insert(address.jid)
      try cast.send(asker, "presence", to: address.jid, "", StrangerQuestion.dialects[0])
    }
    model.asking.formUnion(asked)
    return asked
  }

  /// A call that was broken off has happened or not; one that succeeded has happened.
  private func readBack(_ broken: Broken) throws {
    var candidates = [model, model]
    broken.change(&candidates[0])
    do {
      _ = try gateway.owner.finish(broken.call)
      note("it succeeded")
      candidates.removeLast()
    } catch let refusal as RawBus.Refusal {
      note("it failed: \(refusal)")
    }
    var differences: [String] = []
    for candidate in candidates {
      model = candidate
      differences = try decisionDifferences()
      if differences.isEmpty { return }
    }
    throw WitnessError("the state after a broken call is neither that before nor that after it: \(differences)")
  }
}

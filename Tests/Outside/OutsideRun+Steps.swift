// SPDX-License-Identifier: Apache-2.0

import Support

// What the person does, and what comes of it in the model.

extension OutsideRun {
  /// The first connection.
  func begin() throws {
    let visibility = Bool.random(using: &numbers) ? "visible" : "invisible"
    note("AddConnection \(visibility)")
    try account.add(visibility: visibility)
    try checkWhatIsKept(visibility)
    model.set(visibility, [], acceptsLess: false)
    try setPolicy("ask")
    try connect()
    try settle()
  }

  /// Whether a step makes sense now.
  func isPossible(_ kind: StepKind) -> Bool {
    switch kind {
    case .connect: !model.isOnline
    case .logOut: cast.recorders.contains { $0.client != nil }
    case .logIn: cast.recorders.contains { $0.client == nil }
    case .ask, .requestDecloak, .share, .question, .move, .cut, .cutInCall, .disconnect: model.isOnline
    case .contactSubscribes: model.isOnline && !present { !$0.seesUs }.isEmpty
    case .contactUnsubscribes, .deny: model.isOnline && !present { $0.seesUs }.isEmpty
    case .subscribe: model.isOnline && !present { !$0.isSeen }.isEmpty
    case .unsubscribe: model.isOnline && !present { $0.isSeen }.isEmpty
    // What is in memory alone is gone with the server.
    case .restart: plan.server != .loopback
    case .remove: model.isOnline && !present { $0.seesUs || $0.isSeen }.isEmpty
    default: true
    }
  }

  /// Does a step of this kind.
  func perform(_ kind: StepKind) throws {
    switch kind {
    case .setPresence: try setPresence()
    case .setInvisible: try change("SetInvisible", [], .setInvisible) { $0.set("invisible", [], acceptsLess: false) }
    case .setVisible: try change("SetVisible", [], .setVisible) { $0.set("visible", [], acceptsLess: false) }
    case .hideFrom, .showTo: try showOrHide(kind)
    case .setVisibility: try setVisibility()
    case .repeated: try repeatVisibility()
    case .ask: try ask()
    case .requestDecloak: try requestDecloak()
    case .share: try share()
    case .revoke: try revoke()
    case .policy: try setPolicy(["off", "rules", "ask", "allow", "ask"].randomElement(using: &numbers) ?? "ask")
    case .rule: try setRule()
    case .decisions: try listDecisions()
    case .handler: try changeHandler()
    case .question: try question()
    case .move: try move()
    case .contactSubscribes: try contactSubscribes()
    case .contactUnsubscribes: try contactUnsubscribes()
    case .subscribe: try subscribe()
    case .unsubscribe, .deny, .remove: try endSubscription(kind)
    case .logOut: try logOut()
    case .logIn: try logIn()
    case .disconnect: try disconnect()
    case .connect: try connect()
    case .cut: try cut(inCall: false)
    case .cutInCall: try cut(inCall: true)
    case .kill: try kill(inCall: false)
    case .killInCall: try kill(inCall: true)
    case .restart: try restart()
    }
  }

  // MARK: Presence

  func randomPresence() -> [BusValue] {
    let show = ["available", "away", "dnd", "xa", "chat"].randomElement(using: &numbers) ?? "dnd"
    let status = "word \(Int.random(in: 0..<1000, using: &numbers))"
    return [.string(show), .string(status), .options()]
  }

  private func setPresence() throws {
    let arguments = randomPresence()
    note("SetPresence \(arguments[0].text) \(arguments[1].text)")
    try account.call(.Connection, "SetPresence", arguments)
    (model.show, model.status) = (arguments[0].text, arguments[1].text)
  }

  // MARK: Visibility

  /// A random contact, now and then a stranger, or a group.
  private func randomNames() -> [String] {
    let count = [1, 1, 1, 2, 3].randomElement(using: &numbers) ?? 1
    return Array(
      Set(
        (0..<count).map { _ in
          switch Int.random(in: 0..<10, using: &numbers) {
          case 0..<2: "group:\(Cast.groups.randomElement(using: &numbers) ?? "")"
          case 2: (cast.strangers.randomElement(using: &numbers) ?? cast.strangers[0]).bare
          default: (cast.contacts.randomElement(using: &numbers) ?? cast.contacts[0]).bare
          }
        })
    ).sorted()
  }

  private func showOrHide(_ kind: StepKind) throws {
    let names = randomNames()
    try change(kind.rawValue, [.strings(names)], kind) { new in
      // Who is named beside a group of his is meant also when he leaves it.
      let (groups, contacts) = (names.filter { $0.hasPrefix("group:") }, names.filter { !$0.hasPrefix("group:") })
      for name in groups + contacts {
        if kind == .hideFrom { new.endSessions(with: name) }
        let isStranger = !name.hasPrefix("group:") && new.roster[name]?.seesUs != true
        // To show us to somebody without a subscription is to share.
        if kind == .showTo, isStranger, new.isOnline {
          new.sessions[name] = OutsideModel.Session(isFull: false, isShared: true)
        } else {
          new.set(name, isShown: kind == .showTo)
        }
      }
    }
  }

  private func setVisibility() throws {
    let mode = ["visible", "invisible", "except", "only"].randomElement(using: &numbers) ?? "only"
    let names = mode == "visible" || mode == "invisible" ? [] : randomNames()
    let acceptsLess = Bool.random(using: &numbers)
    var options: [(String, BusValue)] = [("degraded", .bool(acceptsLess))]
    if Int.random(in: 0..<5, using: &numbers) == 0 { options.append(("rebind", .bool(true))) }
    if Int.random(in: 0..<5, using: &numbers) == 0 { options.append(("probe", .bool(false))) }
    let arguments: [BusValue] = [
      .string(mode), .strings(names), .array("{sv}", options.map { .entry(.string($0.0), .variant($0.1)) }),
    ]
    try change("SetVisibility", arguments, .setVisibility) { $0.set(mode, names, acceptsLess: acceptsLess) }
  }

  private func repeatVisibility() throws {
    switch model.mode {
    case "visible": try change("SetVisible", [], .setVisible) { $0.acceptsLess = false }
    case "invisible": try change("SetInvisible", [], .setInvisible) { $0.acceptsLess = false }
    default:
      let names = model.exceptions.filter { !$0.hasPrefix("group:") }.sorted()
      guard !names.isEmpty else { return }
      let kind: StepKind = model.showsOthers ? .hideFrom : .showTo
      try change(kind.rawValue, [.strings(names)], kind) { new in
        for name in names {
          new.set(name, isShown: kind == .showTo)
          if kind == .showTo, new.roster[name]?.seesUs != true, new.isOnline {
            new.sessions[name] = OutsideModel.Session(isFull: false, isShared: true)
          }
        }
      }
    }
  }

  /// Calls a method of Visibility, and changes the model where it succeeds.
  func change(
    _ member: String, _ arguments: [BusValue], _ kind: StepKind, _ change: (inout OutsideModel) -> Void
  ) throws {
    let new = changed(model, by: change)
    note("\(member) \(arguments.map(\.brief).joined(separator: " "))")
    permit(new)
    do {
      try calling { try account.call(.Visibility, member, arguments) }
      guard new.isPossible || !new.isOnline else {
        throw WitnessError("\(new.mode) cannot be kept by \(new.mechanism), and was not refused")
      }
      model = new
    } catch let refusal as RawBus.Refusal where refusal.isNotBuilt {
      missing.insert(kind.rawValue)
    } catch let refusal as RawBus.Refusal where refusal.ours == "NotSupportedByServer" && !new.isPossible {}
  }

  /// What a change of visibility comes to.
  func changed(_ old: OutsideModel, by change: (inout OutsideModel) -> Void) -> OutsideModel {
    var new = old
    change(&new)
    // Hiding from everybody ends what was begun while that was not so.
    if old.showsOthers, !new.showsOthers { new.sessions = [:] }
    for contact in cast.recorders.map(\.bare) where old.isShown(contact) && !new.isShown(contact) {
      new.endSessions(with: contact)
    }
    return new
  }
}

extension BusValue {
  /// For the journal.
  var brief: String {
    switch self {
    case .array(_, let members): "[\(members.map(\.brief).joined(separator: " "))]"
    case .entry(let key, let value): "\(key.brief)=\(value.brief)"
    case .variant(let value): value.brief
    case .bool(let value): "\(value)"
    default: text
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Support

// What the owner says of all addresses, and what those outside do but asking.

extension GatewayRun {
  /// Whether a step makes sense now.
  func isPossible(_ kind: GatewayStepKind) -> Bool {
    switch kind {
    case .ask, .leave, .probe, .question, .subscribe, .unsubscribe, .share, .requestDecloak, .cut, .cutInCall,
      .disconnect, .send:
      model.isOnline
    case .answer: model.isOnline && !model.asking.isEmpty
    case .answerSubscription: model.isOnline && !model.applying.isEmpty
    case .remove: !model.subscriptions.isEmpty
    case .connect: !model.isOnline
    case .logOut: cast.present.count > 3
    case .logIn: cast.present.count < cast.askers.count
    // What is in memory alone is gone with the server.
    case .restart: plan.server != .loopback
    default: true
    }
  }

  /// Does a step of this kind.
  func perform(_ kind: GatewayStepKind) throws {
    switch kind {
    case .ask: try ask()
    case .answer: try answerOne()
    case .leave: try leave()
    case .probe: try probe()
    case .question: try question()
    case .subscribe: try subscribe()
    case .unsubscribe: try unsubscribe()
    case .answerSubscription: try answerSubscription()
    case .remove: try remove()
    case .contactRule, .targetRule: try setRule(ofTargets: kind == .targetRule)
    case .policy: try setPolicy()
    case .visibility: try changeVisibility()
    case .share: try share()
    case .requestDecloak: try requestDecloak()
    case .revoke: try revoke()
    case .setPresence: try setPresence()
    case .handler: try changeHandler()
    case .send: try sendToSomebody()
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

  func randomAsker() -> Asker { cast.present.randomElement(using: &numbers) ?? cast.askers[0] }

  func randomAddress() -> AskedAddress { AskedAddress.all.randomElement(using: &numbers) ?? AskedAddress.all[0] }

  /// Somebody and an address, often one that they see.
  func randomPair() -> (asker: Asker, address: AskedAddress) {
    let seen = cast.present.flatMap { asker in AskedAddress.all.map { (asker, $0) } }
      .filter { model.sight(Pair(who: $0.full, address: $1.jid)) > .nothing }
    if Int.random(in: 0..<3, using: &numbers) == 0, let one = seen.randomElement(using: &numbers) { return one }
    return (randomAsker(), randomAddress())
  }

  /// As somebody may write it, now and then with a resource.
  func randomSpelling(_ address: AskedAddress) -> String {
    (address.spellings.randomElement(using: &numbers) ?? address.jid)
      + (Int.random(in: 0..<4, using: &numbers) == 0 ? "/gateway" : "")
  }

  // MARK: The owner, of all addresses

  private func setPresence() throws {
    let show = ["available", "away", "dnd", "xa", "chat"].randomElement(using: &numbers) ?? "dnd"
    let status = "word \(Int.random(in: 0..<1000, using: &numbers))"
    note("SetPresence \(show) \(status)")
    try gateway.call(.Connection, "SetPresence", [.string(show), .string(status), .options()])
    (model.show, model.status) = (show, status)
  }

  /// A change of visibility: a method, its arguments, and what it comes to.
  func randomVisibility() -> (member: String, arguments: [BusValue], showsOthers: Bool, exceptions: Set<String>) {
    let contacts = Set((0...Int.random(in: 0...1, using: &numbers)).map { _ in randomContact() })
    switch Int.random(in: 0..<10, using: &numbers) {
    case 8: return ("SetInvisible", [], false, [])
    case 0...3: return ("SetVisible", [], true, [])
    case 4, 5:
      let all = model.showsOthers ? model.exceptions.union(contacts) : model.exceptions.subtracting(contacts)
      return ("HideFrom", [.strings(contacts.sorted())], model.showsOthers, all)
    case 6:
      let all = model.showsOthers ? ("except", true) : ("only", false)
      return ("SetVisibility", [.string(all.0), .strings(contacts.sorted()), .options()], all.1, contacts)
    default:
      let mode = model.showsOthers ? ("only", false) : ("except", true)
      return ("SetVisibility", [.string(mode.0), .strings(contacts.sorted()), .options()], mode.1, contacts)
    }
  }

  func randomContact() -> String { (cast.askers.randomElement(using: &numbers) ?? cast.askers[0]).bare }

  private func changeVisibility() throws {
    let change = randomVisibility()
    note("\(change.member) \(change.arguments.map(\.brief).joined(separator: " "))")
    var new = model
    new.setVisibility(showsOthers: change.showsOthers, change.exceptions)
    permit(new)
    try gateway.call(.Visibility, change.member, change.arguments)
    model = new
  }

  private func changeHandler() throws {
    note("\(isHandling ? "RemoveHandler" : "AddHandler")")
    let namespaces = BusValue.strings([GatewayQuestion.talking])
    try gateway.call(
      .Stanzas, isHandling ? "RemoveHandler" : "AddHandler", isHandling ? [namespaces] : [namespaces, .options()])
    isHandling.toggle()
  }

  /// A stanza to somebody who must not know is refused.
  private func sendToSomebody() throws {
    let (asker, address) = randomPair()
    let options = BusValue.options(["from": .string(address.jid), "timeout": .uint32(200)])
    let isMessage = Bool.random(using: &numbers)
    note("\(isMessage ? "SendMessage" : "SendIQ") to \(asker.role) from \(address.jid)")
    guard model.sight(Pair(who: asker.full, address: address.jid)) == .nothing else { return }
    do {
      if isMessage {
        let options = BusValue.options(["from": .string(address.jid)])
        try gateway.call(
          .Stanzas, "SendMessage", [.string(asker.full), .string("chat"), .string("<body>psst</body>"), options])
      } else {
        try gateway.call(
          .Stanzas, "SendIQ", [.string(asker.full), .string("get"), .string("<x xmlns='urn:example:x'/>"), options])
      }
      throw WitnessError("leak: \(asker.role) was sent something by \(address.jid) that it must not know of")
    } catch let refusal as RawBus.Refusal where ["WouldReveal", "InvalidArgs"].contains(refusal.ours) {}
  }

  // MARK: Others

  private func question() throws {
    let (asker, address) = randomPair()
    let kind = GatewayQuestion.allCases.randomElement(using: &numbers) ?? .ping
    let resource = Int.random(in: 0..<4, using: &numbers) == 0 ? "/gateway" : ""
    note("\(asker.role) sends \(address.jid)\(resource) a \(kind.rawValue)")
    let (id, other) = (cast.nextID(asker), cast.nextID(asker))
    questions[id] = Question(asker: asker, kind: kind, address: address.jid, resource: resource, other: other)
    questions[other] = Question(
      asker: asker, kind: kind, address: AskedAddress.nobody, resource: resource, other: nil)
    let stanza = kind.stanza
    for (id, to) in [(other, AskedAddress.nobody), (id, address.jid)] {
      try cast.send(asker, stanza.name, to: to + resource, "type='\(stanza.type)' id='\(id)'", stanza.content)
    }
  }

  private func probe() throws {
    let (asker, address) = randomPair()
    note("\(asker.role) probes \(address.jid)")
    try cast.send(asker, "presence", to: randomSpelling(address), "type='probe'")
  }
}

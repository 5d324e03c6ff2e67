// SPDX-License-Identifier: Apache-2.0

import Support

// Strangers and hidden-from contacts who ask, and what a person decides about them, one by one or beforehand.

extension OutsideRun {
  /// Everybody's.
  static let domain = "localhost"

  func setPolicy(_ new: String) throws {
    note("Policy \(new)")
    try account.set(.Decloak, "Policy", .string(new))
    if new == "off", model.policy != "off" {
      model.sessions = model.sessions.filter(\.value.isShared)
      for asker in model.asking { unheard[bareJID(asker)] = "person" }
      model.asking = []
    }
    if new != model.policy {
      unheard = unheard.filter { $0.value != "policy" }
      // What was answered by itself holds no place any more.
      lastAsked = lastAsked.filter { contact, _ in model.asking.contains { bareJID($0) == contact } }
    }
    model.policy = new
  }

  /// The requests of some are over, and nobody answered. Whose time ran out meanwhile is not heard for a while.
  func asksNoMore(_ isOver: (String) -> Bool) {
    let over = model.asking.filter(isOver)
    for contact in Set(over.map { bareJID($0) }) where mayHaveExpired(contact) { unheard[contact] = "nobody" }
    model.asking.subtract(over)
  }

  private func mayHaveExpired(_ contact: String) -> Bool {
    askedFirst[contact].map { ContinuousClock.now - $0 > .seconds(100) } ?? true
  }

  /// Somebody asks to be shown us, by presence or by proposing a call, and the person answers or does not.
  func ask() throws {
    guard let asker = randomPerson() else { return }
    let verdict = model.verdict(on: asker.bare)
    let call = Int.random(in: 0..<3, using: &numbers) == 0 ? asker.client?.nextID() : nil
    note("\(asker.role) \(call == nil ? "asks to see us" : "proposes a call") (\(model.policy): \(verdict))")
    let sees = model.sight(of: asker.full) != .nothing
    let isHeard = !sees && isHeard(asker)
    if !sees, verdict != "off" {
      if !model.asking.contains(where: { bareJID($0) == asker.bare }) { askedFirst[asker.bare] = .now }
      model.asking.insert(asker.full)
      everAsked.insert(asker.bare)
      // What was decided beforehand may be said by itself.
      if verdict == "allow" { model.sessions[asker.full] = OutsideModel.Session(isFull: false) }
      if verdict == "deny", isHeard { unheard[asker.bare] = model.rule(for: asker.bare) ?? "policy" }
    }
    if sees, let call { mustBeHanded(call, of: asker) }
    try send(call, from: asker)
    try fence()
    guard !sees, verdict != "off" else { return }
    if verdict == "allow", isHeard {
      guard try isShown(asker) else { throw WitnessError("\(asker.role) is allowed to see us, and was not answered") }
      asker.isLate = false
      if let call { mustBeHanded(call, of: asker) }
    }
    let waiting = try requests()
    if isHeard, (verdict == "ask") != (waiting[asker.bare] != nil) {
      throw WitnessError("\(asker.role)'s request is \(verdict), and waits: \(waiting[asker.bare] != nil)")
    }
    guard let id = waiting[asker.bare] else { return }
    switch Int.random(in: 0..<10, using: &numbers) {
    case 0..<4: note("\(asker.role) has to wait")
    case 4: try deny(asker, id)
    default:
      try approve(asker, id)
      if let call { mustBeHanded(call, of: asker) }
    }
  }

  private func send(_ call: String?, from asker: Recorder) throws {
    let to = account.fullJID
    if let call {
      // A server may send it back, as any message.
      questions.append(Question(recorder: asker, id: call, kind: .message, mustBeAnswered: false))
      let propose = "<propose xmlns='\(Self.handled[0])' id='\(call)'/>"
      return try asker.send("<message type='chat' id='\(call)' to='\(to)'>\(propose)</message>")
    }
    let dialect = StrangerQuestion.dialects.randomElement(using: &numbers) ?? StrangerQuestion.dialects[0]
    try asker.send("<presence to='\(to)'>\(StrangerQuestion.unseenCapabilities)\(dialect)</presence>")
  }

  /// Whether a request of somebody's would be looked at: it was not refused, none waits already, and there are not so many
  /// that one is dropped.
  private func isHeard(_ asker: Recorder) -> Bool {
    let now = ContinuousClock.now
    lastAsked = lastAsked.filter { now - $0.value < .seconds(125) }
    lastAsked[asker.bare] = now
    return unheard[asker.bare] == nil && !model.asking.contains { bareJID($0) == asker.bare } && lastAsked.count <= 8
      && isDelivered(from: asker)
  }

  private func isShown(_ asker: Recorder) throws -> Bool {
    let sessions = try account.call(.Decloak, "ListSessions").first?.list ?? []
    return sessions.contains { $0["Direction"]?.text == "they-see-me" && $0["Jid"]?.text == asker.full }
  }

  /// The ids of the requests that wait, by contact.
  private func requests() throws -> [String: String] {
    let requests = try account.call(.Decloak, "ListRequests").first?.list ?? []
    return Dictionary(requests.map { ($0["Contact"]?.text ?? "", $0["Id"]?.text ?? "") }) { first, _ in first }
  }

  private func randomScope(_ contact: String) -> (name: String, subject: String?) {
    switch Int.random(in: 0..<6, using: &numbers) {
    case 0: ("domain", "@\(Self.domain)")
    case 1, 2: ("contact", contact)
    default: ("once", nil)
    }
  }

  private func deny(_ asker: Recorder, _ id: String) throws {
    let scope = randomScope(asker.bare)
    note("Deny \(asker.role) \(scope.name)")
    (unheard[asker.bare], lastAsked[asker.bare]) = ("person", nil)
    try account.call(.Decloak, "Deny", [.string(id), .string(scope.name), .options()])
    model.asking = model.asking.filter { bareJID($0) != asker.bare }
    if let subject = scope.subject {
      let others = model.asking
      try made("deny", subject)
      for other in others.subtracting(model.asking) { unheard[bareJID(other)] = subject }
    }
    try checkLast("denied", asker)
  }

  private func approve(_ asker: Recorder, _ id: String) throws {
    let scope = randomScope(asker.bare)
    let isFull = Bool.random(using: &numbers)
    note("Approve \(asker.role) \(scope.name) full=\(isFull)")
    // All that asked of one account are answered.
    let asking = model.asking.filter { bareJID($0) == asker.bare }
    for address in asking.union([asker.full]) { model.sessions[address] = OutsideModel.Session(isFull: isFull) }
    model.asking.subtract(asking)
    lastAsked[asker.bare] = nil
    asker.isLate = false
    if let subject = scope.subject { model.made("allow", for: subject) }
    try account.call(
      .Decloak, "Approve", [.string(id), .string(scope.name), .options(["full": .bool(isFull)])])
    if let subject = scope.subject { try made("allow", subject) }
    try checkLast("approved", asker)
  }

  // MARK: Rules

  func setRule() throws {
    // Most of all about those who wait for it.
    let waiting = Array(try requests().keys.sorted())
    let everybody = cast.recorders.map(\.bare)
    let one = (waiting.isEmpty ? everybody : waiting).randomElement(using: &numbers) ?? ""
    let subject = Int.random(in: 0..<3, using: &numbers) == 0 ? "@\(Self.domain)" : one
    let decision = ["allow", "deny", "ask", ""].randomElement(using: &numbers) ?? ""
    note("SetRule \(subject) \"\(decision)\"")
    let covered = model.asking
    model.made(decision, for: subject)
    if decision == "deny" { for asker in covered.subtracting(model.asking) { unheard[bareJID(asker)] = subject } }
    try account.call(.Decloak, "SetRule", [.string(subject), .string(decision)])
    try made(decision, subject)
    try checkWhatIsDecided()
  }

  /// A rule is made: nobody waits any more whom it answers.
  private func made(_ decision: String, _ subject: String) throws {
    model.made(decision, for: subject)
    unheard = unheard.filter { contact, judge in
      switch decision {
      case "": judge != subject
      case "deny": true
      default: model.rule(for: contact) != subject || (judge == "person" && subject != contact)
      }
    }
    guard model.policy != "off", decision == "allow" || decision == "deny" else { return }
    for contact in try requests().keys where model.rule(for: contact) == subject && model.verdict(on: contact) != "ask"
    {
      throw WitnessError("\(contact) still waits although \(subject) is \(decision)")
    }
  }

  /// What was decided holds, also across the death of the program.
  func checkWhatIsDecided() throws {
    let state = try account.all(.Decloak)
    let rules = state["Rules"].map { rules in
      Dictionary(rules.keys.map { ($0, rules[$0]?.text ?? "") }) { first, _ in first }
    }
    guard state["Policy"]?.text == model.policy, rules == model.rules else {
      throw WitnessError("the policy was \(model.policy), the rules \(model.rules); now \(state.brief)")
    }
  }

  // MARK: What was decided

  private func decisions(_ contact: String, _ options: KeyValuePairs<String, BusValue> = [:]) throws -> [BusValue] {
    try account.call(.Decloak, "ListDecisions", [.string(contact), .uint64(0), .options(options)]).first?.list ?? []
  }

  private func checkLast(_ outcome: String, _ asker: Recorder) throws {
    let last = try decisions(asker.bare, ["limit": .uint32(1)]).first
    guard last?["Outcome"]?.text == outcome, last?["DecidedBy"]?.text == "person" else {
      throw WitnessError("\(asker.role) was \(outcome), and what is kept is \(last?.brief ?? "nothing")")
    }
  }

  /// What is listed is whole, in pages as at once, and of nobody who did not ask, or who asked while it was off.
  func listDecisions() throws {
    let contact = Bool.random(using: &numbers) ? "" : cast.recorders.randomElement(using: &numbers)?.bare ?? ""
    let limit = UInt32.random(in: 1...9, using: &numbers)
    note("ListDecisions \"\(contact)\" by \(limit)")
    let all = try decisions(contact).map { $0["Id"]?.text ?? "" }
    var paged: [String] = []
    while true {
      let after: KeyValuePairs<String, BusValue> =
        paged.last.map { ["limit": .uint32(limit), "after": .string($0)] } ?? ["limit": .uint32(limit)]
      let page = try decisions(contact, after)
      paged += page.map { $0["Id"]?.text ?? "" }
      for entry in page {
        let who = entry["Contact"]?.text ?? ""
        guard everAsked.contains(who), contact.isEmpty || who == contact else {
          throw WitnessError("a decision about \(who), who did not ask: \(entry.brief)")
        }
      }
      if page.count < limit { break }
    }
    // Meanwhile the time of a request may have run out.
    guard Array(paged.suffix(all.count)) == all else { throw WitnessError("in pages \(paged), at once \(all)") }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Support

// Strangers and hidden-from contacts who ask, and what is shown for a while.

extension OutsideRun {
  func setPolicy(_ new: String) throws {
    note("Policy \(new)")
    try account.set(.Decloak, "Policy", .string(new))
    if new == "off", policy != "off" { model.sessions = model.sessions.filter(\.value.isShared) }
    policy = new
  }

  private func randomPerson() -> Recorder? {
    (cast.contacts + cast.strangers + cast.strangers).filter { $0.client != nil }.randomElement(using: &numbers)
  }

  /// Somebody asks to be shown us, and the person answers.
  func ask() throws {
    guard let asker = randomPerson() else { return }
    note("\(asker.role) asks to see us (policy \(policy))")
    let dialect = StrangerQuestion.dialects.randomElement(using: &numbers) ?? StrangerQuestion.dialects[0]
    // What a policy says by itself, it may have said.
    if policy == "allow", model.sight(of: asker.full) == .nothing, model.isAllowedByPolicy(asker.bare) {
      model.sessions[asker.full] = OutsideModel.Session(isFull: false)
    }
    try asker.send("<presence to='\(account.fullJID)'>\(StrangerQuestion.unseenCapabilities)\(dialect)</presence>")
    try fence()
    let requests = try account.call(.Decloak, "ListRequests").first?.list ?? []
    guard let id = requests.first(where: { $0["Contact"]?.text == asker.bare })?["Id"]?.text else { return }
    guard Int.random(in: 0..<10, using: &numbers) > 0 else {
      note("Deny \(asker.role)")
      return try account.call(.Decloak, "Deny", [.string(id), .string("once"), .options()]).ignored()
    }
    let isFull = Bool.random(using: &numbers)
    note("Approve \(asker.role) full=\(isFull)")
    model.sessions[asker.full] = OutsideModel.Session(isFull: isFull)
    asker.isLate = false
    try account.call(
      .Decloak, "Approve", [.string(id), .string("once"), .options(["full": .bool(isFull)])])
  }

  /// We ask somebody, which shows us to them.
  func requestDecloak() throws {
    // A request says less than those know who are shown all of it: it would take the place of that.
    let free = cast.strangers.filter { model.session($0.bare) != .all && model.session($0.full) != .all }
    guard let asked = free.randomElement(using: &numbers) else { return }
    note("RequestDecloak \(asked.role)")
    let isNew = model.sessions[asked.bare] == nil
    if isNew { model.sessions[asked.bare] = OutsideModel.Session(isFull: false, isShared: true) }
    if isNew, !asked.broadcasts || asked.client == nil { asked.isLate = true }
    try account.call(
      .Decloak, "RequestDecloak",
      [.string(asked.bare), .string("text"), .options(["reveal": .bool(true)])])
  }

  func share() throws {
    guard let person = (cast.contacts + cast.strangers).randomElement(using: &numbers) else { return }
    let address = Bool.random(using: &numbers) ? person.bare : person.full
    let isFull = Bool.random(using: &numbers)
    note("Share \(address) full=\(isFull)")
    model.sessions[address] = OutsideModel.Session(isFull: isFull, isShared: true)
    for recorder in cast.recorders where recorder.bare == person.bare && recorder.client == nil {
      recorder.isLate = true
    }
    try account.call(.Decloak, "Share", [.string(address), .options(["full": .bool(isFull)])])
  }

  func revoke() throws {
    let person = cast.recorders.randomElement(using: &numbers)
    let contact = Int.random(in: 0..<4, using: &numbers) == 0 ? "" : person?.bare ?? ""
    note("Revoke \"\(contact)\"")
    if contact.isEmpty { model.sessions = [:] } else { model.endSessions(with: contact) }
    try account.call(.Decloak, "Revoke", [.string(contact)])
  }

  /// Somebody asks our resource, or our account, something.
  func question() throws {
    guard let asker = (cast.recorders.filter { $0.client != nil }).randomElement(using: &numbers),
      let kind = QuestionKind.allCases.randomElement(using: &numbers), let id = asker.client?.nextID()
    else { return }
    note("\(asker.role) sends a \(kind.rawValue)")
    // A list keeps everything of theirs away, and jabberd2 what goes to a resource that has broadcast nothing.
    let isDelivered =
      !model.blocked.contains(asker.bare)
      && !(plan.server == .jabberd2 && model.mechanism == "directed" && model.mode != "visible")
    questions.append(
      Question(
        recorder: asker, id: id, kind: kind,
        mustBeAnswered: kind == .ping && isDelivered && model.sight(of: asker.full) != .nothing))
    let full = account.fullJID
    switch kind {
    case .ping: try asker.send("<iq type='get' id='\(id)' to='\(full)'><ping xmlns='urn:xmpp:ping'/></iq>")
    case .message:
      try asker.send(
        "<message type='chat' id='\(id)' to='\(full)'><body>are you there?</body><request xmlns='urn:xmpp:receipts'/></message>"
      )
    case .last:
      try asker.send("<iq type='get' id='\(id)' to='\(account.jid)'><query xmlns='jabber:iq:last'/></iq>")
    case .items:
      try asker.send(
        "<iq type='get' id='\(id)' to='\(account.jid)'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>")
    }
  }
}

extension OutsideModel {
  /// Whether the policy "allow" shows us to somebody without a person's word.
  func isAllowedByPolicy(_ contact: String) -> Bool {
    // In "except" it asks about the exceptions alone, in the modes that hide about all.
    var shown = self
    shown.roster[contact, default: Contact()].seesUs = true
    return showsOthers && shown.isShown(contact)
  }
}

extension [BusValue] {
  /// For a call whose answer says nothing.
  func ignored() {}
}

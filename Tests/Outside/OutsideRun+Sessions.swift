// SPDX-License-Identifier: Apache-2.0

import Support

// What is shown for a while of our own accord, and what is asked of our resource.

extension OutsideRun {
  func randomPerson() -> Recorder? {
    (cast.contacts + cast.strangers + cast.strangers).filter { $0.client != nil }.randomElement(using: &numbers)
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

  /// Whether what somebody sends to our resource comes to us: a list keeps everything of theirs away, and jabberd2 what goes
  /// to a resource that has broadcast nothing.
  func isDelivered(from somebody: Recorder) -> Bool {
    !model.blocked.contains(somebody.bare)
      && !(plan.server == .jabberd2 && model.mechanism == "directed" && model.mode != "visible")
  }

  /// Somebody asks our resource, or our account, something.
  func question() throws {
    guard let asker = (cast.recorders.filter { $0.client != nil }).randomElement(using: &numbers),
      let kind = QuestionKind.allCases.randomElement(using: &numbers), let id = asker.client?.nextID()
    else { return }
    note("\(asker.role) sends a \(kind.rawValue)")
    let isOurs = kind == .ping || (kind == .talk && isHandling)
    questions.append(
      Question(
        recorder: asker, id: id, kind: kind,
        mustBeAnswered: isOurs && isDelivered(from: asker) && model.sight(of: asker.full) != .nothing))
    let full = account.fullJID
    switch kind {
    case .ping: try asker.send("<iq type='get' id='\(id)' to='\(full)'><ping xmlns='urn:xmpp:ping'/></iq>")
    case .talk: try asker.send("<iq type='get' id='\(id)' to='\(full)'><talk xmlns='\(Self.handled[1])'/></iq>")
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

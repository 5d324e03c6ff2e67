// SPDX-License-Identifier: Apache-2.0

import Support

// People, we, the network, the program and the server come and go.

extension OutsideRun {
  func logOut() throws {
    guard let one = (cast.recorders.filter { $0.client != nil }).randomElement(using: &numbers) else { return }
    note("\(one.role) logs out")
    try judge(one.logOut(), at: one)
  }

  func logIn() throws {
    guard let one = (cast.recorders.filter { $0.client == nil }).randomElement(using: &numbers) else { return }
    note("\(one.role) logs in")
    one.isLate = true
    try one.logIn(server.clientPort)
  }

  func disconnect() throws {
    note("Disconnect")
    try account.call(.Connection, "Disconnect")
    model.isOnline = false
    isNewSession()
    try fence()
  }

  func connect() throws {
    note("Connect")
    permit(online(model))
    do {
      try calling { try account.call(.Connection, "Connect") }
      model.isOnline = true
    } catch let refusal as RawBus.Refusal where refusal.ours == "NotSupportedByServer" && !model.isPossible {
      note("Connect is refused: \(refusal.text)")
    }
  }

  private func online(_ model: OutsideModel) -> OutsideModel {
    var online = model
    online.isOnline = true
    return online
  }

  // MARK: Cuts

  /// The connection to the server breaks, in or outside of a call.
  func cut(inCall: Bool) throws {
    let mark = account.owner.received.count
    let before = account.fullJID
    let manner = FaultProxy.Manner.allCases.randomElement(using: &numbers) ?? .closed
    wasLost = true
    try meanwhile(inCall) {
      if inCall {
        let direction: FaultProxy.Direction = Bool.random(using: &numbers) ? .toServer : .toClient
        account.proxy.strike(.cut(after: Int.random(in: 0..<600, using: &numbers), direction, manner))
      } else {
        note("a cut: \(manner)")
      }
    } then: {
      account.proxy.cut(manner)
      try account.owner.wait(for: "the loss of the connection", within: .seconds(30)) {
        !account.statuses(since: mark).isEmpty
      }
      try comeBack()
    }
    try account.look()
    if account.fullJID != before { isNewSession() }
  }

  /// The program dies without a word, and starts again.
  func kill(inCall: Bool) throws {
    wasLost = true
    try meanwhile(inCall) {
      note("kill -9")
    } then: {
      let wasOnline = model.isOnline
      try account.killAndStart()
      (isHandling, unheard) = (false, [:])
      try checkWhatIsDecided()
      guard wasOnline else { return }
      try comeBack()
    }
    let connection = try account.all(.Connection)
    (model.show, model.status) = (connection["Show"]?.text ?? "", connection["StatusText"]?.text ?? "")
    isNewSession()
  }

  /// What was set must hold across the death of the program, before there is a connection.
  func checkWhatIsKept(_ visibility: String) throws {
    try account.call(.Visibility, "SetInvisible")
    (model.policy, model.rules) = ("allow", ["@\(Self.domain)": "ask", "nobody@\(Self.domain)": "deny"])
    try account.set(.Decloak, "Policy", .string(model.policy))
    for (subject, decision) in model.rules {
      try account.call(.Decloak, "SetRule", [.string(subject), .string(decision)])
    }
    try account.killAndStart()
    guard try account.get(.Visibility, "Mode").text == "invisible" else {
      throw WitnessError("the visibility is not kept: \(try account.all(.Visibility).brief)")
    }
    try checkWhatIsDecided()
    for subject in model.rules.keys { try account.call(.Decloak, "SetRule", [.string(subject), .string("")]) }
    try account.set(.Decloak, "Policy", .string("off"))
    (model.policy, model.rules) = ("off", [:])
    try account.call(.Visibility, visibility == "visible" ? "SetVisible" : "SetInvisible")
  }

  /// The server stops and starts, and all come back.
  func restart() throws {
    note("the server restarts")
    wasLost = true
    let mark = account.owner.received.count
    try server.stop()
    let there = cast.recorders.filter { $0.client != nil }
    for recorder in there { try judge(recorder.wasLeft(), at: recorder) }
    account.deviceWasLeft()
    if model.isOnline {
      try account.owner.wait(for: "the loss of the connection", within: .seconds(30)) {
        !account.statuses(since: mark).isEmpty
      }
    }
    try server.startAgain()
    for recorder in there {
      recorder.isLate = true
      try recorder.logIn(server.clientPort)
    }
    if model.isOnline { try comeBack() }
    isNewSession()
  }

  /// After another session began nobody is shown anything for a while any more, and all who see us are told anew.
  private func isNewSession() {
    model.sessions = [:]
    asksNoMore { _ in true }
  }

  /// Connects as often as it takes.
  func comeBack() throws {
    let deadline = Deadline(.seconds(60))
    while true {
      do {
        try account.call(.Connection, "Connect")
        return model.isOnline = true
      } catch let refusal as RawBus.Refusal {
        guard !deadline.hasPassed else { throw WitnessError("it does not come back: \(refusal)") }
        if refusal.ours == "NotSupportedByServer", !model.isPossible { return model.isOnline = false }
        // A server that has just begun to listen may refuse what it will take in a moment.
        _ = try? account.owner.wait(for: "the next try", within: .milliseconds(100)) { false }
      }
    }
  }

  /// Does what takes a new stream. jabberd2 fails now and then where another stream has just ended (measured): what fails
  /// for that leaves us hidden, and is done again.
  func calling(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch let refusal as RawBus.Refusal
      where plan.server == .jabberd2 && refusal.text.contains("internal server error")
    {
      note("jabberd2 failed")
      try comeBack()
      try body()
    }
  }

  /// Breaks something while a call is under way, which may have taken effect or not.
  private func meanwhile(_ inCall: Bool, _ strike: () -> Void, then: () throws -> Void) throws {
    guard inCall else {
      strike()
      return try then()
    }
    let calls: [(String, String, Bool?)] = [
      ("SetInvisible", "invisible", nil), ("SetVisible", "visible", nil), ("SetPresence", "", nil),
      ("HideFrom", "", false), ("ShowTo", "", true),
    ]
    // Without a subscription it would be a Share.
    let subscribers = model.roster.filter(\.value.seesUs).keys.filter { !model.blocked.contains($0) }.sorted()
    let possible = calls.filter { !missing.contains($0.0) && ($0.2 == nil || !subscribers.isEmpty) }
    guard let (member, mode, isShown) = possible.randomElement(using: &numbers) else { return }
    let contact = subscribers.randomElement(using: &numbers) ?? ""
    let presence = randomPresence()
    let old = model
    var new = model
    if let isShown {
      new = changed(model) { $0.set(contact, isShown: isShown) }
    } else if member == "SetPresence" {
      (new.show, new.status) = (presence[0].text, presence[1].text)
    } else {
      new = changed(model) { $0.set(mode, [], acceptsLess: false) }
    }
    permit(new)
    note("broken in \(member)\(isShown == nil ? "" : " \(contact)")")
    let arguments = isShown != nil ? [.strings([contact])] : member == "SetPresence" ? presence : []
    strike()
    let call = try account.begin(member == "SetPresence" ? .Connection : .Visibility, member, arguments)
    try then()
    let refusal = try outcome(of: call)
    let isOnline = model.isOnline
    try readBack(old, new, refusal)
    model.isOnline = isOnline
  }

  private func outcome(of call: RawBus.Pending) throws -> RawBus.Refusal? {
    do {
      _ = try account.owner.finish(call)
      return nil
    } catch let refusal as RawBus.Refusal {
      return refusal
    }
  }

  /// A call that was broken off has happened or not; one that succeeded has happened.
  private func readBack(_ old: OutsideModel, _ new: OutsideModel, _ refusal: RawBus.Refusal?) throws {
    let state = try account.all(.Visibility)
    let connection = try account.all(.Connection)
    func isNow(_ model: OutsideModel) -> Bool {
      let contacts = state["Contacts"]?.list.map(\.text).filter { !$0.hasPrefix("not:") } ?? []
      return state["Mode"]?.text == model.mode && contacts.sorted() == model.exceptions.sorted()
        && connection["Show"]?.text == model.show && connection["StatusText"]?.text == model.status
    }
    // The program does not keep what we say of ourselves when it dies.
    func withPresence(_ model: OutsideModel) -> OutsideModel {
      var model = model
      (model.show, model.status) = (connection["Show"]?.text ?? "", connection["StatusText"]?.text ?? "")
      return model
    }
    note("it \(refusal.map { "failed: \($0)" } ?? "succeeded")")
    let candidates = [new] + (refusal == nil ? [] : [old])
    guard let holds = (candidates + candidates.map(withPresence)).first(where: isNow) else {
      throw WitnessError("the state after a broken call is neither that before nor that after it: \(state.brief)")
    }
    model = holds
  }
}

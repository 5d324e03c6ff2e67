// SPDX-License-Identifier: Apache-2.0

import Support

// Waiting until everything that follows from a step has come, and the look from the outside.

extension OutsideRun {
  /// A question of a recorder to our account.
  struct Question {
    let recorder: Recorder
    let id: String
    let kind: QuestionKind
    /// Whether our account, and no server in its place, has to answer.
    let mustBeAnswered: Bool
    var isAnswered = false
  }

  /// Waits until everybody sees what they must, and complains where that does not come about.
  func settle() throws {
    // What must come may take a while; what must not come has none in which it would be all right.
    let deadline = Deadline(wasLost ? .seconds(15) : .seconds(5))
    while true {
      try fence()
      let differences = try look()
      if differences.isEmpty { break }
      guard !deadline.hasPassed else {
        throw WitnessError("a difference:\n  " + differences.joined(separator: "\n  "))
      }
    }
    for recorder in cast.recorders where !recorder.seen.isEmpty || model.sight(of: recorder.full) == .nothing {
      recorder.isLate = false
    }
    asksNoMore { model.sight(of: $0) != .nothing }
    settled()
  }

  /// When this returns everything that was sent before has been through the server, the program and the server again, and
  /// what came of it has been received.
  func fence() throws {
    try pingAll()
    for _ in 0..<2 { try account.fence() }
    try pingAll()
  }

  private func pingAll() throws {
    let pings = try cast.recorders.compactMap { $0.client }.map { ($0, try $0.beginPing()) }
    for (client, id) in pings { try client.finishPing(id) }
  }

  /// Judges what has come.
  /// - Returns: what is not, or not yet, as it must be.
  /// - Throws: where somebody got what they must not get.
  private func look() throws -> [String] {
    let sessions = try account.call(.Decloak, "ListSessions").first?.list ?? []
    let shownTo = Set(sessions.filter { $0["Direction"]?.text == "they-see-me" }.compactMap { $0["Jid"]?.text })
    let state = try account.all(.Visibility)
    degraded.formUnion(state["Degraded"]?.list.map(\.text) ?? [])
    for recorder in cast.recorders { try judge(recorder.client?.takeAll() ?? [], at: recorder) }
    try takeHanded()
    var differences = shownTo.subtracting(model.sessions.keys).sorted().map { "a session with \($0) that nobody began" }
    // The program ends sessions by itself, as when the other side leaves.
    for (address, _) in model.sessions where !shownTo.contains(address) { model.sessions[address] = nil }
    differences += stateDifferences(state)
    for recorder in cast.recorders where recorder.client != nil {
      if let text = difference(at: recorder) { differences.append(text) }
    }
    for question in questions where question.mustBeAnswered && !question.isAnswered {
      differences.append("\(question.recorder.role) sees us, and the \(question.kind.rawValue) is not answered")
    }
    differences += unhanded.sorted().map { "call \($0) was proposed by somebody who sees us, and not handed over" }
    if differences.isEmpty { degraded = Set(state["Degraded"]?.list.map(\.text) ?? []) }
    return differences
  }

  // MARK: What must be

  private func difference(at recorder: Recorder) -> String? {
    let sight = model.sight(of: recorder.full)
    guard sight != .nothing else {
      return recorder.seen.isEmpty
        ? nil : "\(recorder.role) must see nothing, and sees \(recorder.view)\(lately(recorder))"
    }
    let owed = owed(recorder)
    if recorder.seen.isEmpty, owed == .nothing {
      let isTold = !model.isShown(recorder.bare) || degraded.contains("late-contacts-miss-us")
      return isTold
        ? nil : "\(recorder.role), who came late, misses us, and Degraded does not tell: \(degraded.sorted())"
    }
    // Whoever is owed capabilities alone may know more from earlier.
    let seen = Recorder.Seen(show: model.show, status: model.status)
    let isRight =
      Array(recorder.seen.keys) == [account.fullJID] && (owed != .all || recorder.seen[account.fullJID] == seen)
    guard !isRight else { return nil }
    let wanted = owed == .all ? " \(model.show) \"\(model.status)\"" : " by its capabilities"
    return "\(recorder.role) must see \(account.fullJID)\(wanted), and sees \(recorder.view)\(lately(recorder))"
  }

  private func lately(_ recorder: Recorder) -> String {
    recorder.recent.suffix(5).map { "\n    came: \($0)" }.joined()
  }

  /// What somebody must see at least. Whoever logs in later nobody but the server tells, and what goes to a bare JID
  /// reaches those who broadcast.
  private func owed(_ recorder: Recorder) -> OutsideModel.Sight {
    if model.isShown(recorder.bare) { return !recorder.isLate || model.reachesLatecomers ? .all : .nothing }
    guard !recorder.isLate else { return .nothing }
    // To those who do not broadcast jabberd2 delivers nothing (measured).
    guard recorder.broadcasts || plan.server != .jabberd2 else { return .nothing }
    let own = model.session(recorder.full)
    let whole = recorder.broadcasts ? model.session(recorder.bare) : .nothing
    // What goes to all resources takes the place of what one of them was told.
    return own == .all && whole == .bare ? .bare : max(own, whole)
  }

  private func stateDifferences(_ state: BusValue) -> [String] {
    var differences: [String] = []
    func compare(_ name: String, _ expected: String, _ got: String) {
      if expected != got { differences.append("\(name) is \(got) instead of \(expected)") }
    }
    compare("Mode", model.mode, state["Mode"]?.text ?? "")
    let contacts = state["Contacts"]?.list.map(\.text).filter { !$0.hasPrefix("not:") } ?? []
    if !missing.contains(StepKind.hideFrom.rawValue) {
      compare("Contacts", model.exceptions.sorted().description, contacts.sorted().description)
    }
    if model.isOnline {
      compare("Pending", "false", "\(state["Pending"]?.truth ?? true)")
      compare("Mechanism", model.hides ? model.mechanism : "none", state["Mechanism"]?.text ?? "")
    }
    compare("being connected", "\(model.isOnline)", "\(!account.fullJID.isEmpty)")
    return differences
  }
}

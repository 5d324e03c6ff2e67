// SPDX-License-Identifier: Apache-2.0

import Support

// Waiting until everything that follows from a step has come, and the look from the outside.

extension GatewayRun {
  /// Waits until everybody sees what they must, and complains where that does not come about.
  func settle() throws {
    // What must come may take a while; what must not come has none in which it would be all right.
    let deadline = Deadline(wasLost ? .seconds(15) : .seconds(5))
    while true {
      try cast.fence()
      try gateway.pingProgram()
      let differences = try look()
      if differences.isEmpty { break }
      guard !deadline.hasPassed else {
        throw WitnessError("a difference:\n  " + differences.joined(separator: "\n  "))
      }
    }
    settled()
  }

  /// Judges what has come.
  /// - Returns: what is not, or not yet, as it must be.
  /// - Throws: where somebody got what they must not get.
  func look() throws -> [String] {
    try answerHanded()
    try judge(cast.takeAll())
    var differences = try sessionDifferences() + subscriptionDifferences() + requestDifferences() + stateDifferences()
    for asker in cast.present {
      for address in AskedAddress.all {
        if let text = difference(at: asker, address.jid) { differences.append(text) }
      }
    }
    // Other servers tell their users only what is new to their rosters.
    if model.isOnline {
      for pair in owedEnds where cast.present.contains(where: { $0.isForeign && $0.bare == pair.who }) {
        differences.append("\(pair.who) must be told that it is subscribed to \(pair.address) no longer")
      }
    }
    let answers = judgeQuestions()
    if let leak = answers.first(where: { $0.hasPrefix("leak") }), questions.values.allSatisfy({ !$0.answers.isEmpty }) {
      throw WitnessError(leak)
    }
    return differences + answers
  }

  /// A program of the owner's answers what it is handed.
  private func answerHanded() throws {
    for signal in gateway.owner.received where signal.member == "IQReceived" {
      guard let id = signal.arguments.first else { continue }
      // Whoever asked may have gone meanwhile.
      _ = try? gateway.call(.Stanzas, "AnswerIQ", [id, .string("result"), .string("")])
    }
  }

  // MARK: What must be seen

  private func difference(at asker: Asker, _ address: String) -> String? {
    let pair = Pair(who: asker.full, address: address)
    let (sight, seen) = (model.sight(pair), asker.seen[address])
    guard sight > .nothing else {
      return seen == nil
        ? nil : "\(asker.role) must not see \(address), and sees it\(asker.lately(address))"
    }
    let right = Recorder.Seen(show: model.show, status: model.status)
    switch seen {
    case nil where asker.late.contains(address): return nil
    case nil: return "\(asker.role) must see \(address), and does not\(asker.lately(address))"
    case let seen?:
      // Whoever is owed capabilities alone may know more from earlier.
      guard owed(pair) == .all, seen != right else { return nil }
      return "\(asker.role) must see \(address) \(right.show) \"\(right.status)\", and sees \(seen.show) "
        + "\"\(seen.status)\"\(asker.lately(address))"
    }
  }

  /// What goes to all resources takes the place of what one of them was told.
  private func owed(_ pair: Pair) -> Sight {
    if model.isSubscribed(pair) { return .all }
    let (own, whole) = (model.session(pair), model.session(pair.bare))
    return own == .all && whole == .bare ? .bare : max(own, whole)
  }

  // MARK: What the program says

  private func sessionDifferences() throws -> [String] {
    let listed = try gateway.list(.Decloak, "ListSessions").filter { $0["Direction"]?.text == "they-see-me" }
    let there = Set(listed.map { Pair(who: $0["Jid"]?.text ?? "", address: $0["Target"]?.text ?? "") })
    var differences: [String] = []
    for pair in there where model.sessions[pair] == nil {
      if let begun = maybeSessions[pair] {
        model.sessions[pair] = begun
      } else {
        differences.append("\(pair.who) has a session with \(pair.address) that nobody began")
      }
    }
    for (pair, session) in model.sessions where !there.contains(pair) {
      // A subscription takes its place, and it ends when they leave or its time is over.
      if model.isSubscribed(pair) || leaving.contains(pair) || session.mayEnd < .now {
        model.sessions[pair] = nil
      } else {
        differences.append("the session of \(pair.who) with \(pair.address) is over, and nobody ended it")
      }
    }
    leaving = leaving.filter { model.sessions[$0] != nil || model.asking.contains($0) }
    return differences
  }

  private func subscriptionDifferences() throws -> [String] {
    let there = Set(
      try gateway.list(.Connection, "ListRoster", [.options()]).map {
        Pair(who: $0["Contact"]?.text ?? "", address: $0["Target"]?.text ?? "")
      })
    var differences: [String] = []
    for pair in there.subtracting(model.subscriptions) {
      if maybeSubscribed.contains(pair) {
        model.subscriptions.insert(pair)
      } else {
        differences.append("\(pair.who) is subscribed to \(pair.address), which nobody granted")
      }
    }
    for pair in model.subscriptions.subtracting(there) {
      if unsure.contains(pair) {
        model.subscriptions.remove(pair)
      } else {
        differences.append("\(pair.who) is subscribed to \(pair.address) no longer, and nobody ended it")
      }
    }
    return differences
  }

  /// Requests end by themselves; who waits must have asked.
  private func requestDifferences() throws -> [String] {
    let waiting = try requests()
    let asked = Set(model.asking.map(\.bare))
    var differences = Set(waiting.keys).subtracting(asked)
      .map { "a request of \($0.who) for \($0.address) waits that nobody made" }
    for pair in model.asking where waiting[pair.bare] == nil {
      model.asking.remove(pair)
      if unheard[pair.bare] == nil { unheard[pair.bare] = "nobody" }
    }
    let applying = Set(
      try gateway.list(.Connection, "ListSubscriptionRequests").map {
        Pair(who: $0["Contact"]?.text ?? "", address: $0["Target"]?.text ?? "")
      })
    differences += applying.subtracting(model.applying)
      .map { "a request of \($0.who) for a subscription to \($0.address) waits that nobody made" }
    model.applying.formIntersection(applying)
    return differences
  }

  /// The ids of the requests that wait, by account and address.
  func requests() throws -> [Pair: String] {
    let all = try gateway.list(.Decloak, "ListRequests")
    return Dictionary(
      all.map {
        (Pair(who: $0["Contact"]?.text ?? "", address: $0["Target"]?.text ?? ""), $0["Id"]?.text ?? "")
      }
    ) { first, _ in first }
  }

  private func stateDifferences() throws -> [String] {
    let isConnected = try gateway.isConnected()
    return try decisionDifferences()
      + (isConnected == model.isOnline ? [] : ["being connected is \(isConnected) instead of \(model.isOnline)"])
  }

  /// What the owner has decided holds.
  func decisionDifferences() throws -> [String] {
    let (decloak, visibility) = (try gateway.all(.Decloak), try gateway.all(.Visibility))
    var differences: [String] = []
    func compare(_ name: String, _ expected: String, _ got: String?) {
      if expected != got { differences.append("\(name) is \(got ?? "nothing") instead of \(expected)") }
    }
    compare("Policy", model.policy, decloak["Policy"]?.text)
    let rules = decloak["Rules"].map { rules in rules.keys.map { "\($0)=\(rules[$0]?.text ?? "")" }.sorted().description
    }
    compare("Rules", model.rules.map { "\($0)=\($1)" }.sorted().description, rules)
    compare("Mode", model.mode, visibility["Mode"]?.text)
    compare(
      "Contacts", model.exceptions.sorted().description, visibility["Contacts"]?.list.map(\.text).sorted().description)
    return differences
  }
}

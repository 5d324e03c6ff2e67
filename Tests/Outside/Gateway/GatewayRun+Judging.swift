// SPDX-License-Identifier: Apache-2.0

import Support

// What nobody may receive whom the model never allowed it.

extension GatewayRun {
  /// Something that an asker asked an address, and that the same asker asked nobody.
  struct Question {
    let asker: Asker
    let kind: GatewayQuestion
    /// The address that was asked, be it nobody's, and the resource behind it.
    let address: String
    let resource: String
    /// The id of the question to nobody; nil for that.
    let other: String?
    var answers: [String] = []
    var isAnswered = false
  }

  /// Takes what has come, and complains of what must not have come.
  func judge(_ received: [(Asker, RawClient.Received)]) throws {
    var objections: [String] = []
    for (asker, stanza) in received {
      let node = stanza.node
      guard let from = node["from"], let sender = sender(from) else { continue }
      // The answers to fences are judged by them.
      if noteAnswer(stanza) || sender == AskedAddress.nobody && node.name == "iq" { continue }
      asker.note(stanza)
      guard let text = objection(to: node, at: asker, from: sender) else { continue }
      objections.append("leak: \(asker.role) got \(stanza.raw)\n    \(text)")
    }
    guard objections.isEmpty else { throw WitnessError(objections.joined(separator: "\n  ")) }
  }

  /// The address of the gateway that a stanza says it is from; nil for what it has nothing to do with.
  private func sender(_ from: String) -> String? {
    let bare = bareJID(from)
    return bare == AskedAddress.domain || bare.hasSuffix("@\(AskedAddress.domain)") ? bare : nil
  }

  /// Takes an answer to a question: it is compared with that of nobody later.
  private func noteAnswer(_ stanza: RawClient.Received) -> Bool {
    guard stanza.node.name != "presence", let id = stanza.node["id"], let question = questions[id] else { return false }
    let answer = stanza.raw.replacing(escaped(question.address), with: "ADDRESS").replacing(id, with: "ID")
    questions[id]?.answers.append(Node(answer)?.canonical ?? answer)
    if stanza.node["type"] == "result" { questions[id]?.isAnswered = true }
    return true
  }

  private func objection(to node: Node, at asker: Asker, from address: String) -> String? {
    let pair = Pair(who: asker.full, address: address)
    let permitted = self.permitted[pair] ?? .nothing
    switch (node.name, node["type"]) {
    case ("presence", nil):
      guard permitted > .nothing else { return "it was never allowed" }
      let told = ["show", "status", "priority"].filter { node.child($0) != nil }
      return permitted == .all || told.isEmpty ? nil : "who sees capabilities alone is told \(told)"
    case ("presence", "unavailable"):
      // What was lost with a connection is said again.
      let mayHear = permitted > .nothing || wasLost && everPermitted.contains(pair)
      return mayHear ? nil : "nobody had told that it was there"
    case ("presence", "subscribed"):
      return mayHearOfGrant.contains(pair.bare) ? nil : "nobody granted a subscription"
    case ("presence", "unsubscribed"):
      guard mayHearOfEnd.contains(pair.bare) else { return "no subscription that was seen is over" }
      owedEnds.remove(pair.bare)
      return nil
    // Its server says that the gateway is not there.
    case ("presence", "error"), ("iq", "error"), ("message", "error"):
      let isLate = node.canonical.contains("<remote-server-") && ContinuousClock.now - lastLost < .seconds(60)
      return wasLost || isLate ? nil : "nothing was asked"
    case ("iq", "get"): return permitted > .nothing ? nil : "it is asked by an address that it must not know of"
    default: return "it must never be sent"
    }
  }

  // MARK: Questions

  /// What must have been answered, and what must have been answered as by nobody.
  func judgeQuestions() -> [String] {
    questions.values.compactMap { question in
      guard !wasLost, let other = question.other.flatMap({ questions[$0] }) else { return nil }
      let pair = Pair(who: question.asker.full, address: question.address)
      if permitted[pair] ?? .nothing == .nothing {
        return question.answers == other.answers
          ? nil : "leak: \(question.address) answers \(question.answers), and nobody \(other.answers)"
      }
      let isOurs = question.kind.mustBeAnswered || (question.kind == .talk && isHandling)
      return isOurs && !question.isAnswered && model.sight(pair) > .nothing
        ? "\(question.asker.role) sees \(question.address), and the \(question.kind.rawValue) is answered \(question.answers)"
        : nil
    }
  }
}

/// What is asked of an address.
enum GatewayQuestion: String, CaseIterable {
  case ping, info = "disco#info", talk = "question to a handler", unknown = "unknown question"
  case chat = "chat message", groupchat = "message of a room", headline, vcard

  /// Whether an address that is seen answers, and not with an error.
  var mustBeAnswered: Bool { self == .ping || self == .info }

  static let talking = "urn:example:talk"

  /// Its stanza: name, type and content.
  var stanza: (name: String, type: String, content: String) {
    switch self {
    case .ping: ("iq", "get", "<ping xmlns='urn:xmpp:ping'/>")
    case .info: ("iq", "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    case .talk: ("iq", "set", "<talk xmlns='\(Self.talking)'/>")
    case .unknown: ("iq", "get", "<what xmlns='urn:example:unknown'>text</what>")
    case .vcard: ("iq", "get", "<vCard xmlns='vcard-temp'/>")
    case .chat: ("message", "chat", "<body>are you there?</body><request xmlns='urn:xmpp:receipts'/>")
    case .groupchat: ("message", "groupchat", "<body>are you there?</body>")
    case .headline: ("message", "headline", "<body>news</body>")
    }
  }
}

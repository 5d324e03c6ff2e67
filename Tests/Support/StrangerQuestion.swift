// SPDX-License-Identifier: Apache-2.0

/// Something that a stranger can send to find out whether somebody is there.
public struct StrangerQuestion: Sendable {
  /// What it is.
  public let name: String
  /// Its XML, in which ADDRESS stands for the JID asked and ID for a new id.
  public let xml: String
  /// Whether it goes to the bare and the full JID, or to the full JID alone.
  public var fullOnly = false

  /// The three namespaces of decloaking.
  public static let dialects = [
    "<decloak xmlns='urn:xmpp:decloak:0' reason='media'/>",
    "<decloak xmlns='http://telepathy.freedesktop.org/xmpp/protocol/decloak' reason='media'/>",
    "<temppres xmlns='urn:xmpp:temppres:0' reason='media'/>",
  ]

  /// All that are asked.
  public static let all: [StrangerQuestion] = presences + queries + messages

  /// Capabilities that nobody can have seen.
  public static let unseenCapabilities =
    "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://stranger.example' ver='bmV2ZXIgc2VlbiBJRA=='/>"

  private static let presences: [StrangerQuestion] = {
    let combinations: [(String, [Int])] = [
      ("decloak in the URN's namespace", [0]), ("decloak in the legacy namespace", [1]), ("temppres", [2]),
      ("decloak in two namespaces", [0, 1]), ("decloak in two others", [1, 2]), ("decloak in all three", [0, 1, 2]),
    ]
    return [
      StrangerQuestion(name: "presence", xml: "<presence to='ADDRESS' id='ID'>\(unseenCapabilities)</presence>"),
      StrangerQuestion(name: "a probe", xml: "<presence type='probe' to='ADDRESS' id='ID'/>"),
    ]
      + combinations.map { name, which in
        let elements = which.map { dialects[$0] }.joined()
        return StrangerQuestion(
          name: name, xml: "<presence to='ADDRESS' id='ID'>\(unseenCapabilities)\(elements)</presence>")
      }
  }()

  private static let queries: [StrangerQuestion] = [
    ("disco#info", "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>"),
    ("disco#info of a node", "get", "<query xmlns='http://jabber.org/protocol/disco#info' node='x#y'/>"),
    ("disco#items", "get", "<query xmlns='http://jabber.org/protocol/disco#items'/>"),
    ("version", "get", "<query xmlns='jabber:iq:version'/>"),
    ("last activity", "get", "<query xmlns='jabber:iq:last'/>"),
    ("ping", "get", "<ping xmlns='urn:xmpp:ping'/>"),
    ("roster", "get", "<query xmlns='jabber:iq:roster'/>"),
    ("an unknown get", "get", "<what xmlns='urn:example:unknown'>text</what>"),
    ("an unknown set", "set", "<what xmlns='urn:example:unknown' a='1'><b/></what>"),
    ("roster push", "set", "<query xmlns='jabber:iq:roster'><item jid='x@localhost'/></query>"),
    (
      "a call", "set",
      "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='a'/>"
    ),
  ].map { name, type, payload in
    StrangerQuestion(name: name, xml: "<iq type='\(type)' to='ADDRESS' id='ID'>\(payload)</iq>")
  }

  private static let messages: [StrangerQuestion] =
    ["groupchat", "chat", "normal", "headline"].map {
      StrangerQuestion(
        name: "a \($0) message", xml: "<message type='\($0)' to='ADDRESS' id='ID'><body>there?</body></message>",
        fullOnly: true)
    } + [
      StrangerQuestion(
        name: "a message that wants a receipt",
        xml:
          "<message type='chat' to='ADDRESS' id='ID'><body>there?</body><request xmlns='urn:xmpp:receipts'/></message>",
        fullOnly: true),
      StrangerQuestion(
        name: "the announcement of a call",
        xml: "<message to='ADDRESS' id='ID'><propose xmlns='urn:xmpp:jingle-message:0' id='c1'>"
          + "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>",
        fullOnly: true),
      StrangerQuestion(
        name: "an unasked result", xml: "<iq type='result' to='ADDRESS' id='ID'/>", fullOnly: true),
    ]
}

extension Witness {
  /// Asks everything, and collects what comes back, spelled so that two accounts can be compared.
  /// - Parameters:
  ///   - questions: what to ask.
  ///   - bare: whom to ask; nil to ask the full JID alone.
  ///   - full: a full JID of theirs, be it connected or not.
  ///   - expected: the answers of somebody else. Each is waited for: the program may have to ask before it answers.
  ///   - last: an address whose answer comes behind all others, where they are not those of an account of ours.
  public func answers(
    _ questions: [StrangerQuestion] = StrangerQuestion.all, to stranger: RawClient, bare: String?, full: String,
    expected: [String: [String]] = [:], behind last: String? = nil
  ) throws -> [String: [String]] {
    var answers: [String: [String]] = [:]
    let all = questions.flatMap { question in
      [question.fullOnly ? nil : bare, full].compactMap { $0 }.map { (question, $0) }
    }
    // Those without an id are asked alone, others together, but not so many that the program has to hurry.
    var rest = all[...]
    var patience = 3  // Once it is clear that answers are missing, the rest need not take minutes.
    while let first = rest.first {
      let together =
        first.0.xml.contains("'ID'") ? rest.prefix(24).prefix { $0.0.xml.contains("'ID'") } : rest.prefix(1)
      rest = rest.dropFirst(together.count)
      var names: [String: String] = [:]
      stranger.passAll()
      let mark = stranger.mark
      for (question, address) in together {
        let id = "q-\(stranger.nextID())-"
        let name = "\(question.name) to the \(address == full ? "full" : "bare") JID"
        names[id] = name
        answers[name] = []
        try stranger.send(
          question.xml.replacing("'ADDRESS'", with: "'\(address)'").replacing("'ID'", with: "'\(id)'")
            .replacing("'CAPITALS'", with: "'\(capitals(address))'"))
      }
      for (id, name) in names where expected[name]?.isEmpty == false {
        let isAlone = names.count == 1
        guard patience > 0 else { break }
        do {
          try stranger.expect("an answer to \(name)", within: .seconds(2), from: mark) {
            !stranger.isOwn($0) && (isAlone || $0.canonical.contains(id))
          }
        } catch { patience -= 1 }
      }
      if let last { try stranger.iq("get", to: last, "<ping xmlns='urn:xmpp:ping'/>") }
      try fence(for: stranger)
      for received in stranger.received[mark...]
      where !stranger.isOwn(received.node) && (last == nil || received.node["from"] != last) {
        let id = names.keys.first { received.raw.contains($0) } ?? (names.count == 1 ? names.keys.first : nil)
        let name = id.flatMap { names[$0] } ?? "nothing that was asked"
        let answer = received.raw.replacing(full, with: "FULL").replacing(capitals(full), with: "FROM CAPITALS")
          .replacing(bare ?? full, with: "BARE").replacing(id ?? "ID", with: "ID")
        if let answer = withoutServersOwnTells(answer, to: name) { answers[name, default: []].append(answer) }
      }
    }
    stranger.passAll()
    return answers
  }

  /// An address whose account is in capitals: the same one.
  private func capitals(_ jid: String) -> String { bareJID(jid).uppercased() + jid.dropFirst(bareJID(jid).count) }
}

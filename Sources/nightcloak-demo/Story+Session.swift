// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import XML

// From the question to the end of the session.

extension Story {
  /// What Juliet's call comes to, once it does.
  typealias Answer = Record<Result<[Value], DemoFailure>>

  private static let wait: UInt32 = 8000
  private static let capabilities = "http://jabber.org/protocol/caps"

  /// Juliet asks and waits; Tybalt is told.
  /// - Returns: the request's id, and where Juliet's answer will be.
  func ask(_ juliet: Person, _ tybalt: Person) async throws -> (request: String, answer: Answer) {
    try await tybalt.setPolicy("ask")
    let mark = Mark(wire: stage.wire.stanzas.mark, signals: juliet.heard.mark)
    let signals = tybalt.heard.mark
    let answer = Answer()
    spawn {
      do {
        answer.add(
          .success(
            try await juliet.call(
              DecloakProxy.interface, "RequestDecloak", .string(tybalt.account), .string("media"),
              (["wait": .uint32(Self.wait)] as Person.Entry).value)))
      } catch {
        answer.add(.failure(DemoFailure("RequestDecloak failed: \(error)")))
      }
    }
    let request = try await passed(
      since: mark.wire, "Juliet's request reaches Tybalt's daemon", delivered(to: tybalt, from: juliet))
    narrator.wire(request, .nothing)
    let signal = try await heard(tybalt, since: signals, "DecloakRequested")
    let id = signal.text(0)
    try check(signal.text(1) == juliet.jid && signal.text(2) == "media", "DecloakRequested names Juliet and her reason")
    narrator.told("Tybalt", "hears DecloakRequested \(id), \(StanzaText.jid(juliet.jid)), \"media\"")
    let entry = try await tybalt.list("ListRequests").first
    try check(
      text(entry, "Id") == id && text(entry, "Contact") == juliet.account, "ListRequests shows the same request")
    narrator.answer("the same, for whoever missed the signal")
    try await checkSilence(since: mark, juliet, tybalt)
    try check(answer.items.isEmpty, "Juliet waits for as long as Tybalt has not answered")
    narrator.told("Juliet", "still waits, and nothing has come to her yet")
    return (id, answer)
  }

  /// Tybalt says yes; Juliet learns his full JID and what he can do, and nothing else.
  func approve(_ request: String, _ answer: Answer, _ juliet: Person, _ tybalt: Person) async throws {
    let mark = stage.wire.stanzas.mark
    try await tybalt.call(
      DecloakProxy.interface, "Approve", .string(request), .string("once"), Person.Entry().value)
    let shown = try await passed(since: mark, "Tybalt's presence reaches Juliet", delivered(to: juliet, from: tybalt))
    narrator.wire(shown)
    try check(shown.stanza.child("c", Self.capabilities) != nil, "the answer carries capabilities")
    for name in ["show", "status", "priority"] {
      try check(shown.stanza.child(name, Wire.namespace) == nil, "the answer carries no <\(name)/>")
    }
    let limit = Duration.milliseconds(Self.wait + 2000)
    guard let values = try await answer.first(within: limit, where: { _ in true })?.get() else {
      throw DemoFailure("RequestDecloak was not answered")
    }
    let peer = values.last?.as([Person.Entry].self)?.first
    let features = peer?["Features"]?.as([String].self) ?? []
    try check(text(peer, "Jid") == tybalt.jid, "RequestDecloak gives Juliet Tybalt's full JID")
    let signal = try await heard(juliet, since: 0, "PeerDecloaked")
    try check(signal.text(1) == tybalt.jid, "PeerDecloaked names Tybalt's full JID")
    let identity = identity(of: peer)
    let isHidden = stage.server.hidesFeatures
    try check(
      features.isEmpty == isHidden && (isHidden || !identity.isEmpty), "RequestDecloak tells what Tybalt can do")
    let abilities =
      isHidden
      ? "no features, as \(stage.server.name) answers for him"
      : "\(identity), \(features.count) features, such as \(features.last ?? "")"
    narrator.told(
      "Juliet", "has her answer: \(tybalt.jid), \(abilities); of \"dnd\" and \"researching\", nothing")
    try check(try await tybalt.canBeSeen(by: juliet.jid) == (true, "session"), "CanSee knows of the session")
    let session = try await juliet.list("ListSessions").first { text($0, "Jid") == tybalt.jid }
    try check(text(session, "Direction") == "i-see-them", "ListSessions has Tybalt as \"i-see-them\"")
    narrator.answer("\(StanzaText.jid(tybalt.jid)), i-see-them")
  }

  /// Tybalt takes his presence back; Juliet is told.
  func revoke(_ juliet: Person, _ tybalt: Person) async throws {
    let mark = stage.wire.stanzas.mark
    let signals = juliet.heard.mark
    let ended = try await tybalt.call(DecloakProxy.interface, "Revoke", .string(juliet.account))
    try check(ended == [.uint32(2)], "Revoke ends a session in each direction")
    narrator.wire(
      try await passed(since: mark, "Juliet is told unavailable") {
        $0.isPresence && !$0.isOutgoing && $0.account == "juliet" && $0.from == tybalt.jid && $0.type == "unavailable"
      })
    let signal = try await heard(juliet, since: signals, "SessionEnded", direction: "i-see-them")
    try check(signal.text(0) == tybalt.account && signal.text(2) == "peer-left", "SessionEnded says that Tybalt left")
    narrator.told("Juliet", "hears SessionEnded \"\(signal.text(0))\", \"\(signal.text(1))\", \"\(signal.text(2))\"")
    let seen = try await tybalt.canBeSeen(by: juliet.jid)
    try check(!seen.sees, "after Revoke Juliet cannot see Tybalt")
    // Her own presence is taken back too, as she has nobody to show it to any more.
    try await passed(since: mark, "Juliet's presence is taken back") {
      $0.isPresence && !$0.isOutgoing && $0.account == "tybalt" && $0.isFrom(juliet.account) && $0.type == "unavailable"
    }
    let left = try await juliet.list("ListSessions")
    try check(left.isEmpty, "no session is left in ListSessions")
    narrator.answer("empty: Tybalt is as unseen as he was")
  }

  private func text(_ entry: Person.Entry?, _ key: String) -> String { entry?[key]?.as(String.self) ?? "" }

  /// As `client/pc "name"`.
  private func identity(of peer: Person.Entry?) -> String {
    guard case .array(let identities, _)? = peer?["Identities"], case .structure(let fields)? = identities.first
    else { return "" }
    let texts = fields.map { $0.as(String.self) ?? "" }
    return texts.prefix(2).joined(separator: "/")
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import XML

// Romeo's story (XEP-0276 §5): he has a telephone and no XMPP account. A gateway speaks for him, and a program on the bus,
// the bridge, answers the calls that come for him.

extension Story {
  private static let romeo = "romeo%shakespeare.lit@\(Stage.gateway)"
  private static let stranger = "romeo%verona.lit@\(Stage.gateway)"
  private static let jingle = "urn:xmpp:jingle:1"
  private static let info = #"<query xmlns="http://jabber.org/protocol/disco#info"/>"#

  /// Tells it. Juliet is online already.
  /// - Throws: ``DemoFailure``, ``DBusError`` at the first step that does not happen.
  func tellOfRomeo(_ juliet: Person) async throws {
    let bridge = try await Person("Gateway", account: Stage.gateway, at: stage.busAddress, narrator)
    narrator.chapter("Romeo has a telephone and no XMPP account; a bridge sets up a gateway for such people")
    try await open(bridge)
    narrator.chapter("Juliet asks to be shown Romeo, and somebody whom the gateway cannot call")
    try await askForRomeo(juliet, bridge)
    narrator.chapter("Juliet calls Romeo; the bridge answers, and he picks up")
    try await callRomeo(juliet, bridge)
    narrator.chapter("She hangs up; Romeo is seen no longer")
    try await hangUp(juliet, bridge)
  }

  private func open(_ bridge: Person) async throws {
    narrator.told("shell", "G=$M/u.../sip_2elocalhost; the server knows this domain as a component (XEP-0114)")
    try await bridge.add(
      port: stage.componentPort,
      ["protocol": .string("xmpp-component"), "password": .string(Stage.gatewaySecret)])
    try await bridge.connect()
    try check(bridge.jid == Stage.gateway, "the gateway is connected as its domain")
    narrator.answer("every address of \(bridge.jid) is the gateway's")
    let rule = "to:*%shakespeare.lit@\(Stage.gateway)"
    try await bridge.call(DecloakProxy.interface, "SetRule", .string(rule), .string("allow"))
    narrator.answer("all others of its addresses do not exist from now on")
    try await bridge.setPolicy("allow")
    try await bridge.call(
      StanzasProxy.interface, "AddHandler", [Self.jingle].value, (["whole": true] as Person.Entry).value)
    narrator.answer("calls are for the bridge")
  }

  private func askForRomeo(_ juliet: Person, _ bridge: Person) async throws {
    let (mark, signals) = (stage.wire.stanzas.mark, bridge.heard.mark)
    try await juliet.call(
      DecloakProxy.interface, "RequestDecloak", .string(Self.stranger), .string("media"), Person.Entry().value)
    let answer = later {
      try await juliet.call(
        DecloakProxy.interface, "RequestDecloak", .string(Self.romeo), .string("media"),
        (["wait": .uint32(8000)] as Person.Entry).value)
    }
    narrator.wire(
      try await passed(since: mark, "Juliet's request leaves") {
        $0.isPresence && $0.isOutgoing && $0.account == juliet.user && $0.to == Self.romeo
      })
    let shown = try await passed(since: mark, "Romeo's presence reaches Juliet") {
      $0.isPresence && !$0.isOutgoing && $0.account == juliet.user && $0.from == Self.romeo && $0.type.isEmpty
    }
    narrator.wire(shown)
    for name in ["show", "status", "priority"] {
      try check(shown.stanza.child(name, Wire.namespace) == nil, "the answer carries no <\(name)/>")
    }
    let peer = try await result(of: answer, "RequestDecloak").last?.as([Person.Entry].self)?.first
    let features = peer?["Features"]?.as([String].self) ?? []
    try check(features.contains(Self.jingle), "RequestDecloak tells Juliet that Romeo can be called")
    narrator.told("Juliet", "has her answer: \(features.count) features, with \(Self.jingle) among them")
    let told = try await heard(bridge, since: signals, "DecloakRequested")
    let callee = told.values.last?.as(Person.Entry.self)?["Callee"]?.as(String.self)
    try check(callee == "romeo@shakespeare.lit", "DecloakRequested says whom the address stands for")
    narrator.told("Gateway", "hears DecloakRequested: \(StanzaText.jid(told.text(1))) asked for \(callee ?? "")")
    try await checkNobody(juliet, since: mark)
  }

  /// What is behind an answer of the gateway's would have come before it.
  private func checkNobody(_ juliet: Person, since mark: Int) async throws {
    do {
      try await juliet.call(
        StanzasProxy.interface, "SendIQ", .string(Self.stranger), .string("get"), .string(Self.info),
        Person.Entry().value)
    } catch let error as DBusError {
      try check(error.name.text.hasSuffix(".ServerRefused"), "of somebody who is not there nothing is told")
      narrator.answer(error.name.text.split(separator: ".").last.map(String.init) ?? "")
      let isSeen = stage.wire.stanzas.items(since: mark).contains {
        $0.isPresence && !$0.isOutgoing && $0.account == juliet.user && $0.isFrom(Self.stranger)
      }
      try check(!isSeen, "whom the gateway cannot call is not shown")
      return narrator.told("Juliet", "is told what servers tell of users that there are not")
    }
    throw DemoFailure("this did not happen: a question to nobody is refused")
  }

  private func callRomeo(_ juliet: Person, _ bridge: Person) async throws {
    try await juliet.call(StanzasProxy.interface, "AddHandler", [Self.jingle].value, Person.Entry().value)
    try await say("session-initiate", from: juliet, to: bridge, Self.romeo, Person.Entry())
    try await say("session-accept", from: bridge, to: juliet, juliet.jid, ["from": .string(Self.romeo)])
  }

  private func hangUp(_ juliet: Person, _ bridge: Person) async throws {
    let (mark, signals) = (stage.wire.stanzas.mark, bridge.heard.mark)
    try await say("session-terminate", from: juliet, to: bridge, Self.romeo, Person.Entry())
    narrator.wire(
      try await passed(since: mark, "Juliet takes her presence back") {
        $0.isPresence && $0.isOutgoing && $0.account == juliet.user && $0.to == Self.romeo && $0.type == "unavailable"
      })
    let ended = try await heard(bridge, since: signals, "SessionEnded")
    try check(ended.text(0) == juliet.account, "the gateway's session with Juliet is over")
    narrator.told("Gateway", "hears SessionEnded \"\(ended.text(0))\", \"\(ended.text(1))\", \"\(ended.text(2))\"")
    let left = try await bridge.list("ListSessions")
    try check(left.isEmpty, "no session is left at the gateway")
    narrator.answer("empty")
    try await juliet.call(DecloakProxy.interface, "Revoke", .string(""), aside: true)
    try await juliet.call(StanzasProxy.interface, "RemoveHandler", [String]().value, aside: true)
  }

  /// One says something of a call, and the other's program answers that it was heard.
  private func say(
    _ action: String, from one: Person, to other: Person, _ jid: String, _ options: Person.Entry
  ) async throws {
    let signals = other.heard.mark
    let payload = #"<jingle xmlns="\#(Self.jingle)" action="\#(action)" sid="balcony"/>"#
    let answer = later {
      try await one.call(
        StanzasProxy.interface, "SendIQ", .string(jid), .string("set"), .string(payload), options.value)
    }
    let question = try await heard(other, since: signals, "IQReceived")
    try check(question.text(3).contains(action), "\(other.name) is handed the \(action)")
    let whom = other.account == Stage.gateway ? ", to \(Self.romeo)" : ""
    narrator.told(other.name, "hears IQReceived \(question.text(0)), from \(StanzaText.jid(question.text(1)))\(whom)")
    if !whom.isEmpty { try check(question.text(3).contains("to='\(Self.romeo)'"), "the bridge is told for whom it is") }
    try await other.call(
      StanzasProxy.interface, "AnswerIQ", .string(question.text(0)), .string("result"), .string(""))
    try check(try await result(of: answer, "SendIQ") == [.string("")], "\(one.name)'s \(action) is answered")
    narrator.told(one.name, "is answered")
  }

  // MARK: Calls that wait

  private func later(_ call: @escaping @LoopActor () async throws -> [Value]) -> Answer {
    let answer = Answer()
    spawn {
      do { answer.add(.success(try await call())) } catch { answer.add(.failure(DemoFailure("\(error)"))) }
    }
    return answer
  }

  private func result(of answer: Answer, _ member: String) async throws -> [Value] {
    guard let values = try await answer.first(within: .seconds(10), where: { _ in true })?.get() else {
      throw DemoFailure("\(member) was not answered")
    }
    return values
  }
}

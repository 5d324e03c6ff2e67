// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import XML

// Joe's story (XEP-0018 §4.1): online and hidden, and shown to more and less of his contacts.

extension Story {
  static let contacts = ["stpeter", "pgmillard", "rynok"]
  /// What a contact is shown who is shown nobody.
  private static let unseen = "unavailable"
  /// What is said to the server about who may see us, besides presence.
  private static let hidingCommands = [
    "jabber:iq:privacy", "urn:xmpp:invisible:0", "urn:xmpp:invisible:1", "urn:xmpp:blocking",
  ]

  /// Who is in it.
  @LoopActor
  struct Cast {
    let joe: Person
    let contacts: [Person]
    /// How each of the contacts sees Joe: `available`, another show, or ``unseen``.
    var views: [String: String] = [:]
  }

  /// Tells it. Joe's contacts have had his presence before; now he comes online and nobody sees it.
  /// - Throws: ``DemoFailure``, ``DBusError`` at the first step that does not happen.
  func tellOfJoe() async throws {
    var cast = try await gather()
    let joe = cast.joe
    narrator.chapter("Joe logs in invisible; all three of his contacts are online, and used to seeing him")
    narrator.told("shell", "J=$M\(joe.path.text.dropFirst(Person.manager.text.count))")
    try await joe.call(VisibilityProxy.interface, "SetInvisible")
    narrator.answer("kept, since he is not connected yet")
    try await step(&cast, brings: [:]) {
      try await joe.connect()
      narrator.answer("\(StanzaText.jid(joe.jid)), Mechanism \"\(try await joe.mechanism)\"")
    }
    narrator.chapter("He shows himself to rynok, and goes away")
    try await step(&cast, brings: ["rynok": "available"]) {
      try await joe.call(VisibilityProxy.interface, "ShowTo", ["rynok@localhost"].value)
    }
    try await step(&cast, brings: ["rynok": "xa"]) { try await joe.setPresence("xa", "Away (due to idle)") }
    narrator.chapter("He becomes visible to all, and then to all but pgmillard")
    try await step(&cast, brings: ["stpeter": "xa", "pgmillard": "xa"]) {
      try await joe.call(VisibilityProxy.interface, "SetVisible")
    }
    try await step(&cast, brings: ["pgmillard": Self.unseen]) {
      try await joe.call(VisibilityProxy.interface, "HideFrom", ["pgmillard@localhost"].value)
    }
    try await step(&cast, brings: ["stpeter": "chat", "rynok": "chat"]) { try await joe.setPresence("chat", "") }
  }

  /// Four people come onto the bus; Joe and each of the others get subscribed to each other, and he leaves again.
  private func gather() async throws -> Cast {
    var people: [Person] = []
    for name in ["Joe"] + Self.contacts {
      let person = try await Person(name, at: stage.busAddress, narrator)
      guard let tap = stage.taps[person.user] else { throw DemoFailure("there is no relay for \(name)") }
      try await person.add(port: tap.port, aside: true)
      try await person.connect(aside: true)
      // jabberd2 keeps wishes to see somebody from sessions of negative priority.
      try await person.call(
        ConnectionProxy.interface, "SetPresence", .string("available"), .string(""),
        (["priority": .int32(0)] as Person.Entry).value, aside: true)
      people.append(person)
    }
    let (joe, contacts) = (people[0], Array(people.dropFirst()))
    for contact in contacts {
      try await befriend(contact, joe)
      try await befriend(joe, contact)
    }
    try await joe.call(ConnectionProxy.interface, "Disconnect", aside: true)
    for contact in contacts { try await contact.roundTrip() }
    return Cast(joe: joe, contacts: contacts)
  }

  /// From now on `one` sees the presence of `other`.
  private func befriend(_ one: Person, _ other: Person) async throws {
    let mark = stage.wire.stanzas.mark
    let reveal = (["reveal": true] as Person.Entry).value
    try await one.call(ConnectionProxy.interface, "Subscribe", .string(other.account), reveal, aside: true)
    try await passed(since: mark, "\(one.name)'s wish to see \(other.name) gets there") {
      $0.isPresence && !$0.isOutgoing && $0.account == other.user && $0.type == "subscribe"
    }
    try await other.call(
      ConnectionProxy.interface, "AuthorizeSubscription", .string(one.account), reveal, aside: true)
    try await passed(since: mark, "\(one.name) sees \(other.name)") {
      $0.isPresence && !$0.isOutgoing && $0.account == one.user && $0.isFrom(other.account) && $0.type.isEmpty
    }
  }

  /// Does something as Joe, and tells what the server heard of it and what each of the contacts got.
  /// - Parameter brings: how those see Joe then who saw him otherwise before.
  private func step(_ cast: inout Cast, brings: [String: String], _ act: () async throws -> Void) async throws {
    let mark = stage.wire.stanzas.mark
    try await act()
    for (contact, view) in brings {
      try await passed(since: mark, "\(contact) gets \"\(view)\" from joe") {
        self.isFromJoe($0, to: contact) && Self.view($0) == view
      }
    }
    let sent = stage.wire.stanzas.items(since: mark).filter { $0.account == "joe" && $0.isOutgoing }
    // Whatever else may come of it has come after these.
    try await cast.joe.roundTrip()
    for contact in cast.contacts { try await contact.roundTrip() }
    let all = stage.wire.stanzas.items(since: mark)
    for passed in sent where isAboutBeingSeen(passed) { narrator.wire(passed, passed.isPresence ? .moods : .purpose) }
    for contact in Self.contacts {
      let got = all.filter { isFromJoe($0, to: contact) }
      narrator.got(contact, got.map(\.stanza))
      let before = cast.views[contact] ?? Self.unseen
      let expected = brings[contact] ?? before
      // A server may repeat itself. Nobody may learn more, not even for a moment.
      try check(
        got.allSatisfy { [before, expected, Self.unseen].contains(Self.view($0)) }
          && (got.last.map(Self.view) ?? before) == expected, "to \(contact) joe is \"\(expected)\"")
      cast.views[contact] = expected
    }
  }

  private func isFromJoe(_ passed: Wire.Passed, to contact: String) -> Bool {
    passed.isPresence && !passed.isOutgoing && passed.account == contact && passed.isFrom("joe@localhost")
  }

  /// How whoever gets it sees the sender.
  private static func view(_ passed: Wire.Passed) -> String {
    guard passed.type.isEmpty else { return passed.type }
    return passed.stanza.child("show", Wire.namespace)?.text ?? "available"
  }

  private func isAboutBeingSeen(_ passed: Wire.Passed) -> Bool {
    let isCommand = passed.stanza.children.contains { Self.hidingCommands.contains($0.namespace) }
    return passed.isPresence || isCommand && passed.type == "set"
  }
}

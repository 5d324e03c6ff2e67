// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import Glibc
internal import XML

/// Two people who share no presence, and a call that one of them wants to make (XEP-0276 §4); a call to somebody who has no
/// XMPP account at all, through a gateway (§5); then one person, and who of three contacts sees him (XEP-0018 §4.1). Each
/// step is checked when it is told.
@LoopActor
final class Story {
  let stage: Stage
  let narrator: Narrator
  /// Where the records stood when Juliet asked.
  struct Mark {
    let wire: Int
    let signals: Int
  }

  /// An account that does not exist.
  static let nobody = "nobody@localhost"

  init(_ stage: Stage, _ narrator: Narrator) {
    self.stage = stage
    self.narrator = narrator
  }

  /// Tells it from beginning to end.
  /// - Throws: ``DemoFailure``, ``DBusError`` at the first step that does not happen.
  func tell() async throws {
    let juliet = try await Person("Juliet", at: stage.busAddress, narrator)
    let tybalt = try await Person("Tybalt", at: stage.busAddress, narrator)
    introduceStage()
    narrator.chapter("Both come online, strangers to each other")
    try await arrive(juliet)
    try await arrive(tybalt)
    try await keepToHimself(tybalt)
    narrator.chapter("Juliet asks to be shown Tybalt, and somebody who does not exist")
    try await askInVain(juliet, tybalt)
    narrator.chapter("Tybalt wants to be asked; Juliet tries again")
    let (request, answer) = try await ask(juliet, tybalt)
    narrator.chapter("Tybalt says yes, for this once")
    try await approve(request, answer, juliet, tybalt)
    narrator.chapter("The call is over; Tybalt is seen no longer")
    try await revoke(juliet, tybalt)
    try await tellOfRomeo(juliet)
    try await tellOfJoe()
  }

  // MARK: Before

  private func introduceStage() {
    let base = "$M/u\(getuid())/"
    narrator.told("shell", "B=\(stage.busAddress.prefix { $0 != "," })")
    narrator.told("", "N=\(Stage.serviceName) M=\(Person.manager)")
    narrator.told("", "J=\(base)juliet_40localhost T=\(base)tybalt_40localhost")
    narrator.told("", "call() { busctl --address=$B call $N \"$@\"; }")
    narrator.told("wire", "shown by a relay before the server: hence tls=off, which is for loopback alone")
  }

  private func arrive(_ person: Person) async throws {
    guard let tap = stage.taps[person.user] else { throw DemoFailure("there is no relay for \(person.name)") }
    try await person.add(port: tap.port)
    try await person.connect()
    try check(person.jid.hasPrefix(person.account + "/"), "\(person.name) is online with a full JID")
    try check(try await person.policy == "off", "the Policy of a new account is \"off\"")
    narrator.answer("\(StanzaText.jid(person.jid)), Policy \"off\"")
  }

  /// Something that a stranger must not learn, also when shown the rest.
  private func keepToHimself(_ tybalt: Person) async throws {
    let mark = stage.wire.stanzas.mark
    try await tybalt.setPresence("dnd", "researching")
    let presence = try await passed(since: mark, "Tybalt's status goes to the server") {
      $0.isPresence && $0.isOutgoing
    }
    narrator.wire(presence)
  }

  // MARK: Policy off

  private func askInVain(_ juliet: Person, _ tybalt: Person) async throws {
    let mark = Mark(wire: stage.wire.stanzas.mark, signals: juliet.heard.mark)
    for contact in [tybalt.account, Self.nobody] {
      try await juliet.call(
        DecloakProxy.interface, "RequestDecloak", .string(contact), .string("media"), Person.Entry().value)
      let request = try await passed(since: mark.wire, "Juliet's request to \(contact) leaves") {
        $0.isPresence && $0.isOutgoing && $0.to == contact
      }
      narrator.wire(request, contact == Self.nobody ? .nothing : .all)
    }
    try await passed(since: mark.wire, "Juliet's request reaches Tybalt's daemon", delivered(to: tybalt, from: juliet))
    try await checkSilence(since: mark, juliet, tybalt)
    narrator.told(
      "Juliet", "gets nothing from either, up to a round trip behind it: to her, neither exists")
    let requests = try await tybalt.list("ListRequests")
    try check(requests.isEmpty, "with Policy off no request is recorded")
    try check(tybalt.heard.items.isEmpty, "with Policy off there is no signal")
    narrator.answer("empty, and he heard no signal")
    let ended = try await juliet.call(DecloakProxy.interface, "Revoke", .string(""))
    try check(ended == [.uint32(2)], "Revoke \"\" takes both requests back")
    narrator.answer("2: the presence that went out with each is taken back")
  }

  /// Waits until whatever Tybalt's daemon might send has reached Juliet's, and fails if anything has.
  func checkSilence(since mark: Mark, _ juliet: Person, _ tybalt: Person) async throws {
    // The first makes sure that his daemon has read what came; the second, that the server has dealt with what it
    // may have sent then; hers, that she has read what the server may have made of it.
    try await tybalt.roundTrip()
    try await tybalt.roundTrip()
    try await juliet.roundTrip()
    let own = ["", "localhost", juliet.account, juliet.jid]
    let strange = stage.wire.stanzas.items(since: mark.wire).first {
      $0.account == "juliet" && !$0.isOutgoing && !own.contains($0.from)
    }
    if let strange { throw DemoFailure("before a yes Juliet got <\(strange.stanza.name)/> from \(strange.from)") }
    if let signal = juliet.heard.items(since: mark.signals).first {
      throw DemoFailure("before a yes Juliet heard \(signal.member)")
    }
  }

  // MARK: Steps

  /// Ends the story unless `happened`.
  func check(_ happened: Bool, _ step: String) throws {
    guard happened else { throw DemoFailure("this did not happen: \(step)") }
  }

  /// The stanza that a step sends.
  @discardableResult
  func passed(
    since mark: Int, _ step: String, _ matches: @escaping (Wire.Passed) -> Bool
  ) async throws -> Wire.Passed {
    guard let stanza = await stage.wire.stanzas.first(since: mark, where: matches) else {
      throw DemoFailure("this did not happen within 5 s: \(step)")
    }
    return stanza
  }

  /// The signal that a step brings.
  func heard(
    _ person: Person, since mark: Int, _ member: String, direction: String? = nil
  ) async throws -> Person.Heard {
    let signal = await person.heard.first(since: mark) {
      $0.member == member && (direction == nil || $0.text(1) == direction)
    }
    guard let signal else { throw DemoFailure("\(person.name) did not hear \(member) within 5 s") }
    return signal
  }

  /// Available presence that comes out of the server at somebody's.
  func delivered(to: Person, from: Person) -> (Wire.Passed) -> Bool {
    let user = to.user
    return { $0.isPresence && !$0.isOutgoing && $0.account == user && $0.isFrom(from.account) && $0.type.isEmpty }
  }
}

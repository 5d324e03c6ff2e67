// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

// Questions and answers (RFC 6121 §8.5): to a session they go on, the others the server answers itself.

extension LoopbackDomain {
  mutating func deliver(iq: Element, from origin: Origin, to address: Address) {
    if let resource = address.resource, address.account != domain {
      guard let id = accounts[address.account]?.resources[resource],
        filter(id)?.denies(.iq, origin.address) != true
      else { return fail(iq, StanzaError(.serviceUnavailable), origin) }
      return send(iq.stamped(from: origin.address, to: address), to: id)
    }
    guard iq.mayFail else {
      // An answer to a push is of no interest; another type there is not.
      if iq.type != "result" && iq.type != "error" { refuse(iq, origin) }
      return
    }
    guard iq.children.count == 1, let question = iq.children.first else { return refuse(iq, origin) }
    do {
      let answer = try self.answer(question, isSet: iq.type == "set", from: origin, to: address)
      send(iq.result(answer, to: origin.address), to: origin.session)
    } catch {
      fail(iq, error, origin)
    }
  }

  private mutating func refuse(_ iq: Element, _ origin: Origin) {
    send(iq.failure(StanzaError(.badRequest), to: origin.address), to: origin.session)
  }

  private mutating func answer(
    _ question: Element, isSet: Bool, from origin: Origin, to address: Address
  ) throws(StanzaError) -> Element? {
    if address.account == domain {
      return try serverAnswer(question, isSet: isSet)
    } else if address.account == origin.address.account {
      return try ownAnswer(question, isSet: isSet, from: origin.session)
    } else if filter(address.account)?.denies(.iq, origin.address) == true {
      throw StanzaError(.serviceUnavailable)
    } else {
      return try accountAnswer(question, isSet: isSet, from: origin.address, about: address.account)
    }
  }

  /// What the server says of itself.
  private func serverAnswer(_ question: Element, isSet: Bool) throws(StanzaError) -> Element? {
    switch (question.name, question.namespace, isSet) {
    case ("query", DiscoInfo.namespace, false):
      guard question.attribute("node") ?? "" == "" else { throw StanzaError(.itemNotFound) }
      return Self.serverInfo(features).element()
    case ("query", Discovery.items, false):
      return Discovery.list(components.keys.sorted().map(\.text))
    case ("ping", "urn:xmpp:ping", false): return nil
    case ("query", "jabber:iq:version", false):
      return Element(
        "query", "jabber:iq:version",
        children: [
          Element("name", "jabber:iq:version", text: Discovery.name),
          Element("version", "jabber:iq:version", text: "0"),
        ])
    case ("query", "jabber:iq:last", false): return Discovery.last(secondsSince(started))
    default: throw StanzaError(.serviceUnavailable)
    }
  }

  /// What it says to an account's own session.
  private mutating func ownAnswer(
    _ question: Element, isSet: Bool, from id: SessionID
  ) throws(StanzaError) -> Element? {
    switch (question.name, question.namespace) {
    case ("query", RosterBook.namespace):
      return isSet ? try setRoster(question, from: id) : try getRoster(question, from: id)
    case ("query", PrivacyList.namespace) where features.privacyLists:
      return isSet ? try setPrivacy(question, from: id) : try getPrivacy(question, from: id)
    case ("blocklist", Blocking.namespace) where features.blocking && !isSet: return blockList(for: id)
    case ("block", Blocking.namespace) where features.blocking && isSet: return try block(question, from: id)
    case ("unblock", Blocking.namespace) where features.blocking && isSet: return try unblock(question, from: id)
    case ("invisible", let namespace) where isSet && Self.isInvisibleCommand(namespace, features):
      return try beInvisible(question, id)
    case ("visible", let namespace) where isSet && Self.isInvisibleCommand(namespace, features): return beVisible(id)
    case ("vCard", "vcard-temp"): return isSet ? try setCard(question, from: id) : card(of: id)
    case ("session", "urn:ietf:params:xml:ns:xmpp-session") where isSet: return nil
    case ("ping", "urn:xmpp:ping") where !isSet: return nil
    default:
      guard let session = sessions[id] else { throw StanzaError(.serviceUnavailable) }
      return try accountAnswer(
        question, isSet: isSet, from: .full(session.address), about: session.address.bare)
    }
  }

  func secondsSince(_ moment: UInt64) -> UInt64 { now > moment ? now - moment : 0 }
}

// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

/// The elements in which a server tells what there is (XEP-0030, XEP-0012).
enum Discovery {
  static let items = "http://jabber.org/protocol/disco#items"
  /// What the server calls itself.
  static let name = "nightcloak loopback"

  static func list(_ addresses: [String]) -> Element {
    Element("query", items, children: addresses.map { Element("item", items, ["jid": $0]) })
  }

  static func last(_ seconds: UInt64) -> Element { Element("query", "jabber:iq:last", ["seconds": String(seconds)]) }
}

extension LoopbackDomain {
  /// What the server is and can do.
  static func serverInfo(_ features: LoopbackFeatures) -> DiscoInfo {
    var names = [
      DiscoInfo.namespace, Discovery.items, "urn:xmpp:ping", "jabber:iq:version", "jabber:iq:last",
      RosterBook.namespace, "vcard-temp", "msgoffline",
    ]
    if features.invisiblePresence { names.append("presence-invisible") }
    if features.invisibleCommand { names += invisibleCommands }
    if features.privacyLists { names.append(PrivacyList.namespace) }
    if features.blocking { names.append(Blocking.namespace) }
    return DiscoInfo(
      identities: [DiscoInfo.Identity(category: "server", type: "im", name: Discovery.name)], features: names.sorted())
  }

  /// What the server says on behalf of an account. Whoever does not see the account hears the same whether it is there or
  /// not.
  func accountAnswer(
    _ question: Element, isSet: Bool, from asker: Address, about account: BareAddress
  ) throws(StanzaError) -> Element? {
    guard let found = accounts[account], !isSet else { throw StanzaError(.serviceUnavailable) }
    let isSubscriber = found.roster.subscribers.contains(asker.account)
    switch (question.name, question.namespace) {
    case ("vCard", "vcard-temp"): return found.card ?? Element("vCard", "vcard-temp")
    case ("query", DiscoInfo.namespace) where isSubscriber:
      guard question.attribute("node") ?? "" == "" else { throw StanzaError(.itemNotFound) }
      return DiscoInfo(
        identities: [DiscoInfo.Identity(category: "account", type: "registered")],
        features: [DiscoInfo.namespace, Discovery.items]
      ).element()
    case ("query", Discovery.items) where isSubscriber:
      let shown = sessions(of: account).filter { isShown($0, to: asker.account) }
      return Discovery.list(shown.compactMap { sessions[$0]?.address.description })
    case ("query", "jabber:iq:last"):
      guard isSubscriber else { throw StanzaError(.forbidden) }
      let isSeen = sessions(of: account).contains { isShown($0, to: asker.account) }
      return Discovery.last(isSeen ? 0 : secondsSince(found.lastGone))
    default: throw StanzaError(.serviceUnavailable)
    }
  }

  private func isShown(_ id: SessionID, to contact: BareAddress) -> Bool {
    guard let session = sessions[id] else { return false }
    return session.address.bare == contact ? session.isAvailable : session.forwarding.shown.contains(contact)
  }

  // MARK: Visiting cards (XEP-0054)

  func card(of id: SessionID) -> Element {
    sessions[id].flatMap { accounts[$0.address.bare]?.card } ?? Element("vCard", "vcard-temp")
  }

  mutating func setCard(_ card: Element, from id: SessionID) throws(StanzaError) -> Element? {
    guard card.storedBytes <= limits.cardBytes else { throw StanzaError(.resourceConstraint) }
    if let account = sessions[id]?.address.bare { accounts[account]?.card = card }
    return nil
  }
}

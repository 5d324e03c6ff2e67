// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

// The roster as clients ask for it and change it (RFC 6121 §2, XEP-0237).

extension LoopbackDomain {
  /// Answers with the whole roster, or with nothing where the client has this very one.
  mutating func getRoster(_ question: Element, from id: SessionID) throws(StanzaError) -> Element? {
    guard let account = sessions[id]?.address.bare, let roster = accounts[account]?.roster else {
      throw StanzaError(.serviceUnavailable)
    }
    sessions[id]?.wantsRoster = true
    let version = roster.version(run)
    return question.attribute("ver") == version ? nil : roster.query(version: version)
  }

  mutating func setRoster(_ question: Element, from id: SessionID) throws(StanzaError) -> Element? {
    let items = question.children
    guard items.count == 1, let item = items.first, item.matches("item", RosterBook.namespace),
      let account = sessions[id]?.address.bare
    else { throw StanzaError(.badRequest) }
    guard case .bare(let contact)? = item.attribute("jid").flatMap(Address.init(prepared:)) else {
      throw StanzaError(.jidMalformed)
    }
    guard contact != account else { throw StanzaError(.notAllowed) }
    if item.attribute("subscription") == "remove" {
      guard accounts[account]?.roster[contact] != nil else { throw StanzaError(.itemNotFound) }
      removeContact(contact, of: account)
      return nil
    }
    guard hasRoom(for: contact, in: account) else { throw StanzaError(.resourceConstraint) }
    let name = item.attribute("name").flatMap { $0.isEmpty ? nil : $0 }
    let groups = item.children.filter { $0.matches("group", RosterBook.namespace) }.map(\.text)
    guard !groups.contains(""), groups.count <= limits.groupsPerContact,
      (groups + [name ?? ""]).allSatisfy({ $0.utf8.count <= limits.nameBytes })
    else { throw StanzaError(.notAcceptable) }
    guard Set(groups).count == groups.count else { throw StanzaError(.badRequest) }
    updateRoster(of: account, contact, creates: true) {
      $0.name = name
      $0.groups = groups
    }
    return nil
  }

  /// Whether a roster has room for a contact, or has it.
  func hasRoom(for contact: BareAddress, in account: BareAddress) -> Bool {
    guard let roster = accounts[account]?.roster else { return false }
    return roster[contact] != nil || roster.items.count < limits.contacts
  }

  /// Takes a contact out of a roster, and ends what there is between the two (§2.5).
  private mutating func removeContact(_ contact: BareAddress, of account: BareAddress) {
    accounts[account]?.requests[contact] = nil
    guard let item = accounts[account]?.roster.remove(contact) else { return }
    push(
      Element("item", RosterBook.namespace, ["jid": contact.text, "subscription": "remove"]), to: account)
    for id in sessions(of: account) {
      perform(sessions[id]?.forwarding.removed(contact) ?? [], of: id, present: .presence())
    }
    if item.subscription.hasTo || item.isAsked { pass(.presence(type: "unsubscribe"), from: account, to: contact) }
    if item.subscription.hasFrom { pass(.presence(type: "unsubscribed"), from: account, to: contact) }
  }

  /// Changes a contact, and tells the sessions that want to know.
  /// - Parameter creates: whether to make it one if it is none.
  mutating func updateRoster(
    of account: BareAddress, _ contact: BareAddress, creates: Bool = false, _ change: (inout RosterBook.Item) -> Void
  ) {
    guard creates || accounts[account]?.roster[contact] != nil,
      accounts[account]?.roster.update(contact, change) == true, let item = accounts[account]?.roster[contact]
    else { return }
    push(item.element, to: account)
  }

  private mutating func push(_ item: Element, to account: BareAddress) {
    guard let version = accounts[account]?.roster.version(run) else { return }
    let query = Element("query", RosterBook.namespace, ["ver": version], children: [item])
    push(query, to: account) { $0.wantsRoster }
  }

  /// Sends the sessions that want to know it a change of what the server keeps (RFC 6121 §2.1.6).
  mutating func push(_ payload: Element, to account: BareAddress, _ wants: (ClientSession) -> Bool) {
    for id in sessions(of: account) {
      guard let session = sessions[id], wants(session) else { continue }
      let push = Element(
        "iq", clientNamespace, ["to": session.address.description, "id": pushID(), "type": "set"], children: [payload])
      send(push, to: id)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

// Privacy lists as clients ask for them and change them (XEP-0016).
//
// Servers differ in what a list does to presence (see the tests of each). Here it is as on all that people run: a list that
// is set or taken up sends nothing by itself, to those whom it denies as little as to those whom it allows; directed
// presence under a deny list is refused with `not-acceptable`, as ejabberd does.

extension LoopbackDomain {
  func getPrivacy(_ question: Element, from id: SessionID) throws(StanzaError) -> Element? {
    guard let session = sessions[id], let privacy = accounts[session.address.bare]?.privacy else {
      throw StanzaError(.serviceUnavailable)
    }
    func named(_ element: String, _ name: String) -> Element {
      Element(element, PrivacyList.namespace, ["name": name])
    }
    let children = question.children
    guard let wanted = children.first else {
      return Element(
        "query", PrivacyList.namespace,
        children: [session.activeList.map { named("active", $0) }, privacy.defaultName.map { named("default", $0) }]
          .compactMap { $0 } + privacy.lists.keys.sorted().map { named("list", $0) })
    }
    guard children.count == 1, wanted.matches("list", PrivacyList.namespace), let name = wanted.attribute("name") else {
      throw StanzaError(.badRequest)
    }
    guard let list = privacy.lists[name] else { throw StanzaError(.itemNotFound) }
    return Element(
      "query", PrivacyList.namespace,
      children: [Element("list", PrivacyList.namespace, ["name": name], children: list.elements)])
  }

  mutating func setPrivacy(_ question: Element, from id: SessionID) throws(StanzaError) -> Element? {
    let children = question.children
    guard children.count == 1, let change = children.first, change.namespace == PrivacyList.namespace,
      let account = sessions[id]?.address.bare, let privacy = accounts[account]?.privacy
    else { throw StanzaError(.badRequest) }
    let name = change.attribute("name")
    switch change.name {
    case "active":
      guard name.map({ privacy.lists[$0] != nil }) ?? true else { throw StanzaError(.itemNotFound) }
      sessions[id]?.activeList = name
    case "default":
      guard name.map({ privacy.lists[$0] != nil }) ?? true else { throw StanzaError(.itemNotFound) }
      guard name == privacy.defaultName || privacy.defaultName == nil || !defaultHolds(for: account, but: id) else {
        throw StanzaError(.conflict)
      }
      accounts[account]?.privacy.defaultName = name
    case "list":
      guard let name, name.utf8.count <= limits.nameBytes else { throw StanzaError(.badRequest) }
      try setList(name, change, of: account, from: id)
    default: throw StanzaError(.badRequest)
    }
    return nil
  }

  private mutating func setList(
    _ name: String, _ element: Element, of account: BareAddress, from id: SessionID
  ) throws(StanzaError) {
    guard let owner = accounts[account] else { return }
    // All groups of a roster are only gone through where a rule is about one.
    let hasGroups = element.children.contains { $0.type == "group" }
    let groups = hasGroups ? Set(owner.roster.items.values.lazy.flatMap(\.groups)) : []
    let list = try PrivacyList(element, groups: groups, limits)
    if list.isEmpty {
      guard owner.privacy.lists[name] != nil else { throw StanzaError(.itemNotFound) }
      let isInUse =
        sessions(of: account).contains { $0 != id && sessions[$0]?.activeList == name }
        || owner.privacy.defaultName == name && defaultHolds(for: account, but: id)
      guard !isInUse else { throw StanzaError(.conflict) }
      accounts[account]?.privacy.lists[name] = nil
      if owner.privacy.defaultName == name { accounts[account]?.privacy.defaultName = nil }
      if sessions[id]?.activeList == name { sessions[id]?.activeList = nil }
    } else {
      guard owner.privacy.lists[name] != nil || owner.privacy.lists.count < limits.privacyLists else {
        throw StanzaError(.resourceConstraint)
      }
      accounts[account]?.privacy.lists[name] = list
    }
    // Told to all sessions, the one that changed it too (rule 10).
    push(
      Element(
        "query", PrivacyList.namespace, children: [Element("list", PrivacyList.namespace, ["name": name])]),
      to: account
    ) { _ in true }
  }

  /// Whether the default list is what holds for another session.
  private func defaultHolds(for account: BareAddress, but id: SessionID) -> Bool {
    sessions(of: account).contains { $0 != id && sessions[$0]?.activeList == nil }
  }
}

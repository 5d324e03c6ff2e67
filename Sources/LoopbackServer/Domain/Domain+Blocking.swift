// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

/// The elements of blocking (XEP-0191).
enum Blocking {
  static let namespace = "urn:xmpp:blocking"

  static func element(_ name: String, _ addresses: [Address]) -> Element {
    Element(
      name, namespace, children: addresses.map { Element("item", namespace, ["jid": $0.description]) })
  }

  /// The addresses of a command.
  static func addresses(_ command: Element) throws(StanzaError) -> [Address] {
    var result: [Address] = []
    for item in command.children where item.matches("item", namespace) {
      guard let address = item.attribute("jid").flatMap(Address.init(prepared:)) else {
        throw StanzaError(.jidMalformed)
      }
      result.append(address)
    }
    return result
  }
}

extension LoopbackDomain {
  mutating func blockList(for id: SessionID) -> Element? {
    guard let account = sessions[id]?.address.bare else { return nil }
    sessions[id]?.wantsBlocks = true
    return Blocking.element("blocklist", accounts[account]?.blocked.sorted() ?? [])
  }

  mutating func block(_ command: Element, from id: SessionID) throws(StanzaError) -> Element? {
    let addresses = try Blocking.addresses(command)
    guard !addresses.isEmpty, let account = sessions[id]?.address.bare, let blocked = accounts[account]?.blocked else {
      throw StanzaError(.badRequest)
    }
    guard blocked.union(addresses).count <= limits.blockedAddresses else { throw StanzaError(.resourceConstraint) }
    accounts[account]?.blocked.formUnion(addresses)
    withhold(account)
    push(Blocking.element("block", addresses), to: account) { $0.wantsBlocks }
    return nil
  }

  /// Lets some through again, or all: they see what they may see at once (§3.4).
  mutating func unblock(_ command: Element, from id: SessionID) throws(StanzaError) -> Element? {
    let addresses = try Blocking.addresses(command)
    guard let account = sessions[id]?.address.bare, let before = accounts[account] else {
      throw StanzaError(.badRequest)
    }
    accounts[account]?.blocked = addresses.isEmpty ? [] : before.blocked.subtracting(addresses)
    let freed = before.blocked.subtracting(accounts[account]?.blocked ?? [])
    if !freed.isEmpty {
      let old = StanzaFilter(before, list: nil)
      let contacts = before.roster.subscribers.filter { old.denies(.presenceOut, .bare($0)) }
      for contact in contacts.sorted() { showAll(of: account, to: contact) }
    }
    push(Blocking.element("unblock", addresses), to: account) { $0.wantsBlocks }
    return nil
  }

  /// What an account's sessions have shown to those whom it blocks now is taken back.
  private mutating func withhold(_ account: BareAddress) {
    guard let owner = accounts[account] else { return }
    let filter = StanzaFilter(owner, list: nil)
    for id in sessions(of: account) {
      let forwards = sessions[id]?.forwarding.withhold { filter.denies(.presenceOut, $0) } ?? []
      perform(forwards, of: id, present: .presence())
      if !forwards.isEmpty { gone(id) }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

// Subscriptions (RFC 6121 §3 and appendix A).

extension LoopbackDomain {
  /// A client manages a subscription: its own end first, then the contact's.
  mutating func manage(_ presence: Element, from origin: Origin, contact: BareAddress) {
    let account = origin.address.account
    guard contact != account else {
      return fail(presence, StanzaError(.notAllowed), origin)
    }
    let isKnown = isLocal(contact) || component(of: contact) != nil
    guard isKnown || presence.type == "unsubscribe" || presence.type == "unsubscribed" else {
      return fail(presence, StanzaError(.remoteServerNotFound), origin)
    }
    let adds = presence.type == "subscribe" || presence.type == "subscribed"
    guard !adds || hasRoom(for: contact, in: account) else {
      return fail(presence, StanzaError(.resourceConstraint), origin)
    }
    switch presence.type {
    case "subscribe": subscribe(presence, account, contact)
    case "subscribed": approve(presence, account, contact)
    case "unsubscribe":
      updateRoster(of: account, contact) {
        $0.subscription = Subscription(to: false, from: $0.subscription.hasFrom)
        $0.isAsked = false
      }
      pass(presence, from: account, to: contact)
    default: refuse(presence, account, contact)
    }
  }

  private mutating func subscribe(_ presence: Element, _ account: BareAddress, _ contact: BareAddress) {
    updateRoster(of: account, contact, creates: true) { if !$0.subscription.hasTo { $0.isAsked = true } }
    pass(presence, from: account, to: contact)
  }

  /// `subscribed`: the answer to a request, or leave before there is one (§3.4), which the contact does not hear of.
  private mutating func approve(_ presence: Element, _ account: BareAddress, _ contact: BareAddress) {
    guard accounts[account]?.requests.removeValue(forKey: contact) != nil else {
      updateRoster(of: account, contact, creates: true) { if !$0.subscription.hasFrom { $0.isApproved = true } }
      return
    }
    updateRoster(of: account, contact, creates: true) {
      $0.subscription = Subscription(to: $0.subscription.hasTo, from: true)
      $0.isApproved = false
    }
    pass(presence, from: account, to: contact)
    showAll(of: account, to: contact)
  }

  /// `unsubscribed`: refuses a request, takes leave back, or both.
  private mutating func refuse(_ presence: Element, _ account: BareAddress, _ contact: BareAddress) {
    let wasRequest = accounts[account]?.requests.removeValue(forKey: contact) != nil
    let wasSubscriber = accounts[account]?.roster[contact]?.subscription.hasFrom == true
    updateRoster(of: account, contact) {
      $0.subscription = Subscription(to: $0.subscription.hasTo, from: false)
      $0.isApproved = false
    }
    guard wasRequest || wasSubscriber else { return }
    pass(presence, from: account, to: contact)
    if wasSubscriber { hideAll(of: account, from: contact) }
  }

  // MARK: What comes in

  /// What somebody else says about a subscription reaches an account.
  mutating func take(_ presence: Element, from contact: BareAddress, by account: BareAddress) {
    guard accounts[account] != nil, contact != account, filter(account)?.denies(.other, .bare(contact)) != true else {
      return
    }
    let stanza = presence.stamped(from: .bare(contact), to: .bare(account))
    let item = accounts[account]?.roster[contact]
    switch presence.type {
    case "subscribe": request(stanza, contact, account, item)
    case "subscribed":
      guard item?.isAsked == true else { return }
      updateRoster(of: account, contact) {
        $0.subscription = Subscription(to: true, from: $0.subscription.hasFrom)
        $0.isAsked = false
      }
      tell(account, stanza)
    case "unsubscribe":
      let wasRequest = accounts[account]?.requests.removeValue(forKey: contact) != nil
      guard item?.subscription.hasFrom == true else {
        if wasRequest { tell(account, stanza) }
        return
      }
      updateRoster(of: account, contact) { $0.subscription = Subscription(to: $0.subscription.hasTo, from: false) }
      tell(account, stanza)
      hideAll(of: account, from: contact)
    default:
      guard let item, item.subscription.hasTo || item.isAsked else { return }
      updateRoster(of: account, contact) {
        $0.subscription = Subscription(to: false, from: $0.subscription.hasFrom)
        $0.isAsked = false
      }
      tell(account, stanza)
    }
  }

  private mutating func request(
    _ stanza: Element, _ contact: BareAddress, _ account: BareAddress, _ item: RosterBook.Item?
  ) {
    if item?.subscription.hasFrom == true {
      return pass(.presence(type: "subscribed"), from: account, to: contact)
    }
    if item?.isApproved == true {
      updateRoster(of: account, contact) {
        $0.subscription = Subscription(to: $0.subscription.hasTo, from: true)
        $0.isApproved = false
      }
      pass(.presence(type: "subscribed"), from: account, to: contact)
      return showAll(of: account, to: contact)
    }
    let requests = accounts[account]?.requests ?? [:]
    guard requests[contact] != nil || requests.count < limits.subscriptionRequests else { return }
    // It waits until somebody answers it, and so is kept without what makes it large.
    let isLarge = stanza.storedBytes > limits.nameBytes * 4
    accounts[account]?.requests[contact] =
      isLarge ? Element.presence(type: "subscribe").stamped(from: .bare(contact), to: .bare(account)) : stanza
    tell(account, stanza)
  }

  // MARK: Pieces

  /// Passes on what an account says about a subscription: in the account's name, whichever session said it (§3.1.2).
  mutating func pass(_ presence: Element, from account: BareAddress, to contact: BareAddress) {
    if isLocal(contact) {
      take(presence, from: account, by: contact)
    } else if let id = component(of: contact) ?? nil {
      send(presence.stamped(from: .bare(account), to: .bare(contact)), to: id)
    }
  }

  private mutating func tell(_ account: BareAddress, _ stanza: Element) {
    let sender = stanza.attribute("from").flatMap(Address.init(prepared:))
    for id in sessions(of: account)
    where sessions[id]?.isAvailable == true && !(sender.map { filter(id)?.denies(.other, $0) == true } ?? false) {
      send(stanza, to: id)
    }
  }

  /// A new subscriber sees who shows itself to it.
  mutating func showAll(of account: BareAddress, to contact: BareAddress) {
    for id in sessions(of: account) where filter(id)?.denies(.presenceOut, .bare(contact)) != true {
      perform(sessions[id]?.forwarding.subscribed(contact) ?? [], of: id, present: .presence())
    }
  }

  /// Whoever is no subscriber any more sees those go that it saw (§3.2.2).
  mutating func hideAll(of account: BareAddress, from contact: BareAddress) {
    for id in sessions(of: account) {
      perform(sessions[id]?.forwarding.unsubscribed(contact) ?? [], of: id, present: .presence())
    }
  }
}

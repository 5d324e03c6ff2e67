// SPDX-License-Identifier: Apache-2.0

internal import Audience
public import XML
public import XMPP

/// What a server does with stanzas: who gets what, as a value without I/O and without a clock (RFC 6120 §10, RFC 6121).
///
/// Each event returns the stanzas that go out for it, in their order. What it costs grows with what changes and with who
/// hears of it, not with how many are there.
public struct LoopbackDomain {
  /// What time it is, in seconds since 1970: whoever has a clock sets it before an event.
  public var now: UInt64 = 0

  let domain: BareAddress
  let features: LoopbackFeatures
  let limits: LoopbackLimits
  /// Names this run of the server, so that nobody takes its rosters for those of another.
  let run: String
  let started: UInt64
  var accounts: [BareAddress: UserAccount] = [:]
  var sessions: [SessionID: ClientSession] = [:]
  /// The components' domains, and the session of each that is there.
  var components: [BareAddress: SessionID?] = [:]
  /// What goes out for the present event.
  var outbox: [Delivery] = []
  private var pushes = 0

  /// A domain with its accounts, and nobody there.
  /// - Parameters:
  ///   - run: what no other run of a server has, nor had.
  ///   - now: the time, in seconds since 1970.
  public init(_ configuration: LoopbackConfiguration, run: String, now: UInt64) {
    domain = BareAddress((try? BareJID(configuration.domain))?.description ?? configuration.domain)
    features = configuration.features
    limits = configuration.limits
    self.run = run
    self.now = now
    started = now
    for user in configuration.users { accounts[BareAddress(user.jid)] = UserAccount(user, now: now) }
    for component in configuration.components {
      components[BareAddress((try? BareJID(component.domain))?.description ?? component.domain)] = .some(nil)
    }
  }

  /// Makes an account, unless it is there.
  mutating func add(_ user: LoopbackUser) {
    let address = BareAddress(user.jid)
    if accounts[address] == nil { accounts[address] = UserAccount(user, now: now) }
  }

  // MARK: Clients

  /// A client's session has begun. Whoever had the address before must have ended.
  public mutating func bound(_ jid: FullJID, at id: SessionID) -> [Delivery] {
    let address = FullAddress(jid)
    accounts[address.bare]?.resources[address.resource] = id
    sessions[id] = ClientSession(address)
    return deliveries()
  }

  /// A client or a component has said something.
  public mutating func received(_ stanza: Element, from id: SessionID) -> [Delivery] {
    if let session = sessions[id] {
      handle(stanza, from: Origin(address: .full(session.address), session: id))
    } else if let name = components.first(where: { $0.value == id })?.key {
      handle(stanza, fromComponent: name, id)
    }
    return deliveries()
  }

  /// A client's session, or a component's, is over.
  /// - Parameter unacknowledged: what it was sent and has not said that it had (XEP-0198): messages are looked after as if
  ///   they had come now.
  public mutating func ended(_ id: SessionID, unacknowledged: [Element] = []) -> [Delivery] {
    if let session = sessions[id] {
      leave(id)
      if accounts[session.address.bare]?.resources[session.address.resource] == id {
        accounts[session.address.bare]?.resources[session.address.resource] = nil
      }
      sessions[id] = nil
      for stanza in unacknowledged { giveBack(stanza, to: .full(session.address)) }
    } else if let name = components.first(where: { $0.value == id })?.key {
      components[name] = .some(nil)
    }
    return deliveries()
  }

  // MARK: Components

  /// A component has logged in (XEP-0114).
  public mutating func componentBound(_ name: String, at id: SessionID) -> [Delivery] {
    let address = BareAddress(name)
    if components[address] != nil { components[address] = id }
    return deliveries()
  }

  // MARK: Pieces

  private mutating func deliveries() -> [Delivery] {
    defer { outbox = [] }
    return outbox
  }

  /// Names a question of the server's own.
  mutating func pushID() -> String {
    pushes += 1
    return "push-\(pushes)"
  }

  mutating func send(_ stanza: Element, to id: SessionID) { outbox.append(Delivery(to: id, stanza: stanza)) }

  /// The sessions of an account, in the order of their resources.
  func sessions(of account: BareAddress) -> [SessionID] {
    guard let resources = accounts[account]?.resources else { return [] }
    return resources.count < 2 ? Array(resources.values) : resources.sorted { $0.key < $1.key }.map(\.value)
  }

  /// What is let through between a session and others.
  func filter(_ id: SessionID) -> StanzaFilter? {
    guard let session = sessions[id], let account = accounts[session.address.bare] else { return nil }
    return StanzaFilter(account, list: session.activeList ?? account.privacy.defaultName)
  }

  /// What is let through between an account and others where no session is concerned.
  func filter(_ account: BareAddress) -> StanzaFilter? {
    accounts[account].map { StanzaFilter($0, list: $0.privacy.defaultName) }
  }

  func isLocal(_ account: BareAddress) -> Bool { account.domain == domain.text[...] }
}

/// Who sent a stanza.
struct Origin {
  let address: Address
  /// Where it is told what became of it.
  let session: SessionID
}

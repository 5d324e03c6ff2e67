// SPDX-License-Identifier: Apache-2.0

/// The server's end of XEP-0018 for one session: which presence each contact must see next (§3 and §4).
///
/// With a visibility that nobody changes these are the rules of RFC 6121 §4, so every session has one. What the
/// specification leaves open is decided for whoever hides:
/// - Whoever is hidden from is told `unavailable` if they saw us in any way, directed presence included.
/// - Presence without a type that is directed to somebody goes there once, whoever it is and whatever the visibility. It
///   makes nobody one of those who are shown updates; the unavailable at the end goes there as well (RFC 6121 §4.6.3).
/// - Undirected unavailable does not end the visibility: a client that hid and comes back has not forgotten that it hid.
///   Only the end of the session does.
public struct PresenceForwarding: Sendable {
  /// What somebody must see next.
  public enum Content: Hashable, Sendable {
    /// The stanza that the session has just sent.
    case present
    /// The last undirected presence of the session; where it has sent none, one that says nothing but that it is there.
    case last
    /// That the session is gone.
    case unavailable
  }

  /// A presence that the server sends on.
  public struct Forward: Hashable, Sendable {
    /// To whom.
    public let to: Address
    /// Which.
    public let content: Content

    /// Describes one.
    public init(_ content: Content, to: Address) {
      self.to = to
      self.content = content
    }
  }

  /// Which contacts may see the session.
  public private(set) var visibility = Visibility.visible
  /// Whether the session has sent undirected presence of any type but unavailable.
  public private(set) var isPresent = false
  /// Who was sent the session's undirected presence, and has not been told since that it is gone.
  public private(set) var shown: Set<BareAddress> = []
  /// Who has directed presence, by account.
  private var directed: [BareAddress: Set<Address>] = [:]
  /// How many addresses have directed presence: what a client can make grow, and its server must limit.
  public private(set) var directedCount = 0

  /// A session that has not sent anything yet.
  public init() {}

  // MARK: Undirected presence

  /// `<presence/>`: goes to those who may see it.
  /// - Parameters:
  ///   - subscribers: who is subscribed to our presence.
  ///   - mayReceive: whether nothing else keeps it from a subscriber, as a privacy list does.
  public mutating func available(
    to subscribers: Set<BareAddress>, where mayReceive: (BareAddress) -> Bool = { _ in true }
  ) -> [Forward] {
    isPresent = true
    let audience = audience(among: subscribers).filter(mayReceive)
    for contact in audience { markShown(contact) }
    return audience.sorted().map { Forward(.present, to: .bare($0)) }
  }

  /// `<presence type='unavailable'/>`: goes to those who have seen us, and to nobody else.
  public mutating func unavailable() -> [Forward] { leave(.present) }

  /// `<presence type='visible'/>` (§3.2): those who did not see us see the last presence now.
  /// - Parameters:
  ///   - subscribers: who is subscribed to our presence.
  ///   - mayReceive: whether nothing else keeps it from a subscriber.
  public mutating func visible(
    to subscribers: Set<BareAddress>, where mayReceive: (BareAddress) -> Bool = { _ in true }
  ) -> [Forward] {
    isPresent = true
    visibility.showAll()
    let newcomers = subscribers.filter { !shown.contains($0) && mayReceive($0) }
    for contact in newcomers { markShown(contact) }
    return newcomers.sorted().map { Forward(.last, to: .bare($0)) }
  }

  /// `<presence type='invisible'/>` (§3.1): those who saw us see us go.
  public mutating func invisible() -> [Forward] {
    let goodbyes = leave(.unavailable)
    isPresent = true
    visibility.hideFromAll()
    return goodbyes
  }

  // MARK: Directed presence

  /// `<presence to='…'/>`.
  public mutating func available(directedTo address: Address) -> [Forward] {
    let contact = address.account
    // Who sees all our presence at this address is told of our end already.
    if !(shown.contains(contact) && address == .bare(contact)), directed[contact, default: []].insert(address).inserted
    {
      directedCount += 1
    }
    return [Forward(.present, to: address)]
  }

  /// `<presence to='…' type='unavailable'/>`. Until the next undirected presence the contact sees nothing.
  public mutating func unavailable(directedTo address: Address) -> [Forward] {
    let contact = address.account
    if directed[contact]?.remove(address) != nil { directedCount -= 1 }
    if directed[contact]?.isEmpty == true { directed[contact] = nil }
    if address == .bare(contact) { shown.remove(contact) }
    return [Forward(.present, to: address)]
  }

  /// `<presence to='…' type='visible'/>` (§3.4) to a contact of the roster. To anybody else it must not come here.
  /// - Parameter mayReceive: whether the contact is subscribed to our presence, and nothing else keeps it from them.
  public mutating func visible(to contact: BareAddress, mayReceive: Bool) -> [Forward] {
    visibility.show(contact)
    guard mayReceive, !shown.contains(contact) else { return [] }
    markShown(contact)
    return [Forward(.last, to: .bare(contact))]
  }

  /// `<presence to='…' type='invisible'/>` (§3.3) to a contact of the roster. To anybody else it must not come here.
  public mutating func invisible(to contact: BareAddress) -> [Forward] {
    visibility.hide(contact)
    return leave(contact)
  }

  // MARK: What others do

  /// A subscriber asks for our presence, or its server does.
  public mutating func probed(by contact: BareAddress) -> [Forward] {
    guard shown.contains(contact) || isPresent && visibility.shows(contact) else { return [] }
    markShown(contact)
    return [Forward(.last, to: .bare(contact))]
  }

  /// A contact has become a subscriber.
  public mutating func subscribed(_ contact: BareAddress) -> [Forward] { probed(by: contact) }

  /// A contact is no subscriber any more, or something else keeps our presence from them now.
  public mutating func unsubscribed(_ contact: BareAddress) -> [Forward] { leave(contact) }

  /// A contact is not on the roster any more, and no exception either.
  public mutating func removed(_ contact: BareAddress) -> [Forward] {
    if visibility.showsOthers { visibility.show(contact) } else { visibility.hide(contact) }
    return leave(contact)
  }

  /// Something else has begun to keep our presence from some who saw it (a privacy list, a block).
  /// - Parameter isDenied: from whom.
  public mutating func withhold(from isDenied: (Address) -> Bool) -> [Forward] {
    let contacts = shown.filter { isDenied(.bare($0)) }
    let addresses = directed.values.joined().filter(isDenied)
    shown.subtract(contacts)
    for address in addresses { _ = unavailable(directedTo: address) }
    return goodbyes(contacts, addresses, .unavailable)
  }

  /// The invisible command has been taken back (XEP-0186 §3.2): as before the first presence, but for whoever has
  /// directed presence.
  public mutating func restart() {
    visibility.showAll()
    isPresent = false
  }

  /// The session is over.
  public mutating func ended() -> [Forward] { leave(.unavailable) }

  // MARK: Pieces

  /// Which subscribers may see us. Where only exceptions may, it costs what there are of those.
  private func audience(among subscribers: Set<BareAddress>) -> [BareAddress] {
    visibility.showsOthers ? subscribers.filter(visibility.shows) : visibility.exceptions.filter(subscribers.contains)
  }

  private mutating func markShown(_ contact: BareAddress) {
    shown.insert(contact)
    // What goes to all its resources is no exception any more.
    guard directed[contact]?.remove(.bare(contact)) != nil else { return }
    directedCount -= 1
    if directed[contact]?.isEmpty == true { directed[contact] = nil }
  }

  private mutating func leave(_ content: Content) -> [Forward] {
    let result = goodbyes(shown, Array(directed.values.joined()), content)
    shown = []
    directed = [:]
    directedCount = 0
    isPresent = false
    return result
  }

  private mutating func leave(_ contact: BareAddress) -> [Forward] {
    let addresses = directed.removeValue(forKey: contact) ?? []
    directedCount -= addresses.count
    let contacts: Set<BareAddress> = shown.remove(contact) == nil ? [] : [contact]
    return goodbyes(contacts, Array(addresses), .unavailable)
  }

  private func goodbyes(_ contacts: Set<BareAddress>, _ addresses: [Address], _ content: Content) -> [Forward] {
    contacts.sorted().map { Forward(content, to: .bare($0)) } + addresses.sorted().map { Forward(content, to: $0) }
  }
}

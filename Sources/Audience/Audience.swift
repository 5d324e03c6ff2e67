// SPDX-License-Identifier: Apache-2.0

/// The single answer to "who may know that I'm online".
///
/// ``Visibility`` decides about subscribed contacts and ``Decloak`` about everybody else; both do so by changing
/// this value, and nothing leaves the process without being checked against it (see ``DepartureTable``).
/// An entry for a bare JID covers all its resources, one for a full JID that resource alone.
public struct Audience: Sendable {
  /// Why somebody may know.
  public enum Why: String, Hashable, Sendable {
    /// Our own account, its resources, its server.
    case ourselves = "self"
    /// A presence subscription, where those are seen who are no exceptions.
    case subscription
    /// A presence subscription, as an exception: shown to by name, or by group.
    case shown
    /// A session.
    case session
  }

  /// Our own account.
  public let account: BareAddress
  /// What holds for subscribed contacts now. Hidden until something says otherwise.
  public internal(set) var visibility = Visibility.invisible
  /// The name of what holds for subscribed contacts.
  public var mode: Mode { visibility.mode }
  /// How the server is made to keep to it on this stream.
  public private(set) var mechanism = Mechanism.directed
  /// Whether the server keeps undirected presence from those outside, and has confirmed it.
  public private(set) var isCovered = false
  /// Contacts with a subscription to our presence (roster subscription `from` or `both`).
  public private(set) var subscribers: Set<BareAddress> = []
  /// Contacts whose presence we are subscribed to (roster subscription `to` or `both`) and want to see though hidden.
  private var watched: Set<BareAddress> = []
  /// The sessions in which somebody sees us.
  public private(set) var sessions: [Address: Session] = [:]
  /// Who has been sent directed presence on this stream and not yet told that we are gone.
  public var shown: Set<Address> { shownByAccount.all }
  /// Whether undirected presence was broadcast on this stream and not yet withdrawn.
  public private(set) var isBroadcasting = false

  private let server: BareAddress
  // By account: a question about one contact never walks through all.
  private var sessionsByAccount = AddressesByAccount()
  private var shownByAccount = AddressesByAccount()
  // Whom the last withdrawal told beside the contacts: should it be lost, they see us still.
  private var withdrawnFrom: Set<Address> = []
  /// Who of the contacts could see us when what was broadcast was last withdrawn.
  public private(set) var visibilityWhenWithdrawn = Visibility.invisible

  /// The audience of an account that has just been made: nobody but ourselves.
  public init(account: BareAddress) {
    self.account = account
    server = BareAddress(String(account.domain))
  }

  // MARK: Questions

  /// Why `address` may know that we are online; `nil` when it must not. A bare JID is inside only when all its
  /// resources are.
  public func why(_ address: Address) -> Why? {
    let bare = address.account
    if bare == account || bare == server { return .ourselves }
    if sessions[address] != nil || sessions[.bare(bare)] != nil { return .session }
    guard isShownBySubscription(bare) else { return nil }
    return visibility.showsOthers ? .subscription : .shown
  }

  /// Whether a contact sees us because of its subscription.
  func isShownBySubscription(_ contact: BareAddress) -> Bool {
    subscribers.contains(contact) && visibility.shows(contact)
  }

  /// Whether `address` may know that we are online.
  public func contains(_ address: Address) -> Bool { why(address) != nil }

  /// Whether `address` is entitled to show and status, too.
  public func seesAll(_ address: Address) -> Bool {
    switch why(address) {
    case .ourselves, .subscription, .shown: true
    case .session:
      isShownBySubscription(address.account)
        || [address, .bare(address.account)].contains { sessions[$0]?.full == true }
    case nil: false
    }
  }

  /// As ``why(_:)``, for a person's question about a contact: any resource that sees us makes it a yes.
  public func whyAnyResource(of bare: BareAddress) -> Why? {
    why(.bare(bare)) ?? (sessionsByAccount[bare].isEmpty ? nil : .session)
  }

  /// Whether somebody who was sent our presence is sent each change of it: whoever may see all of it, and does not get it
  /// by way of the server's broadcast.
  public func wantsUpdate(_ address: Address) -> Bool {
    if isBroadcasting, visibility.mode == .visible || mechanism.broadcasts, isShownBySubscription(address.account) {
      return false
    }
    return contains(address) && seesAll(address)
  }

  /// Whether a contact has a subscription and yet does not see us.
  public func isHiddenFrom(_ contact: BareAddress) -> Bool {
    subscribers.contains(contact) && !visibility.shows(contact)
  }

  /// Whether a policy may show us to a stranger without a person's word: hiding beats every yes that was given before.
  func canBeShownByPolicy(_ contact: BareAddress) -> Bool {
    visibility.showsOthers && !visibility.exceptions.contains(contact)
  }

  /// The sessions with any resource of a contact, in the order of their JIDs.
  public func sessions(with bare: BareAddress) -> [Session] {
    sessionsByAccount[bare].sorted().compactMap { sessions[$0] }
  }

  /// The addresses of a contact that have sessions.
  func sessionAddresses(with bare: BareAddress) -> Set<Address> { sessionsByAccount[bare] }

  /// Whether any address of a contact is among those in ``shown``.
  func hasShown(_ bare: BareAddress) -> Bool { !shownByAccount[bare].isEmpty }

  /// Whether nobody is subscribed, sees us in a session, or was sent presence that was not taken back.
  var isIdle: Bool { sessions.isEmpty && subscribers.isEmpty && shownByAccount.isEmpty }

  /// Whether an address is among those in ``shown``.
  public func wasShown(_ address: Address) -> Bool { shownByAccount.contains(address) }

  /// Whether another copy of our presence to `address` can be remembered, so that it can be taken back.
  func canBeShownAgain(_ address: Address) -> Bool {
    wasShown(address) || shownByAccount[address.account].count < Limits.resourcesPerContact
  }

  /// Who was shown us and may not know any more, in the order of the JIDs.
  /// - Parameter contact: one contact's addresses; `nil` for everybody's.
  func shownOutside(_ contact: BareAddress? = nil) -> [Address] {
    (contact.map { shownByAccount[$0] } ?? shown).filter { !contains($0) }.sorted()
  }

  /// Everybody but ourselves who may know, with the reason; in no particular order.
  public var members: [(address: Address, why: Why)] {
    let subscribed =
      visibility.showsOthers
      ? subscribers.filter(visibility.shows) : Set(visibility.exceptions.filter(subscribers.contains))
    return subscribed.map { (.bare($0), visibility.showsOthers ? .subscription : .shown) }
      + sessions.keys.filter { !subscribed.contains($0.account) }.map { ($0, .session) }
  }

  // MARK: Changes, by Visibility and Decloak only

  /// Takes up the mechanism of a stream.
  public mutating func use(_ mechanism: Mechanism) { self.mechanism = mechanism }

  /// Notes whether the server has confirmed that it keeps undirected presence from those outside.
  public mutating func cover(_ isCovered: Bool) { self.isCovered = isCovered }

  mutating func setSubscriber(_ contact: BareAddress, _ subscribed: Bool) {
    if subscribed { subscribers.insert(contact) } else { subscribers.remove(contact) }
  }

  /// Notes whether a contact's presence is to be seen though it does not see ours.
  public mutating func watch(_ contact: BareAddress, _ isWatched: Bool) {
    if isWatched { watched.insert(contact) } else { watched.remove(contact) }
  }

  /// Notes all contacts whose presence is to be seen.
  public mutating func replaceWatched(_ contacts: Set<BareAddress>) { watched = contacts }

  func isWatched(_ contact: BareAddress) -> Bool { watched.contains(contact) }

  mutating func replaceSubscribers(_ contacts: Set<BareAddress>) { subscribers = contacts }

  mutating func begin(_ session: Session) {
    sessions[session.address] = session
    sessionsByAccount.insert(session.address)
  }

  mutating func update(_ session: Session) {
    guard sessions[session.address] != nil else { return }
    sessions[session.address] = session
  }

  @discardableResult
  mutating func end(_ address: Address) -> Session? {
    guard let session = sessions.removeValue(forKey: address) else { return nil }
    sessionsByAccount.remove(address)
    return session
  }

  // MARK: What has left, told by the doorkeeper

  /// Notes that a stanza left, so that exactly those who saw us are told when we go.
  /// - Parameter isStopped: whether the server keeps undirected presence from somebody. Within a change that is not always
  ///   whom it will be kept from after it.
  public mutating func noteDeparture(
    _ departure: Departure, to address: Address?, isStopped: (Address) -> Bool = { _ in false }
  ) {
    switch (departure, address) {
    case (.available, let address?): shownByAccount.insert(address)
    case (.unavailable, let address?): shownByAccount.remove(address)
    case (.available, nil): isBroadcasting = true
    case (.unavailable, nil):
      isBroadcasting = false
      withdrawnFrom = shown
      visibilityWhenWithdrawn = visibility
      // RFC 6121 §4.5.2: the server tells those who got directed presence, too. But a privacy list keeps it from them, also
      // one that is being changed.
      let left = mechanism == .privacyList ? shown.filter { !visibility.shows($0.account) || isStopped($0) } : []
      shownByAccount.removeAll()
      for address in left { shownByAccount.insert(address) }
    default: break
    }
  }

  /// Notes that an unavailable was lost with the stream before the server had it: whoever it was for, or everybody
  /// where it was for all, may see us still.
  public mutating func noteLostFarewell(to address: Address?) {
    if let address { return shownByAccount.insert(address) }
    isBroadcasting = true
    for address in withdrawnFrom { shownByAccount.insert(address) }
  }

  /// Notes that what was sent to `address`, or broadcast, never arrived, and that nothing had been shown before: there is
  /// nothing to take back.
  public mutating func noteLostShowing(to address: Address?) {
    if let address { shownByAccount.remove(address) } else { isBroadcasting = false }
  }

  /// Whether presence to `address`, or to everybody, would be the first.
  public func isFirstShowing(to address: Address?) -> Bool { address.map { !wasShown($0) } ?? !isBroadcasting }

  /// Notes that an earlier stream, which nobody closed, showed us to these, and that its resource is ours again.
  public mutating func inherit(shown addresses: [Address]) {
    for address in addresses { shownByAccount.insert(address) }
  }

  /// Notes that the stream is gone, and with it all that its resource had shown.
  public mutating func streamEnded() {
    shownByAccount.removeAll()
    withdrawnFrom.removeAll()
    isBroadcasting = false
    isCovered = false
    mechanism = .directed
  }
}

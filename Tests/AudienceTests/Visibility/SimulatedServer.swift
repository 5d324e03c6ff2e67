// SPDX-License-Identifier: Apache-2.0

@testable import Audience

/// What a server makes of our presence for the contacts that are subscribed to it, by one mechanism. Everybody is online
/// all the time.
struct SimulatedServer {
  let mechanism: Mechanism
  let subscribers: Set<BareAddress>
  /// Who takes us for available now.
  private(set) var believers: Set<BareAddress> = []
  /// Everybody who was sent anything since ``forgetReached()``.
  private(set) var reached: Set<BareAddress> = []

  private var isBroadcasting = false
  private var directed: Set<BareAddress> = []
  private var list: PrivacyList?
  private var isListActive = false
  // XEP-0018 and XEP-0186: what the session has said about itself.
  private var visibility = Visibility.visible

  init(_ mechanism: Mechanism, subscribers: Set<BareAddress>) {
    self.mechanism = mechanism
    self.subscribers = subscribers
  }

  /// Who would be shown us on coming online now: the server answers for what was broadcast.
  var shownOnLogin: Set<BareAddress> {
    isBroadcasting ? subscribers.filter { visibility.shows($0) && passes($0) } : []
  }

  mutating func forgetReached() { reached.removeAll() }

  /// What of our presence passes to somebody.
  private func passes(_ contact: BareAddress) -> Bool {
    guard isListActive, let list else { return true }
    return list.passes(.presenceOut, .bare(contact), PrivacyContact(subscription: .both))
  }

  private mutating func tell(_ contact: BareAddress, _ isAvailable: Bool) {
    guard passes(contact) else { return }
    reached.insert(contact)
    if isAvailable { believers.insert(contact) } else { believers.remove(contact) }
  }

  // MARK: Presence

  mutating func directed(to contact: BareAddress, _ isAvailable: Bool) {
    if isAvailable { directed.insert(contact) } else { directed.remove(contact) }
    tell(contact, isAvailable)
  }

  mutating func undirected(_ isAvailable: Bool) {
    let told =
      isAvailable ? subscribers.filter { visibility.shows($0) } : subscribers.union(directed).filter(isToldGone)
    isBroadcasting = isAvailable
    if !isAvailable { directed.removeAll() }
    for contact in told { tell(contact, isAvailable) }
  }

  /// Without a mechanism that the session has used, an undirected unavailable goes to everybody, whatever went before.
  private func isToldGone(_ contact: BareAddress) -> Bool { visibility.shows(contact) || directed.contains(contact) }

  // MARK: XEP-0018, XEP-0186

  mutating func invisible(_ contact: BareAddress?) {
    forward { visibility in
      if let contact { visibility.hide(contact) } else { visibility.hideFromAll() }
    }
  }

  mutating func visible(_ contact: BareAddress?) {
    forward { visibility in
      if let contact { visibility.show(contact) } else { visibility.showAll() }
    }
  }

  /// The server sends what each contact has to see next (XEP-0018 §4).
  private mutating func forward(_ change: (inout Visibility) -> Void) {
    let old = visibility
    change(&visibility)
    let difference = old.difference(to: visibility, among: subscribers)
    guard isBroadcasting else { return }
    for contact in difference.hidden { tell(contact, false) }
    for contact in difference.shown { tell(contact, true) }
  }

  mutating func command(isVisible: Bool) {
    if isVisible {
      visibility = .visible
      isBroadcasting = false
    } else {
      if isBroadcasting { for contact in subscribers { tell(contact, false) } }
      visibility = .invisible
    }
  }

  // MARK: XEP-0016

  mutating func set(_ new: Visibility) {
    list = PrivacyList(keepingTo: new, admitting: [], before: []) { _ in PrivacyContact(subscription: .both) }
  }
  mutating func activate(_ isActive: Bool) { isListActive = isActive }

  // MARK: The end

  /// The stream is closed. What stands is taken back by the server (RFC 6121 §4.5.4), but directed presence to contacts
  /// is not (measured: they keep a stale "available").
  /// - Parameter tellsAll: as jabberd2 does, and Prosody under a list that no undirected unavailable has passed.
  mutating func close(tellsAll: Bool) {
    let told = isBroadcasting ? subscribers.filter { visibility.shows($0) } : tellsAll ? subscribers : []
    for contact in told.sorted() { tell(contact, false) }
    self = SimulatedServer(keeping: self)
  }

  private init(keeping old: SimulatedServer) {
    self.init(old.mechanism, subscribers: old.subscribers)
    believers = old.believers
    reached = old.reached
    list = old.list
  }
}

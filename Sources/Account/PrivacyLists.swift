// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XML
internal import XMPP

/// Our privacy list at the server (XEP-0016), and nobody else's: those of other clients, and the account's default, are
/// read and never changed.
///
/// While ours is the active one the default has no say (XEP-0016 §2.3), so its rules are copied behind our own.
@LoopActor
final class PrivacyLists {
  /// The name of our list.
  nonisolated static let name = "nightcloak"
  nonisolated static let namespace = "jabber:iq:privacy"

  /// What the roster says of somebody: rules speak of groups and subscriptions.
  var contact: @LoopActor (BareAddress) -> PrivacyContact = { _ in PrivacyContact() }
  /// Called when another client may have changed what our list says, or what it has to say. ``putRight()`` finds out.
  var onDoubt: @LoopActor () -> Void = {}
  /// Whether another client may have done so since ``putRight()`` was last called.
  private(set) var isDoubted = false

  private let requests: IQRequests
  private let gate = SerialGate()
  private var foreignChanges: ForeignChanges
  /// Counts sessions: what waited in an earlier one comes to nothing.
  private var session: UInt64 = 0
  /// The rules that were in force before ours; nil until they are needed.
  private var kept: KeptRules?
  /// What our list is to keep to.
  private var visibility: Visibility?
  /// Who is let through for the moment.
  private var admitted: Set<Address> = []
  /// What the server has confirmed; nil while nobody knows.
  private var confirmed: PrivacyList?
  /// What is on its way to the server.
  private var underWay: PrivacyList?
  /// Whether ours is the active list, or is about to be.
  private var isActive = false
  /// Whether the server has, or may have, what a change wanted that broke off with the connection.
  private var isAstray = false
  /// Counts how often the connection was lost while the session went on.
  private var interruptions: UInt64 = 0
  /// Edits of ours which the server may still tell us of.
  private var ownEdits = 0

  init(requests: IQRequests, time: any TimeSource) {
    self.requests = requests
    foreignChanges = ForeignChanges(time)
  }

  // MARK: Steps of a change

  /// Refuses a visibility that our list cannot hold, before anything is done about it.
  /// - Throws: ``AccountError`` `limitExceeded`, or what keeps the rules that were in force from being read.
  func check(_ visibility: Visibility) async throws(AccountError) {
    try await alone { () async throws(AccountError) in
      let kept = try await self.learnt()
      _ = try self.query(for: self.list(visibility, admitting: [], kept), visibility)
    }
  }

  /// Sets our list so that it keeps to a visibility.
  /// - Throws: ``AccountError``; what the server has then is not known.
  func set(_ visibility: Visibility) async throws(AccountError) {
    try await alone { () async throws(AccountError) in
      let kept = try await self.learnt()
      let before = self.interruptions
      try await self.edit(self.list(visibility, admitting: self.admitted, kept), visibility)
      // It was confirmed, but what comes next on the stream belongs to no change of ours any more.
      guard before == self.interruptions else {
        self.isAstray = true
        throw .notConnected
      }
      self.visibility = visibility
    }
  }

  /// Lets these through, and nobody else who was let through before.
  /// - Throws: ``AccountError``; what the server has then is not known.
  func admit(_ addresses: Set<Address>) async throws(AccountError) {
    try await alone { () async throws(AccountError) in
      guard self.isActive, let visibility = self.visibility, let kept = self.kept else {
        return self.admitted.removeAll()
      }
      self.admitted = addresses
      try await self.edit(self.list(visibility, admitting: addresses, kept), visibility)
    }
  }

  /// Makes our list the active one of this session.
  /// - Throws: ``AccountError``.
  func activate() async throws(AccountError) {
    try await alone { () async throws(AccountError) in
      // What leaves from here on comes to the server behind this.
      self.isActive = true
      try await self.change("active", named: Self.name)
    }
  }

  /// Has no active list in this session.
  /// - Throws: ``AccountError``.
  func decline() async throws(AccountError) {
    try await alone { () async throws(AccountError) in
      self.isActive = false
      do throws(AccountError) {
        try await self.change("active", named: nil)
      } catch {
        self.isActive = true
        throw error
      }
    }
  }

  /// Needs our list no longer. It stays at the server, where it does no harm: another session of the account may hide
  /// behind it, and ejabberd takes it from that one without a word to anybody (measured on 23.01).
  func release() async {
    try? await alone { () async throws(AccountError) in
      guard !self.isActive else { return }
      self.visibility = nil
      self.kept = nil
      self.confirmed = nil
      self.admitted.removeAll()
    }
  }

  // MARK: Questions

  /// Whether the list that is active, or one that is on its way, keeps our presence from somebody.
  func stops(_ address: Address) -> Bool {
    guard isActive else { return false }
    guard let confirmed else { return true }
    let contact = contact(address.account)
    return [confirmed, underWay].contains { $0?.passes(.presenceOut, address, contact) == false }
  }

  /// Whether the rules that were in force before ours keep our presence from a contact, whoever may see us: nothing is
  /// said to it then. (Servers would drop it; ejabberd sends it back.)
  func blocks(_ contact: BareAddress) -> Bool {
    guard let kept else { return false }
    return !kept.list.passes(.presenceOut, .bare(contact), self.contact(contact))
  }

  /// Whether the active list lets somebody through, or may, whom it is to stop.
  var isOpen: Bool { isActive && (!admitted.isEmpty || confirmed == nil || underWay != nil || isAstray) }

  /// The connection was lost, and the session may go on: edits that are under way arrive, or not, or are sent again.
  func interrupted() { interruptions &+= 1 }

  // MARK: Other clients

  /// The server tells that a list was changed, by us or by another client.
  func pushed(_ name: String) {
    if name == Self.name, ownEdits > 0 {
      ownEdits -= 1
      return
    }
    // What we know of the others may be wrong now.
    guard visibility != nil else { return kept = nil }
    guard !isDoubted else { return }
    isDoubted = true
    onDoubt()
  }

  /// Finds out what other clients changed, and puts our list right again.
  /// - Throws: ``AccountError``, also where others change it again and again: it cannot be relied upon then.
  func putRight() async throws(AccountError) {
    try await alone { () async throws(AccountError) in
      self.isDoubted = false
      guard let visibility = self.visibility else { return }
      let kept = try await KeptRules.fetch(self.requests)
      let found = try await PrivacyList.fetch(Self.name, self.requests)
      let wanted = self.list(visibility, admitting: self.admitted, kept)
      self.kept = kept
      guard found != wanted else { return self.confirmed = wanted }
      self.confirmed = nil
      guard self.foreignChanges.isBearable() else {
        throw AccountError(
          .serverRefused,
          "Another client changes the privacy list \"\(Self.name)\", or the default list, again and again.")
      }
      try await self.edit(wanted, visibility)
      // A list that was removed is no longer the active one.
      if self.isActive { try await self.change("active", named: Self.name) }
    }
  }

  /// The session is over.
  func forget() {
    session &+= 1
    kept = nil
    visibility = nil
    admitted.removeAll()
    confirmed = nil
    underWay = nil
    isActive = false
    ownEdits = 0
    isDoubted = false
    isAstray = false
    foreignChanges.forget()
  }

  // MARK: At the server

  /// Does one thing at a time, in the session in which it was begun.
  private func alone(_ work: @LoopActor () async throws(AccountError) -> Void) async throws(AccountError) {
    let mine = session
    await gate.enter()
    defer { gate.leave() }
    guard mine == session else { throw .notConnected }
    try await work()
    guard mine == session else { throw .notConnected }
  }

  private func learnt() async throws(AccountError) -> KeptRules {
    if let kept { return kept }
    let mine = session
    let fetched = try await KeptRules.fetch(requests)
    if mine == session { kept = fetched }
    return fetched
  }

  private func list(_ visibility: Visibility, admitting admitted: Set<Address>, _ kept: KeptRules) -> PrivacyList {
    PrivacyList(keepingTo: visibility, admitting: admitted, before: kept.list.rules, contact: contact)
  }

  /// What sets a list, unless it is more than servers take.
  private func query(for list: PrivacyList, _ visibility: Visibility) throws(AccountError) -> Element {
    let query = list.query(named: Self.name)
    // Those who are let through for a moment come on top.
    let most = PrivacyList.mostBytes + (admitted.isEmpty ? 0 : Ferry.mostBytesOfItems)
    guard visibility.exceptions.count <= PrivacyList.mostContacts, query.bytes().count <= most else {
      throw Self.tooMany(visibility.exceptions.count)
    }
    return query
  }

  /// A list that names this many contacts is more than servers take.
  static func tooMany(_ contacts: Int) -> AccountError {
    AccountError(
      .limitExceeded,
      "A privacy list that names \(contacts) contacts is more than servers take. Name \(PrivacyList.mostContacts) at "
        + "most, fewer where the account's default list has many rules; or add the account with the mechanism "
        + "\"directed\", which has no limit.")
  }

  private func edit(_ list: PrivacyList, _ visibility: Visibility) async throws(AccountError) {
    guard list != confirmed else { return isAstray = false }
    let query = try query(for: list, visibility)
    let mine = session
    underWay = list
    ownEdits += 1
    do throws(AccountError) {
      _ = try await requests.send(.set, to: nil, payload: query, limit: Account.iqLimit)
    } catch {
      guard mine == session else { throw .notConnected }
      // Prosody has replaced the list by as much of it as it liked even where it refuses.
      confirmed = nil
      underWay = nil
      if error.code == .serverRefused, ownEdits > 0 { ownEdits -= 1 }
      throw error
    }
    guard mine == session else { throw .notConnected }
    confirmed = list
    underWay = nil
    isAstray = false
  }

  private func change(_ what: String, named name: String?) async throws(AccountError) {
    let payload = Element(
      "query", Self.namespace, children: [Element(what, Self.namespace, ["name": name])])
    _ = try await requests.send(.set, to: nil, payload: payload, limit: Account.iqLimit)
  }
}

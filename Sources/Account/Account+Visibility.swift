// SPDX-License-Identifier: Apache-2.0

public import Audience
internal import EventLoop
internal import Logging
internal import Store
public import XMPP

// Who of the contacts may see us (XEP-0018 §3): what people ask for. How it is done: `Account+Steps.swift`.

extension Account {
  /// Changes who may see us, and returns once the server has confirmed it. While not connected the wish is kept.
  ///
  /// If it cannot be done the account ends hidden: no presence is sent.
  /// - Parameter rebinds: whether hiding takes a new resource although the mechanism does not need it.
  /// - Throws: ``AccountError`` with the reason.
  public func setVisibility(_ new: VisibilityWish, rebinds: Bool = false) async throws(AccountError) {
    try await changeVisibility(rebinds: rebinds) { $0 = new }
  }

  /// Lets contacts see us; the rest stays as it is. Whoever has no subscription is shown us for a while, as by
  /// ``share(_:full:lifetime:)``.
  /// - Parameters:
  ///   - contacts: bare JIDs.
  ///   - groups: of the roster.
  /// - Throws: ``AccountError``.
  public func showTo(_ contacts: [BareJID], groups: [String]) async throws(AccountError) {
    await knowGroups(groups)
    let strangers = status == .connected ? contacts.filter { roster.items[$0]?.subscription.seesUs != true } : []
    try checkSessions(with: strangers)
    if contacts.count > strangers.count || !groups.isEmpty || status != .connected {
      let others = Set(contacts).subtracting(strangers)
      try await changeVisibility { wish in
        for group in groups { wish.show(group: group, members: groupMembers(group)) }
        for contact in others { wish.show(BareAddress(contact)) }
      }
    }
    for stranger in strangers { try share(JID(stranger), full: false, lifetime: nil) }
    if !strangers.isEmpty { try await delivered() }
  }

  /// Whether there can be sessions with all of them: a call that fails over the last one must not have shown us to the
  /// others.
  private func checkSessions(with strangers: [BareJID]) throws(AccountError) {
    let new = Set(strangers.map { Address(JID($0)) }).filter { audience.sessions[$0] == nil }
    let count = audience.sessions.count + max(new.count, 1)
    guard strangers.isEmpty || count <= Limits.sessions else {
      throw AccountError(
        .limitExceeded,
        "Who has no subscription is shown us in a session, and this would make \(count), but "
          + "\(Limits.sessions) are the most: end some with Decloak.Revoke first. Nothing was changed.")
    }
  }

  /// Hides us from contacts; the rest stays as it is. Sessions with them end.
  /// - Parameters:
  ///   - contacts: bare JIDs.
  ///   - groups: of the roster.
  /// - Throws: ``AccountError``.
  public func hideFrom(_ contacts: [BareJID], groups: [String]) async throws(AccountError) {
    await knowGroups(groups)
    try await changeVisibility { wish in
      // Whoever is named beside a group of his is meant also when he leaves it.
      for group in groups { wish.hide(group: group, members: groupMembers(group)) }
      for contact in contacts { wish.hide(BareAddress(contact)) }
    }
    let leaving = contacts.map { BareAddress($0) } + groups.flatMap { groupMembers($0).keys }
    guard leaving.contains(where: { !audience.sessions(with: $0).isEmpty }) else { return }
    decide { decloak, audience in decloak.hide(.contacts(leaving), audience: &audience) }
    try await delivered()
  }

  /// Brings what is in force up to what is wanted, one change at a time.
  func changeVisibility(
    rebinds: Bool = false, _ change: (inout VisibilityWish) -> Void
  ) async throws(AccountError) {
    await gate.enter()
    defer { gate.leave() }
    var new = wanted
    change(&new)
    guard new != wanted || !keptWish.isKept(new) || (status == .connected && isVisibilityPending) else { return }
    // What the server cannot do would keep a connection that is lost from coming back.
    if isEstablished, knownSurroundings != nil { try check(new) }
    guard !isRetired else { throw AccountError(.cancelled, "The connection was removed meanwhile.") }
    let unkept = try keptWish.keep(new, insteadOf: wanted, in: store)
    wanted = new
    isVisibilityPending = true
    onEvent(.visibilityChanged)
    switch status {
    case .disconnected, .waiting: break
    case .connecting where suspended != nil || isClosing:
      // The session goes on, and then takes this up; a new one would begin with it.
      try await awaitConnected(connectWaiters.take(), atMost: Self.reconnectLimit)
    case .connecting: try await reopen()
    case .connected:
      try await putInForce(rebinds: rebinds)
      guard status == .connected else { throw .notConnected }
      isVisibilityPending = false
    }
    onEvent(.visibilityChanged)
    if let unkept { throw unkept }
    try await flushKept()
  }

  /// Takes what is wanted up again after the roster changed what it comes to.
  func wishMayHaveChanged(for contact: BareJID) {
    let address = BareAddress(contact)
    guard isSettled, resolved(address) != audience.visibility.exceptions.contains(address) else { return }
    isVisibilityPending = true
    spawn {
      await self.gate.enter()
      defer { self.gate.leave() }
      guard self.status == .connected, !self.isClosing else { return }
      do throws(AccountError) {
        try await self.putInForce(rebinds: false)
        self.isVisibilityPending = false
      } catch {
        self.logger.error("a change of the roster could not be taken up: \(error.text)")
      }
      self.onEvent(.visibilityChanged)
    }
    onEvent(.visibilityChanged)
  }

  // MARK: What is wanted

  /// What the wish comes to with the present roster.
  var resolved: Visibility {
    var exceptions = wanted.contacts
    if !wanted.groups.isEmpty {
      for item in roster.items.values {
        let address = BareAddress(item.jid)
        if wanted.isException(address, in: item.groups) { exceptions.insert(address) }
      }
    }
    return Visibility(showsOthers: wanted.showsOthers, exceptions: exceptions)
  }

  /// Who is in a group is asked of the roster that was kept, where there is no other yet: what was said of a member before
  /// must not outlast what is said of the group now.
  private func knowGroups(_ groups: [String]) async {
    guard !groups.isEmpty, status == .disconnected, roster.items.isEmpty, let kept = await store.roster() else {
      return
    }
    guard status == .disconnected, roster.items.isEmpty else { return }
    roster.replace(with: kept.contacts)
  }

  /// The contacts of a group, each with all of its groups.
  private func groupMembers(_ group: String) -> [BareAddress: Set<String>] {
    var members: [BareAddress: Set<String>] = [:]
    for item in roster.items.values where item.groups.contains(group) {
      members[BareAddress(item.jid)] = Set(item.groups)
    }
    return members
  }

  private func resolved(_ contact: BareAddress) -> Bool {
    wanted.isException(contact, in: contact.jid.flatMap { roster.items[$0.bare]?.groups } ?? [])
  }

  // MARK: Our presence

  /// Says what we are doing, to those who may see it.
  /// - Parameters:
  ///   - show: `nil` is plain "available".
  ///   - status: free text.
  ///   - priority: −128 to 127; `nil` leaves it.
  public func setPresence(show: Presence.Show?, status text: String, priority: Int8?) {
    var new = presence
    new.show = show
    new.status = text
    if let priority {
      chosenPriority = priority
      new.priority = priority
    }
    guard new != presence else { return }
    presence = new
    hasNewPresence = true
    onEvent(.presenceChanged)
    sayPresence()
  }

  /// Sends our presence to those who see all of it. Not only while connected: what was broadcast when the stream came up
  /// is brought up to date as well.
  func sayPresence() {
    guard hasNewPresence, !isClosing, audience.link != .exposed else { return }
    hasNewPresence = !doorkeeper.isUp
    if audience.isBroadcasting { doorkeeper.send(.presence(presence.full())) }
    updates.send(
      to: audience.shown.filter { hasNewCapabilities ? audience.wantsCapabilities($0) : audience.wantsUpdate($0) })
    hasNewCapabilities = hasNewCapabilities && hasNewPresence
  }

  /// Says whether somebody is looking: a server may then hold back what can wait (XEP-0352).
  public func setActive(_ active: Bool) {
    guard active != isActive else { return }
    isActive = active
    watch.isActive = active
    if status == .connected { doorkeeper.setActive(active) }
  }
}

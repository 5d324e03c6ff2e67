// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XML
internal import XMPP

// How a change of visibility is carried out: the core's steps, each confirmed before the next.

extension Account {
  /// Makes what is wanted hold on the present stream.
  ///
  /// Where a step fails nobody is left who sees us by subscription, and the error says so.
  func putInForce(rebinds: Bool) async throws(AccountError) {
    defer { if status == .connected, !isClosing { watchContacts() } }
    let new = resolved
    // What the server thinks after a change that broke off cannot be known. A new stream knows.
    let steps =
      isServerStateUnknown
      ? [.end(.all), .newStream] : plan(rebinds: rebinds).change(from: audience.visibility, to: new)
    guard !steps.isEmpty else { return try await fence() }
    let serial = streamSerial
    do throws(AccountError) {
      try await take(steps)
    } catch {
      guard streamSerial == serial, status == .connected else { throw error }
      hideAfterFailure()
      throw AccountError(error.code, "\(error.text) You are hidden now: your contacts see you as offline.")
    }
  }

  func plan(rebinds: Bool = false) -> VisibilityPlan {
    VisibilityPlan(
      audience.mechanism, subscribers: audience.subscribers, probes: wanted.probes, rebinds: rebinds)
  }

  /// Takes steps in order.
  func take(_ steps: [VisibilityStep]) async throws(AccountError) {
    refusedPresence = nil
    let (serial, wasClosing) = (streamSerial, isClosing)
    // Not for a goodbye: what can be said without the list is said first.
    if !wasClosing { for case .list(let visibility) in steps { try await lists.check(visibility) } }
    namedToServer.removeAll()
    for step in steps {
      if step.changesServer { isServerStateUnknown = true }
      try await take(step)
      // After a cut the rest belongs to another stream, and nothing is shown between the goodbyes of one that is closed.
      if step != .newStream, streamSerial != serial || isClosing != wasClosing { throw .notConnected }
    }
    isServerStateUnknown = false
  }

  private func take(_ step: VisibilityStep) async throws(AccountError) {
    switch step {
    case .end(let leaving):
      decide { decloak, audience in decloak.hide(leaving, audience: &audience) }
      do throws(AccountError) {
        try await delivered()
      } catch {
        // Even then a stream that is closed takes back what it broadcast: otherwise Prosody tells all contacts itself.
        guard isClosing else { throw error }
      }
    case .audience(let new):
      showings.change(from: audience.visibility, to: new, at: now)
      decide { decloak, audience in decloak.visibilityChanged(to: new, audience: &audience) }
    case .sayGone(let contacts):
      isResourceKnown = true
      for jid in contacts.filter({ !lists.blocks($0) }).compactMap(\.jid) {
        doorkeeper.send(.presence(Presence(to: jid, type: .unavailable)))
      }
    case .show(let contacts): updates.send(to: contacts.map { .bare($0) })
    case .broadcast:
      watch.serverTakesOver()
      doorkeeper.send(.presence(presence.full()))
      hasNewPresence = false
      showSessionsAgain()
    case .withdraw:
      withdraw()
      // It waits until nobody is let through who is to hear nothing of it.
      try await delivered()
    case .invisible(let contact):
      if audience.isBroadcasting { isResourceKnown = true }
      contact.map { _ = namedToServer.insert($0) }
      doorkeeper.send(.presence(Presence(to: contact?.jid, type: .other("invisible"))))
    case .visible(let contact):
      contact.map { _ = namedToServer.insert($0) }
      doorkeeper.send(.presence(Presence(to: contact?.jid, type: .other("visible"))))
    case .invisibleCommand(let probe):
      if audience.isBroadcasting { isResourceKnown = true }
      try await command(Element("invisible", invisibleNamespace, ["probe": probe ? "true" : "false"]))
      showSessionsAgain()
    case .visibleCommand: try await command(Element("visible", invisibleNamespace))
    case .list(let visibility): try await lists.set(visibility)
    case .activateList:
      try disclosures.noteSession()
      try await lists.activate()
    case .declineList:
      try await lists.decline()
      disclosures.settleSession()
    case .releaseList: await lists.release()
    case .covered(let isCovered):
      while isCovered, lists.isDoubted { try await lists.putRight() }
      doorkeeper.audience.cover(isCovered)
      sayPresence()
    case .fence: try await confirmPresence()
    case .newStream: try await reopen()
    }
  }

  private func command(_ payload: Element) async throws(AccountError) {
    _ = try await requests.send(.set, to: nil, payload: payload, limit: Self.iqLimit)
  }

  /// Takes back what was broadcast, if something was, or where a list lets it reach nobody; then nobody but the sessions
  /// is inside.
  func withdraw() {
    if audience.isBroadcasting || audience.isCovered {
      doorkeeper.send(.presence(Presence(type: .unavailable)))
    }
    decide { decloak, audience in decloak.visibilityChanged(to: .invisible, audience: &audience) }
  }

  /// Where a list has to be left, and where the invisible command is given, servers take our presence back from those who
  /// got it directed, too, or forget whom they have to tell of our end: the sessions go on, so whoever saw us in one is
  /// shown us again, under each address that was.
  private func showSessionsAgain() {
    guard audience.mechanism == .privacyList || audience.mechanism == .invisibleCommand else { return }
    decide { _, audience in
      audience.shown.union(audience.sessions.keys).filter {
        let contact = $0.account
        return audience.contains($0) && !(audience.subscribers.contains(contact) && audience.visibility.shows(contact))
      }.sorted().map { .show($0, full: audience.seesAll($0)) }
    }
  }

  /// A change failed half-way: nobody is to see us by subscription, whatever the server thinks.
  func hideAfterFailure() {
    decide { decloak, audience in decloak.hide(.all, audience: &audience) }
    if audience.isBroadcasting { withdraw() }
    decide { decloak, audience in decloak.visibilityChanged(to: .invisible, audience: &audience) }
    doorkeeper.audience.cover(false)
    isServerStateUnknown = true
  }

  // MARK: Confirmation

  /// Waits until the server has dealt with all that was sent before: it answers in order.
  func fence() async throws(AccountError) {
    _ = try await requests.exchange(
      .get, to: jid.server, payload: Element("ping", "urn:xmpp:ping"), limit: Self.iqLimit)
  }

  /// As ``fence()``; presence that was refused before it fails the change.
  private func confirmPresence() async throws(AccountError) {
    await updates.drained()
    // What goes to everybody waits until nobody is let through who is to see nothing of it.
    try await delivered()
    let serial = streamSerial
    try await fence()
    if streamSerial == serial, audience.mode == .visible, audience.isBroadcasting { disclosures.broadcastArrived() }
    guard let error = refusedPresence else { return }
    refusedPresence = nil
    throw AccountError(.serverRefused, "The server refused the presence: \(error).")
  }

  /// Notes that the server sent presence of ours back.
  func noteRefused(_ presence: Presence) {
    guard let condition = presence.error?.condition else { return }
    guard let from = presence.from, from.bare != jid, from != jid.server else {
      // An earlier session of ours, once the server gives it up, sends back what it was broadcast (seen on Prosody).
      let isAnother = presence.from.map { $0.resource != nil && $0 != fullJID.map { JID($0) } } ?? false
      if !isAnother { refusedPresence = condition.rawValue }
      return
    }
    // What comes from others is theirs to say, and no contact can veto a change: a server that cannot be reached, somebody
    // whom the person has blocked (ejabberd says `not-acceptable`, Prosody sends back each broadcast; measured). But a server
    // that does not know type invisible says so in the name of the contact whom it was about.
    if condition == .badRequest, namedToServer.contains(BareAddress(from.bare)) { refusedPresence = condition.rawValue }
  }

  /// Waits until all directed presence has left, where it takes several steps to send it.
  /// - Throws: ``AccountError`` when the server did not let it out.
  public func delivered() async throws(AccountError) {
    try await ferry.drained()
  }

  // MARK: Another stream

  /// Logs out and in again.
  func reopen() async throws(AccountError) {
    setStatus(.connecting, "")
    let serial = streamSerial
    isSpent = true
    await close()
    // Somebody may have disconnected while we waited: then that is what was wanted last.
    guard streamSerial == serial &+ 1, status == .connecting, !isRetired else {
      throw AccountError(
        .cancelled, "The account was disconnected meanwhile; the wish holds from the next Connect on.")
    }
    let deadline = time.now + Self.reconnectLimit
    var place = connectWaiters.take()
    start()
    for _ in 0..<Self.mostTriesOfServer {
      do throws(AccountError) {
        return try await awaitConnected(place, atMost: deadline - time.now)
      } catch {
        // jabberd2 cannot serve now and then where another stream has just ended (measured); the next try is due soon.
        guard error.code == .serverRefused, status == .waiting else { throw error }
        place = connectWaiters.take()
      }
    }
    try await awaitConnected(place, atMost: deadline - time.now)
  }

  /// How often a server that let us in a moment ago may be unable to do so again before the call says so.
  private static let mostTriesOfServer = 2
}

extension VisibilityStep {
  /// Whether it changes what the server does with our presence, so that breaking off behind it leaves that unknown.
  fileprivate var changesServer: Bool {
    switch self {
    case .invisible, .visible, .invisibleCommand, .visibleCommand, .list, .activateList, .declineList, .withdraw: true
    case .end, .audience, .sayGone, .show, .broadcast, .releaseList, .covered, .fence, .newStream: false
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import Logging
internal import XML
internal import XMPP

// From nothing to a stream on which the wanted visibility holds.

extension Account {
  /// Opens a stream; what comes of it is told to those who wait in ``connectWaiters``.
  package func start() {
    let serial = beginStream()
    var client = configuration.client
    do throws(AccountError) {
      client.leastMechanism = try loginMemory.leastMechanism()
      if let owed = try disclosures.owed() {
        // What an earlier stream left behind can only be taken back from where it was said.
        client.resource = owed.resource
      } else if wanted.mode != .visible {
        // A hidden stream has a resource that nobody knows (COMPAT: guessing the full JID is the last tell).
        client.resource = nil
      }
    } catch {
      return lost(error, isFinal: true, nil)
    }
    let resource = client.resource
    doorkeeper.open(makeStream(client, suspended?.resumption)) { [weak self] event in
      guard let self, streamSerial == serial else { return }
      switch event {
      case .step(let step):
        if case .authenticating(let mechanism) = step { loginMemory.trying(mechanism) }
        setStatus(.connecting, "\(step)")
      case .bound(let jid, let features, let security):
        askedResource = resource
        bound(jid, features, security, serial)
      case .resumed(let security, let sent): resumed(security, sent, serial)
      case .ended(let end, let resumption): ended(end, resumption)
      case .notResumed(let sent): notResumed(sent)
      case .stanza: break
      }
    }
  }

  /// A new session has begun: with it everything of an earlier one is over.
  private func bound(_ jid: FullJID, _ features: StreamFeatures, _ security: Security, _ serial: UInt64) {
    forgetSession()
    // Who knows the resource from before may ask it at once.
    doorkeeper.imitator.beginLearning()
    fullJID = jid
    self.security = security
    loginMemory.loggedIn(by: security)
    keepsPreApprovals = features.feature("sub", "urn:xmpp:features:pre-approval") != nil
    rosterIsVersioned = features.feature("ver", "urn:xmpp:features:rosterver") != nil
    comeUp(serial) { () async throws(AccountError) in try await self.settle(serial) }
  }

  /// Runs what it takes until the account is connected.
  func comeUp(_ serial: UInt64, _ work: @escaping @LoopActor () async throws(AccountError) -> Void) {
    spawn {
      do throws(AccountError) {
        try await work()
      } catch {
        await self.giveUpInOrder(error, serial)
      }
    }
  }

  /// Gives up a stream that does not come up. What it may have shown already is taken back first.
  private func giveUpInOrder(_ error: AccountError, _ serial: UInt64) async {
    guard isComingUp(serial) else { return }
    if audience.isBroadcasting || audience.isCovered || !audience.shown.isEmpty {
      await close()
      guard streamSerial == serial &+ 1, status == .connecting else { return }
    }
    giveUp(error)
  }

  /// Learns what must be known before anything is shown, then shows what is wanted.
  func settle(_ serial: UInt64) async throws(AccountError) {
    setStatus(.connecting, "learning how the server answers for somebody who is not there")
    await learnAbsence()
    guard isComingUp(serial) else { return }
    try await settleDisclosures(serial)
    guard isComingUp(serial) else { return }
    setStatus(.connecting, "learning what the server can do")
    await learnMechanisms()
    guard isComingUp(serial) else { return }
    setStatus(.connecting, "getting the roster")
    try await getRoster(serial)
    guard isComingUp(serial) else { return }
    isSettled = true
    try await takeUpMode(serial)
  }

  /// Makes the wanted visibility that of the stream, and then counts as connected.
  func takeUpMode(_ serial: UInt64) async throws(AccountError) {
    setStatus(.connecting, "taking up the visibility that is wanted")
    if !hasBegun, wanted.mode != .visible, let known = askedResource, fullJID?.resource == known {
      // The wish came after the resource was asked for. A server that gives it unasked would do so again.
      return try await reopen()
    }
    let new = resolved
    // After a change that broke off with the connection nobody knows what the server thinks.
    if isServerStateUnknown { return try await reopen() }
    try check(wanted)
    // A session begins with what is true by then.
    if !hasBegun { hasNewPresence = false }
    try await take(hasBegun ? plan().change(from: audience.visibility, to: new) : plan().start(in: new))
    guard isComingUp(serial) else { return }
    hasBegun = true
    try await awaitForeignEdits()
    guard isComingUp(serial) else { return }
    // Groups may have changed on the roster meanwhile.
    guard wanted.groups.isEmpty || resolved == audience.visibility else { return try await takeUpMode(serial) }
    watchContacts()
    isVisibilityPending = false
    sayPresence()
    if !isActive { doorkeeper.setActive(false) }
    becameConnected()
    onEvent(.visibilityChanged)
    connectWaiters.resume(.some(nil))
  }

  /// Whether the stream that was opened as number `serial` is still the one that comes up: a change of visibility
  /// closes it while it does.
  func isComingUp(_ serial: UInt64) -> Bool {
    streamSerial == serial && status == .connecting && !isClosing
  }

  /// Says the goodbyes that an earlier stream owes: it ended without them. That takes the resource which it had, and
  /// that one has been seen: the next stream has another.
  private func settleDisclosures(_ serial: UInt64) async throws(AccountError) {
    guard let owed = try disclosures.owed() else { return }
    if fullJID?.resource == owed.resource {
      setStatus(.connecting, "saying the goodbyes that are owed from before")
      isSpent = true
      doorkeeper.audience.inherit(shown: owed.addresses)
      disclosures.takeUp(owed.addresses)
      decide { decloak, audience in decloak.owedFarewells(audience) }
      try await fence()
      guard isComingUp(serial) else { return }
    }
    // A server that gives other resources than are asked for leaves no way to do it.
    disclosures.settle(owed.resource)
    try await reopen()
  }

  // MARK: What is over

  /// Drops the stream.
  func forgetStream() {
    endStream()
    streamEnd.resume(())
    doorkeeper.forgetStream()
  }

  /// Drops all that belonged to a session with the server. Nothing is shown again until somebody asks.
  func forgetSession() {
    if let suspended { time.cancel(suspended.expiry) }
    suspended = nil
    sessionSerial += 1
    isSettled = false
    isSpent = false
    hasBegun = false
    isServerStateUnknown = false
    isResourceKnown = false
    lists.forget()
    updates.forget()
    watch.forget()
    doorkeeper.forgetSession()
    handedIQs.removeAll()
    proposals.removeAll()
    calls.removeAll()
    hasNewCapabilities = false
    decide { decloak, audience in decloak.disconnected(inOrder: false, audience: &audience) }
    decide { decloak, audience in decloak.visibilityChanged(to: .invisible, audience: &audience) }
    requests.cancelAll()
    presences.removeAll()
    subscriptionRequests.removeAll()
    answeredPeers.removeAll()
    fullJID = nil
    security = nil
    isVisibilityPending = true
    rosterPushes.cancelAll()
    for waiters in askWaiters.values { waiters.resume(nil) }
    askWaiters.removeAll()
  }
}

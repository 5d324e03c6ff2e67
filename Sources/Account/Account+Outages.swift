// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import Logging
internal import XMPP

// How a connection is lost, and how it comes back.
//
// Where the server keeps the session (XEP-0198) nothing has happened to anybody outside until it gives the session up:
// who saw us sees us, and who did not learns nothing. Only a new session begins anew, hidden from all.

extension Account {
  /// A stream ended.
  func ended(_ end: StreamEnd, _ resumption: Resumption?) {
    if isClosing {
      // We wanted it, and `close` goes on from here. But goodbyes that were never heard are owed.
      if let resumption { suspend(resumption) }
      return streamEnd.resume(())
    }
    guard status != .disconnected else { return }
    logger.notice("the connection ended", metadata: ["reason": "\(end.code)"])
    lost(AccountError(end), isFinal: end.isFinal, resumption)
  }

  /// Gives up a stream that does not come up.
  func giveUp(_ error: AccountError) {
    doorkeeper.close()
    lost(error, isFinal: false, nil)
  }

  /// The stream is gone, without anybody's wish.
  func lost(_ error: AccountError, isFinal: Bool, _ resumption: Resumption?) {
    forgetStream()
    if let resumption { suspend(resumption) }
    let goesOn = isEstablished && !isFinal
    if !goesOn || suspended == nil { forgetSession() }
    if goesOn {
      waitForNextTry(error)
    } else {
      isEstablished = false
      setStatus(.disconnected, error.text)
    }
    connectWaiters.resume(.some(error))
  }

  // MARK: The session

  /// Keeps a session that the server keeps.
  private func suspend(_ resumption: Resumption) {
    if let suspended { time.cancel(suspended.expiry) }
    let unconfirmed = UnconfirmedPresence(resumption.unacknowledged)
    for address in unconfirmed.hidden { doorkeeper.lostFarewell(to: address) }
    if unconfirmed.withdrawal {
      doorkeeper.lostFarewell(to: nil)
      decide { decloak, audience in decloak.modeChanged(to: .visible, audience: &audience) }
    }
    let expiry = time.schedule(after: max(.zero, resumption.expiresAt - time.now)) { [weak self] in
      self?.sessionExpired()
    }
    suspended = SuspendedSession(resumption: resumption, expiry: expiry, unconfirmed: unconfirmed)
  }

  /// The server has given up the session. Where we are about to ask for it, the server's answer tells.
  private func sessionExpired() {
    guard status == .waiting else { return }
    forgetSession()
  }

  /// The session goes on, on a new stream.
  func resumed(_ security: Security, _ sent: [SentStanza], _ serial: UInt64) {
    guard let session = suspended else { return giveUp(AccountError(.networkError, "The session was over.")) }
    time.cancel(session.expiry)
    suspended = nil
    self.security = security
    loginMemory.loggedIn(by: security)
    makePresenceAnew(session.unconfirmed.without(theArrivedOf: sent))
    for stanza in sent where stanza.presence == nil { doorkeeper.sendAgain(stanza) }
    comeUp(serial) { () async throws(AccountError) in
      if self.isSettled { try await self.takeUpMode(serial) } else { try await self.settle(serial) }
    }
  }

  /// Shows what is true by now to those who may not have heard.
  private func makePresenceAnew(_ unconfirmed: UnconfirmedPresence) {
    // What was never settled is shown when it has been.
    guard isSettled else { return }
    // Who wants to hide meanwhile is not shown once more before that.
    guard wantedMode == audience.mode || wantedMode == .visible else {
      decide { decloak, audience in decloak.owedFarewells(audience) }
      return
    }
    if audience.isBroadcasting, unconfirmed.broadcast || unconfirmed.withdrawal || hasNewPresence {
      doorkeeper.send(.presence(presence.full()))
    }
    let hasNewPresence = hasNewPresence
    self.hasNewPresence = false
    decide { decloak, audience in
      decloak.resumed(unconfirmed: unconfirmed.shown, hasNewPresence: hasNewPresence, audience: audience)
    }
  }

  // MARK: The next try

  private func waitForNextTry(_ error: AccountError) {
    let wait = reconnection.lost(at: time.now, chance: .random(in: 0...1))
    retry = time.schedule(after: wait) { [weak self] in self?.tryAgain() }
    setStatus(.waiting, "\(error.text) The next try is in \(max(1, wait.components.seconds)) s.")
  }

  private func tryAgain() {
    guard status == .waiting else { return }
    start()
  }

  /// Tries at once, because something says that it may go well now.
  func tryAgainNow() {
    reconnection.encouraged()
    tryAgain()
  }

  /// The network has changed, or the machine was asleep: what was lost may come back, and what seems to be there may be
  /// gone.
  public func surroundingsChanged() {
    switch status {
    case .waiting: tryAgainNow()
    case .connected: doorkeeper.checkStream()
    case .connecting, .disconnected: break
    }
  }
}

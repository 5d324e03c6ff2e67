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
      if let resumption, UnconfirmedPresence(requests.unanswered(resumption.unacknowledged)).isFarewell {
        suspend(resumption)
      }
      requests.cancelAll()
      return streamEnd.resume(())
    }
    guard status != .disconnected else { return }
    logger.notice("the connection ended", metadata: ["reason": "\(end.code)"])
    lost(AccountError(end), isFinal: end.isFinal, resumption)
  }

  /// Gives up a stream that does not come up.
  package func giveUp(_ error: AccountError) {
    sayGoodbyes()
    closingSerial = streamSerial
    doorkeeper.close()
    lost(error, isFinal: false, nil)
  }

  /// Takes back what a stream may have shown that is about to be closed before it was up.
  func sayGoodbyes() {
    guard doorkeeper.isUp else { return }
    ferry.isLeaving = true
    decide { decloak, audience in decloak.disconnected(inOrder: true, audience: &audience) }
    withdraw()
  }

  /// The stream is gone, without anybody's wish.
  func lost(_ error: AccountError, isFinal: Bool, _ resumption: Resumption?) {
    forgetStream()
    lastFailure = error
    if let resumption { suspend(resumption) }
    let goesOn = isEstablished && !isFinal
    if !goesOn { leaveSession() }
    if !goesOn || !keepsSession { forgetSession() }
    wasLost(error, goesOn: goesOn)
  }

  // MARK: The session

  /// Keeps a session that the server keeps.
  private func suspend(_ resumption: Resumption) {
    lists.interrupted()
    if let suspended { time.cancel(suspended.expiry) }
    let unconfirmed = UnconfirmedPresence(requests.unanswered(resumption.unacknowledged))
    // Where a broadcast stands the server says goodbye to those as well, whatever becomes of the session.
    let isUnseen = unconfirmed.isUnseen
    if isUnseen { for address in unconfirmed.hidden { doorkeeper.lostFarewell(to: address) } }
    if unconfirmed.withdrawal {
      doorkeeper.lostFarewell(to: nil)
      let earlier = audience.visibilityWhenWithdrawn
      decide { decloak, audience in decloak.visibilityChanged(to: earlier, audience: &audience) }
    }
    if !isUnseen { for address in unconfirmed.hidden { doorkeeper.lostFarewell(to: address) } }
    let expiry = time.schedule(after: max(.zero, resumption.expiresAt - time.now)) { [weak self] in
      self?.sessionExpired()
    }
    suspended = SuspendedSession(resumption: resumption, expiry: expiry, unconfirmed: unconfirmed)
  }

  /// Whether the server keeps the session still.
  private var keepsSession: Bool { suspended.map { $0.resumption.expiresAt > time.now } ?? false }

  /// Nobody will go on with the session, which the server may keep: the next one ends it first.
  func leaveSession() {
    guard keepsSession else { return }
    disclosures.leaveSession()
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
    let lost = UnconfirmedPresence(sent)
    correct(session.unconfirmed, by: lost)
    makePresenceAnew(lost)
    for stanza in sent where stanza.presence == nil { doorkeeper.sendAgain(stanza) }
    comeUp(serial) { () async throws(AccountError) in
      if self.isSpent, self.wanted.mode != .visible { return try await self.reopen() }
      if self.isSettled { try await self.takeUpMode(serial) } else { try await self.settle(serial) }
    }
  }

  /// The session is over. Whoever was told so by the end of it is not owed that any more.
  func notResumed(_ sent: [SentStanza]) {
    guard let feared = suspended?.unconfirmed.hidden else { return }
    for address in feared.subtracting(UnconfirmedPresence(requests.unanswered(sent)).hidden) {
      doorkeeper.isUnseen(by: address)
    }
  }

  /// The server's count tells what has arrived of that which was in doubt. Nobody is told a second time that we are gone,
  /// which would say that we were there until now; and nobody at all who has seen nothing.
  private func correct(_ feared: UnconfirmedPresence, by lost: UnconfirmedPresence) {
    for address in lost.unseen.union(feared.hidden.subtracting(lost.hidden)) { doorkeeper.isUnseen(by: address) }
    if feared.withdrawal && !lost.withdrawal {
      doorkeeper.audience.noteDeparture(.unavailable, to: nil)
    } else if lost.isUnseen && wanted.mode != .visible {
      doorkeeper.isUnseen(by: nil)
    } else {
      return
    }
    decide { decloak, audience in decloak.visibilityChanged(to: .invisible, audience: &audience) }
  }

  /// Shows what is true by now to those who may not have heard.
  private func makePresenceAnew(_ unconfirmed: UnconfirmedPresence) {
    // What was never settled is shown when it has been.
    guard isSettled else { return }
    // Who wants to hide meanwhile is not shown once more before that: what follows on the stream may ask for it already.
    guard resolved == audience.visibility || wanted.mode == .visible else {
      decide { decloak, audience in decloak.owedFarewells(audience) }
      decide { decloak, audience in decloak.hide(.all, audience: &audience) }
      withdraw()
      isSpent = true
      return
    }
    let hasNewPresence = hasNewPresence
    if audience.isBroadcasting, unconfirmed.broadcast || unconfirmed.withdrawal || hasNewPresence {
      // Whether another client changed our list meanwhile is told behind this: then it waits until that is known.
      let waits = audience.link == .exposed || (audience.mechanism == .privacyList && audience.mode != .visible)
      if !waits { doorkeeper.send(.presence(presence.full())) }
      self.hasNewPresence = waits
    } else {
      self.hasNewPresence = false
    }
    decide { decloak, audience in
      decloak.resumed(unconfirmed: unconfirmed.shown, hasNewPresence: hasNewPresence, audience: audience)
    }
    // Those who see us by the roster, and were sent it one by one.
    updates.send(to: unconfirmed.shown.filter { audience.sessions[$0] == nil && audience.wantsUpdate($0) })
    // In a session little is shown, but what we can do is part of it.
    if hasNewCapabilities { updates.send(to: audience.shown.filter { audience.wantsCapabilities($0) }) }
    hasNewCapabilities = false
  }
}

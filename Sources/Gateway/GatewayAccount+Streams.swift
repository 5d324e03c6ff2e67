// SPDX-License-Identifier: Apache-2.0

package import Account
internal import Audience
internal import EventLoop
internal import Logging
internal import XMPP

// How the connection comes up, how it is lost, and how it comes back. A component has no session that a server would keep:
// with each stream everything begins anew, but for the subscriptions, and for the goodbyes that are owed from before.

extension GatewayAccount {
  /// How long at least we wait after another program had the domain, before the half that is left to chance: taking it
  /// back at once would only make the other one do the same.
  static let conflictWait = Duration.seconds(20)

  /// Opens a stream; what comes of it is told to those who wait in ``connectWaiters``.
  package func start() {
    let serial = beginStream()
    // Who was shown what, and must not be, would not be known.
    if let unreadable { return lost(unreadable, isFinal: true) }
    doorkeeper.open(makeStream(configuration.component)) { [weak self] event in
      guard let self, streamSerial == serial else { return }
      switch event {
      case .step(let step): setStatus(.connecting, "\(step)")
      case .ready(let security): cameUp(security)
      case .ended(let end): ended(end)
      case .stanza: break
      }
    }
  }

  private func cameUp(_ security: Security) {
    self.security = security
    doorkeeper.learnAbsence(configuration.component)
    showings.change(from: .invisible, to: gateway.visibility, at: now)
    decide { $0.connected() }
    becameConnected()
    connectWaiters.resume(.some(nil))
  }

  /// A stream ended.
  private func ended(_ end: StreamEnd) {
    // We wanted it, and `close` goes on from here.
    if isClosing { return streamEnd.resume(end.code == .cancelled) }
    guard status != .disconnected else { return }
    logger.notice("the connection ended", metadata: ["reason": "\(end.code)"])
    let isTaken = end.code == .streamError(.conflict)
    lost(AccountError(end), isFinal: end.isFinal, least: isTaken ? Self.conflictWait : Reconnection.shortest)
  }

  /// Gives up a stream that does not come up.
  package func giveUp(_ error: AccountError) {
    closingSerial = streamSerial
    doorkeeper.close()
    lost(error, isFinal: false)
  }

  /// The stream is gone, without anybody's wish.
  private func lost(_ error: AccountError, isFinal: Bool, least: Duration = Reconnection.shortest) {
    forgetStream(inOrder: false)
    lastFailure = error
    wasLost(error, goesOn: isEstablished && !isFinal, least: least)
  }

  /// Drops the stream and all that belonged to it. Nothing is shown again until somebody asks, but to those who are
  /// subscribed.
  func forgetStream(inOrder: Bool) {
    endStream()
    streamEnd.resume(inOrder)
    doorkeeper.forgetStream(inOrder: inOrder)
    updates.removeAll()
    handedIQs.removeAll()
    proposals.removeAll()
    let now = now
    decide { $0.disconnected(inOrder: false, now: now) }
    requests.cancelAll()
    answeredPeers.removeAll()
    security = nil
    for waiters in askWaiters.values { waiters.resume(nil) }
    askWaiters.removeAll()
  }
}

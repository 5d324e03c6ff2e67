// SPDX-License-Identifier: Apache-2.0

public import Audience
internal import EventLoop
internal import XML
public import XMPP

// Invisible presence (XEP-0018 §3) by sending directed presence only.

extension Account {
  /// Changes who may see us, and returns once the server has confirmed it. While not connected the wish is kept.
  ///
  /// If it cannot be done the account ends hidden: no presence is sent.
  /// - Throws: ``AccountError`` with the reason.
  public func setMode(_ new: Mode) async throws(AccountError) {
    await visibilityGate.enter()
    defer { visibilityGate.leave() }
    guard new != wantedMode || (status == .connected && isModePending) else { return }
    wantedMode = new
    isModePending = true
    onEvent(.visibilityChanged)
    switch status {
    case .disconnected, .waiting: return
    case .connecting where suspended != nil:
      // The session goes on, and then takes this up; a new one would begin with it.
      try await awaitConnected(connectWaiters.take(), atMost: Self.reconnectLimit)
    case .connecting: try await reopen()
    case .connected:
      let steps = VisibilityPlan.change(from: audience.mode, to: new)
      // Nothing left to do, but an earlier try was never confirmed: that is still owed.
      if steps.isEmpty { try await fence() } else { try await take(steps) }
      guard status == .connected else { throw .notConnected }
    }
    isModePending = false
    onEvent(.visibilityChanged)
  }

  /// Says what we are doing, to those who may see it.
  /// - Parameters:
  ///   - show: `nil` is plain "available".
  ///   - status: free text.
  ///   - priority: −128 to 127; `nil` leaves it.
  public func setPresence(show: Presence.Show?, status text: String, priority: Int8?) {
    var new = presence
    new.show = show
    new.status = text
    if let priority { new.priority = priority }
    guard new != presence else { return }
    presence = new
    hasNewPresence = status != .connected
    onEvent(.presenceChanged)
    // Not only while connected: what was broadcast when the stream came up is brought up to date as well.
    if audience.mode == .visible { doorkeeper.send(.presence(presence.full())) }
    for session in audience.sessions.values where session.full {
      guard let jid = session.address.jid else { continue }
      doorkeeper.send(.presence(presence.full(to: jid)))
    }
  }

  // MARK: Steps

  func take(_ steps: [VisibilityStep]) async throws(AccountError) {
    for step in steps {
      switch step {
      case .endSessions: decide { decloak, audience in decloak.hide(audience: &audience) }
      case .withdraw: withdraw()
      case .broadcast:
        decide { decloak, audience in decloak.modeChanged(to: .visible, audience: &audience) }
        doorkeeper.send(.presence(presence.full()))
        visibleSince = now
        try await fence()
      case .newStream: try await reopen()
      }
    }
  }

  /// Takes back what was broadcast, if something was; then nobody but the sessions is inside.
  func withdraw() {
    if audience.isBroadcasting { doorkeeper.send(.presence(Presence(type: .unavailable))) }
    decide { decloak, audience in decloak.modeChanged(to: .invisible, audience: &audience) }
  }

  /// Says whether somebody is looking: a server may then hold back what can wait (XEP-0352).
  public func setActive(_ active: Bool) {
    guard active != isActive else { return }
    isActive = active
    if status == .connected { doorkeeper.setActive(active) }
  }

  /// Logs out and in again.
  func reopen() async throws(AccountError) {
    setStatus(.connecting, "")
    let serial = streamSerial
    isSpent = true
    await close()
    // Somebody may have disconnected while we waited: then that is what was wanted last.
    guard streamSerial == serial &+ 1, status == .connecting, !isRetired else {
      throw AccountError(.cancelled, "The account was disconnected meanwhile; the mode holds from the next Connect on.")
    }
    let place = connectWaiters.take()
    start()
    try await awaitConnected(place, atMost: Self.reconnectLimit)
  }

  /// Waits until the server has dealt with all that was sent before: it answers in order.
  func fence() async throws(AccountError) {
    _ = try await requests.exchange(
      .get, to: jid.server, payload: Element("ping", "urn:xmpp:ping"), limit: Self.iqLimit)
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import Logging
internal import XML
internal import XMPP

// From nothing to a stream on which the wanted mode holds, and back.

extension Account {
  /// Callers on the bus give up after 25 s: they get an answer before.
  static let connectLimit = Duration.seconds(19)
  static let closeLimit = Duration.seconds(3)
  /// What is left of it to a change of visibility that has closed a stream.
  static let reconnectLimit = Duration.seconds(16)
  static let iqLimit = Duration.seconds(10)

  // MARK: Connect

  /// Connects. Joins a connect that is under way; does nothing when connected.
  /// - Throws: ``AccountError`` with the reason.
  public func connect() async throws(AccountError) {
    if status == .connected, isClosing {  // A Disconnect is under way: it comes first.
      await visibilityGate.enter()
      visibilityGate.leave()
    }
    guard !isRetired else { throw AccountError(.cancelled, "The connection was removed meanwhile.") }
    guard status != .connected else { return }
    let place = connectWaiters.take()
    if status == .disconnected { start() }
    try await awaitConnected(place)
  }

  /// Waits for what comes of a start. The place was taken before it.
  func awaitConnected(
    _ place: Waiters<AccountError?>.Place, atMost limit: Duration = connectLimit
  ) async throws(AccountError) {
    guard let outcome = await connectWaiters.wait(place, atMost: limit) else {
      let late = AccountError(
        .timedOut, "\(configuration.client.serverName) did not let us in within \(limit.components.seconds) seconds.")
      if status == .connecting { abandon(late) }
      throw late
    }
    if let failure = outcome { throw failure }
  }

  /// Opens a stream; what comes of it is told to those who wait in ``connectWaiters``.
  func start() {
    streamSerial += 1
    let serial = streamSerial
    setStatus(.connecting, "")
    var client = configuration.client
    // A hidden stream has a resource that nobody knows (COMPAT: guessing the full JID is the last tell).
    if wantedMode == .invisible { client.resource = nil }
    doorkeeper.open(makeStream(client, nil)) { [weak self] event in
      guard let self, streamSerial == serial else { return }
      switch event {
      case .bound(let jid, _, let security): bound(jid, security, serial)
      case .ended(let end, _): ended(end)
      case .step, .resumed, .stanza: break
      }
    }
  }

  private func bound(_ jid: FullJID, _ security: Security, _ serial: UInt64) {
    fullJID = jid
    self.security = security
    spawn {
      do throws(AccountError) {
        try await self.settle(serial)
      } catch {
        guard self.isSettling(serial) else { return }
        self.abandon(error)
      }
    }
  }

  /// Learns what must be known before anything is shown, then shows what is wanted.
  private func settle(_ serial: UInt64) async throws(AccountError) {
    await learnAbsence()
    guard isSettling(serial) else { return }
    let result = try await requests.send(
      .get, to: nil, payload: Element("query", Roster.namespace), limit: Self.iqLimit)
    guard isSettling(serial) else { return }
    roster.replace(from: result.payload.first)
    let subscribers = Set(roster.items.values.filter { $0.subscription.seesUs }.map { BareAddress($0.jid) })
    decide { decloak, audience in decloak.rosterReplaced(subscribers, audience: &audience) }
    try await take(VisibilityPlan.start(in: wantedMode))
    guard isSettling(serial) else { return }
    isModePending = false
    setStatus(.connected, "")
    onEvent(.visibilityChanged)
    connectWaiters.resume(.some(nil))
  }

  /// Whether the stream that was opened as number `serial` is still the one that comes up: a change of visibility
  /// closes it while it does.
  private func isSettling(_ serial: UInt64) -> Bool {
    streamSerial == serial && status == .connecting && !isClosing
  }

  /// Asks the server about a resource of ours that is not there, and keeps the shape of its answers.
  private func learnAbsence() async {
    guard let absent = try? JID("\(jid)/\(RandomName.make())") else { return }
    var absence = AbsentResource()
    absentProbe = AbsentProbe(jid: absent)
    defer { absentProbe = nil }
    for message in AbsentResource.messages(to: absent) { doorkeeper.send(.message(message)) }
    _ = try? await requests.exchange(.get, to: absent, payload: AbsentResource.probePayload, limit: Self.iqLimit)
    absence.learn(from: absentProbe?.answers ?? [])
    doorkeeper.absentResource = absence
  }

  // MARK: Disconnect

  /// Ends all sessions, says goodbye to those who saw us, and closes the stream.
  public func disconnect() async {
    guard status != .disconnected else { return }
    if status == .connecting {
      return abandon(AccountError(.cancelled, "Disconnect was called before the connection was up."))
    }
    await visibilityGate.enter()
    defer { visibilityGate.leave() }
    guard status == .connected else { return }
    let serial = streamSerial
    await close()
    // It may have ended otherwise, and been opened anew, while we waited for the server.
    guard streamSerial == serial &+ 1, status != .disconnected else { return }
    setStatus(.disconnected, "")
  }

  /// Disconnects for good: whoever still holds the account cannot connect it any more.
  public func retire() async {
    isRetired = true
    await disconnect()
  }

  /// Closes the stream in order. The caller says what comes after.
  func close() async {
    for step in VisibilityPlan.close(in: audience.mode) {
      if step == .withdraw {
        withdraw()
      } else {
        decide { decloak, audience in decloak.disconnected(inOrder: true, audience: &audience) }
      }
    }
    let serial = streamSerial
    closingSerial = serial
    let end = streamEnd.take()
    doorkeeper.close()
    _ = await streamEnd.wait(end, atMost: Self.closeLimit)
    if streamSerial == serial { forgetStream() }
  }

  /// Gives up a stream that is not up yet.
  private func abandon(_ error: AccountError) {
    doorkeeper.close()
    forgetStream()
    setStatus(.disconnected, error.text)
    connectWaiters.resume(.some(error))
  }

  private func ended(_ end: StreamEnd) {
    if isClosing { return streamEnd.resume(()) }  // We wanted it: `close` goes on from here.
    guard status != .disconnected else { return }
    let error = AccountError(end)
    logger.notice("the connection ended", metadata: ["reason": "\(end.code)"])
    forgetStream()
    setStatus(.disconnected, error.text)
    connectWaiters.resume(.some(error))
  }

  /// Drops all that belonged to the stream. Nothing is shown again until somebody asks.
  private func forgetStream() {
    streamSerial += 1
    streamEnd.resume(())
    doorkeeper.forget()
    decide { decloak, audience in decloak.disconnected(inOrder: false, audience: &audience) }
    decide { decloak, audience in decloak.modeChanged(to: .invisible, audience: &audience) }
    requests.cancelAll()
    presences.removeAll()
    subscriptionRequests.removeAll()
    answeredPeers.removeAll()
    fullJID = nil
    security = nil
    isModePending = true
    rosterPushes.cancelAll()
    for waiters in askWaiters.values { waiters.resume(nil) }
    askWaiters.removeAll()
  }

  func setStatus(_ new: AccountStatus, _ reason: String) {
    status = new
    statusReason = reason
    onEvent(.statusChanged)
  }
}

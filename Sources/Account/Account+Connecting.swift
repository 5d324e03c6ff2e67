// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import Logging
internal import Store
internal import XMPP

// What people ask of the connection. How it comes up: `Account+Streams.swift`; how it comes back: `Account+Outages.swift`.

extension Account {
  /// Callers on the bus give up after 25 s: they get an answer before.
  static let connectLimit = Duration.seconds(19)
  static let closeLimit = Duration.seconds(3)
  /// What is left of it to a change of visibility that has closed a stream.
  static let reconnectLimit = Duration.seconds(16)
  static let iqLimit = Duration.seconds(10)

  // MARK: Connect

  /// Connects. Joins a connect that is under way; does nothing when connected; does not wait for the next try where
  /// the connection was lost.
  /// - Throws: ``AccountError`` with the reason.
  public func connect() async throws(AccountError) {
    if status == .connected, isClosing {  // A Disconnect is under way: it comes first.
      await visibilityGate.enter()
      visibilityGate.leave()
    }
    guard !isRetired else { throw AccountError(.cancelled, "The connection was removed meanwhile.") }
    guard status != .connected else { return }
    let place = connectWaiters.take()
    switch status {
    case .disconnected: start()
    case .waiting: tryAgainNow()
    case .connecting, .connected: break
    }
    try await awaitConnected(place)
  }

  /// Connects without anybody waiting for it, and goes on trying where that may help.
  public func connectByItself() {
    guard !isRetired, status == .disconnected else { return }
    isEstablished = true
    start()
  }

  /// Waits for what comes of a start. The place was taken before it.
  func awaitConnected(
    _ place: Waiters<AccountError?>.Place, atMost limit: Duration = connectLimit
  ) async throws(AccountError) {
    guard let outcome = await connectWaiters.wait(place, atMost: limit) else {
      let late = AccountError(
        .timedOut, "\(configuration.client.serverName) did not let us in within \(limit.components.seconds) seconds.")
      if status == .connecting { giveUp(late) }
      // It may have failed for a better reason while this call had its turn coming.
      throw lastFailure ?? late
    }
    if let failure = outcome { throw failure }
  }

  // MARK: Disconnect

  /// Ends all sessions, says goodbye to those who saw us, and closes the stream.
  public func disconnect() async {
    switch status {
    case .disconnected: return
    case .connecting: return abandon("Disconnect was called before the connection was up.")
    case .waiting: return abandon("Disconnect was called before the connection was up again.")
    case .connected: break
    }
    await visibilityGate.enter()
    defer { visibilityGate.leave() }
    guard status == .connected else {
      // It was lost while we waited for our turn, and may be on its way back already.
      if status != .disconnected { abandon("Disconnect was called before the connection was up again.") }
      return
    }
    let serial = streamSerial
    await close()
    // It may have ended otherwise, and been opened anew, while we waited for the server.
    guard streamSerial == serial &+ 1, status != .disconnected else { return }
    leaveSession()
    forgetSession()
    isEstablished = false
    setStatus(.disconnected, "")
  }

  /// Disconnects for good: whoever still holds the account cannot connect it any more.
  public func retire() async {
    isRetired = true
    await disconnect()
  }

  /// Forgets what was kept of the account.
  /// - Throws: ``AccountError`` `storageFailed`; then it may still be there.
  public func forget() async throws(AccountError) {
    do throws(StoreError) {
      try await store.forget()
    } catch {
      throw AccountError(error)
    }
  }

  /// Closes the stream in order, and forgets it. The caller says what comes after.
  ///
  /// Where the connection broke before the server had heard the goodbyes, and keeps the session, the session is
  /// suspended: others may see us still.
  func close() async {
    let serial = streamSerial
    closingSerial = serial
    let end = streamEnd.take()
    decide { decloak, audience in decloak.disconnected(inOrder: true, audience: &audience) }
    let hasLists = surroundings.announced.contains(.privacyList)
    do throws(AccountError) {
      try await take(plan().close(in: audience.visibility, hasPrivacyLists: hasLists && hasBegun))
    } catch {
      // Nothing of it may keep the stream open.
      logger.info("not all goodbyes were confirmed: \(error.code)")
    }
    guard streamSerial == serial else { return }
    doorkeeper.close()
    _ = await streamEnd.wait(end, atMost: Self.closeLimit)
    guard streamSerial == serial else { return }
    forgetStream()
    guard suspended == nil else { return }
    disclosures.settleSession()
    forgetSession()
  }

  /// A person does not want the connection any more, and there is none to close in order.
  private func abandon(_ text: String) {
    let error = AccountError(.cancelled, text)
    sayGoodbyes()
    doorkeeper.close()
    forgetStream()
    leaveSession()
    forgetSession()
    isEstablished = false
    setStatus(.disconnected, error.text)
    connectWaiters.resume(.some(error))
  }

  func setStatus(_ new: AccountStatus, _ reason: String) {
    guard new != status || reason != statusReason else { return }
    status = new
    statusReason = reason
    onEvent(.statusChanged)
  }
}

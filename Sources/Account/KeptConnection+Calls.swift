// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Store

// What people ask of a connection.

extension KeptConnection {
  /// Callers on the bus give up after 25 s: they get an answer before.
  package static var connectLimit: Duration { .seconds(19) }
  package static var closeLimit: Duration { .seconds(3) }

  /// Connects. Joins a connect that is under way; does nothing when connected; does not wait for the next try where
  /// the connection was lost.
  /// - Throws: ``AccountError`` with the reason.
  package func connect() async throws(AccountError) {
    if status == .connected, isClosing {  // A Disconnect is under way: it comes first.
      await gate.enter()
      gate.leave()
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
  package func connectByItself() {
    guard !isRetired, status == .disconnected else { return }
    isEstablished = true
    start()
  }

  /// Waits for what comes of a start. The place was taken before it.
  func awaitConnected(
    _ place: Waiters<AccountError?>.Place, atMost limit: Duration = Self.connectLimit
  ) async throws(AccountError) {
    guard let outcome = await connectWaiters.wait(place, atMost: limit) else {
      let late = AccountError(
        .timedOut, "\(serverName) did not let us in within \(limit.components.seconds) seconds.")
      if status == .connecting { giveUp(late) }
      // It may have failed for a better reason while this call had its turn coming.
      throw lastFailure ?? late
    }
    if let failure = outcome { throw failure }
  }

  /// The network has changed, or the machine was asleep: what was lost may come back, and what seems to be there may be
  /// gone.
  package func surroundingsChanged() {
    switch status {
    case .waiting: tryAgainNow()
    case .connected: checkStream()
    case .connecting, .disconnected: break
    }
  }

  /// Ends all sessions, says goodbye to those who saw us, and closes the stream.
  package func disconnect() async {
    switch status {
    case .disconnected: return
    case .connecting: return abandon("Disconnect was called before the connection was up.")
    case .waiting: return abandon("Disconnect was called before the connection was up again.")
    case .connected: break
    }
    await gate.enter()
    defer { gate.leave() }
    guard status == .connected else {
      // It was lost while we waited for our turn, and may be on its way back already.
      if status != .disconnected { abandon("Disconnect was called before the connection was up again.") }
      return
    }
    let serial = streamSerial
    await close()
    // It may have ended otherwise, and been opened anew, while we waited for the server.
    guard streamSerial == serial &+ 1, status != .disconnected else { return }
    leave()
    isEstablished = false
    setStatus(.disconnected, "")
  }

  /// Forgets what was kept of it.
  /// - Throws: ``AccountError`` `storageFailed`; then it may still be there.
  package func forget() async throws(AccountError) {
    do throws(StoreError) {
      try await store.forget()
    } catch {
      throw AccountError(error)
    }
  }

  /// A person does not want the connection any more, and there is none to close in order.
  private func abandon(_ text: String) {
    drop()
    leave()
    wasLost(AccountError(.cancelled, text), goesOn: false)
  }
}

// SPDX-License-Identifier: Apache-2.0

public import Account
internal import Audience
internal import EventLoop
internal import Store
internal import XMPP

// What people ask of the connection. How it comes up and back: `GatewayAccount+Streams.swift`.

extension GatewayAccount {
  /// Callers on the bus give up after 25 s: they get an answer before.
  static let connectLimit = Duration.seconds(19)
  static let closeLimit = Duration.seconds(3)

  // MARK: Connect

  /// Connects. Joins a connect that is under way; does nothing when connected; does not wait for the next try where
  /// the connection was lost.
  /// - Throws: ``AccountError`` with the reason.
  public func connect() async throws(AccountError) {
    if status == .connected, isClosing {  // A Disconnect is under way: it comes first.
      await closing.enter()
      closing.leave()
    }
    guard !isRetired else { throw AccountError(.cancelled, "The connection was removed meanwhile.") }
    guard status != .connected else { return }
    let place = connectWaiters.take()
    switch status {
    case .disconnected: start()
    case .waiting: tryAgainNow()
    case .connecting, .connected: break
    }
    guard let outcome = await connectWaiters.wait(place, atMost: Self.connectLimit) else {
      let late = AccountError(
        .timedOut,
        "\(configuration.component.serverName) did not let us in within \(Self.connectLimit.components.seconds) seconds."
      )
      if status == .connecting { giveUp(late) }
      // It may have failed for a better reason while this call had its turn coming.
      throw lastFailure ?? late
    }
    if let failure = outcome { throw failure }
  }

  /// Connects without anybody waiting for it, and goes on trying where that may help.
  public func connectByItself() {
    guard !isRetired, status == .disconnected else { return }
    isEstablished = true
    start()
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

  // MARK: Disconnect

  /// Ends all sessions, says goodbye to those who saw us, and closes the stream.
  public func disconnect() async {
    switch status {
    case .disconnected: return
    case .connecting: return abandon("Disconnect was called before the connection was up.")
    case .waiting: return abandon("Disconnect was called before the connection was up again.")
    case .connected: break
    }
    await closing.enter()
    defer { closing.leave() }
    guard status == .connected else {
      // It was lost while we waited for our turn, and may be on its way back already.
      if status != .disconnected { abandon("Disconnect was called before the connection was up again.") }
      return
    }
    let serial = streamSerial
    await close()
    // It may have ended otherwise, and been opened anew, while we waited for the server.
    guard streamSerial == serial &+ 1, status != .disconnected else { return }
    isEstablished = false
    setStatus(.disconnected, "")
  }

  /// Disconnects for good: whoever still holds the gateway cannot connect it any more.
  public func retire() async {
    isRetired = true
    await disconnect()
    // What the last turn has ended is not to be ended again by the next run.
    doorkeeper.flush()
  }

  /// Forgets what was kept of the gateway.
  /// - Throws: ``AccountError`` `storageFailed`; then it may still be there.
  public func forget() async throws(AccountError) {
    do throws(StoreError) {
      try await store.forget()
    } catch {
      throw AccountError(error)
    }
  }

  /// Says all goodbyes and closes the stream. The server does not say them in our place.
  private func close() async {
    let serial = streamSerial
    closingSerial = serial
    let end = streamEnd.take()
    doorkeeper.isLeaving = true
    let now = now
    decide { $0.disconnected(inOrder: true, now: now) }
    await updates.drained()
    guard streamSerial == serial else { return }
    doorkeeper.close()
    let wasHeard = await streamEnd.wait(end, atMost: Self.closeLimit)
    guard streamSerial == serial else { return }
    forgetStream(inOrder: wasHeard ?? false)
  }

  /// A person does not want the connection any more, and there is none to close in order.
  private func abandon(_ text: String) {
    let error = AccountError(.cancelled, text)
    doorkeeper.close()
    forgetStream(inOrder: false)
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

  func requireConnected() throws(AccountError) {
    guard status == .connected, !isClosing else { throw .notConnected }
  }

  // MARK: What is kept

  /// Returns when what was decided is on the disk.
  /// - Throws: ``AccountError`` `storageFailed`.
  public func flushKept() async throws(AccountError) {
    if let failure = doorkeeper.flush() { throw AccountError(failure.error) }
    do throws(StoreError) {
      try await store.flush()
    } catch {
      throw AccountError(.storageFailed, "\(error.message) It holds now, but may be forgotten after a power failure.")
    }
  }

  /// Waits until all that was decided has left.
  /// - Throws: ``AccountError`` `storageFailed` where it could not be written down, and so has not.
  public func delivered() async throws(AccountError) {
    await updates.drained()
    if let failure = doorkeeper.flush() { throw AccountError(failure.error) }
  }
}

// SPDX-License-Identifier: Apache-2.0

package import EventLoop
package import Store

/// A connection that a person wants: how it comes up, is lost, and comes back. An account and a gateway do alike; what a
/// stream is to each of them is theirs.
///
/// What people ask of it: `KeptConnection+Calls.swift`.
@LoopActor
package protocol KeptConnection: AnyObject, Sendable {
  /// Where the connection stands.
  var status: AccountStatus { get set }
  /// Why it stands there, for a person.
  var statusReason: String { get set }
  /// Whether it was removed: it never connects again.
  var isRetired: Bool { get set }
  /// Whether a connection that is lost is to come back: one was up, or is to be without anybody asking for it.
  var isEstablished: Bool { get set }
  /// Counts streams, so that what belongs to an earlier one is known after an await.
  var streamSerial: UInt64 { get set }
  /// The stream that we are closing.
  var closingSerial: UInt64? { get set }
  var reconnection: Reconnection { get set }
  /// Why the last stream did not come up, or was lost.
  var lastFailure: AccountError? { get set }
  /// The next try.
  var retry: TimerToken? { get set }
  /// The calls that wait for it to come up.
  var connectWaiters: Waiters<AccountError?> { get }
  /// Lets one at a time close the stream, or change what it shows.
  var gate: SerialGate { get }
  var time: any TimeSource { get }
  var store: AccountStore { get }
  /// The server, as a person knows it.
  var serverName: String { get }

  /// Opens a stream; what comes of it is told to ``connectWaiters``.
  func start()
  /// Gives up a stream that does not come up.
  func giveUp(_ error: AccountError)
  /// Says all goodbyes, closes the stream in order, and forgets it.
  func close() async
  /// Drops a stream that cannot be closed in order.
  func drop()
  /// Nobody wants the connection any more, and there is no stream: forgets what was kept for the next one.
  func leave()
  /// Finds out whether the server is still there.
  func checkStream()
  /// Tells that the status has changed.
  func tellStatus()
}

extension KeptConnection {
  /// Whether the end of the present stream is our own doing.
  package var isClosing: Bool { closingSerial == streamSerial }

  package func setStatus(_ new: AccountStatus, _ reason: String) {
    guard new != status || reason != statusReason else { return }
    status = new
    statusReason = reason
    tellStatus()
  }

  /// Begins another stream.
  /// - Returns: its number.
  package func beginStream() -> UInt64 {
    streamSerial += 1
    lastFailure = nil
    cancelRetry()
    setStatus(.connecting, "")
    return streamSerial
  }

  /// Counts the stream as over.
  package func endStream() {
    streamSerial += 1
    cancelRetry()
  }

  /// Says what follows after a stream was lost, to those who wait as well.
  /// - Parameters:
  ///   - error: why.
  ///   - goesOn: whether it is tried again.
  ///   - least: how long the first wait is.
  package func wasLost(_ error: AccountError, goesOn: Bool, least: Duration = Reconnection.shortest) {
    if goesOn {
      let wait = reconnection.lost(at: time.now, chance: .random(in: 0...1), least: least)
      retry = time.schedule(after: wait) { [weak self] in self?.tryAgain() }
      setStatus(.waiting, "\(error.text) The next try is in \(max(1, wait.components.seconds)) s.")
    } else {
      isEstablished = false
      setStatus(.disconnected, error.text)
    }
    connectWaiters.resume(.some(error))
  }

  /// It is up.
  package func becameConnected() {
    isEstablished = true
    reconnection.connected(at: time.now)
    setStatus(.connected, "")
  }

  func tryAgain() {
    guard status == .waiting else { return }
    start()
  }

  /// Tries at once, because something says that it may go well now.
  func tryAgainNow() {
    reconnection.encouraged()
    tryAgain()
  }

  private func cancelRetry() {
    if let retry { time.cancel(retry) }
    retry = nil
  }
}

// SPDX-License-Identifier: Apache-2.0

public import Account
internal import Audience
internal import EventLoop
internal import Store
internal import XMPP

// What a gateway adds to what people ask of a connection. How it comes up and back: `GatewayAccount+Streams.swift`.

extension GatewayAccount: KeptConnection {
  package var serverName: String { configuration.component.serverName }

  /// Disconnects for good: whoever still holds the gateway cannot connect it any more.
  public func retire() async {
    isRetired = true
    await disconnect()
    // What the last turn has ended is not to be ended again by the next run.
    doorkeeper.flush()
  }

  /// Says all goodbyes and closes the stream. The server does not say them in our place.
  package func close() async {
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

  /// Drops a stream that cannot be closed in order.
  package func drop() {
    doorkeeper.close()
    forgetStream(inOrder: false)
  }

  /// A component has no session that a server would keep for it.
  package func leave() {}

  package func checkStream() { doorkeeper.checkStream() }

  package func tellStatus() { onEvent(.statusChanged) }

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

// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import Logging
internal import Store
internal import XMPP

// What an account adds to what people ask of a connection. How it comes up: `Account+Streams.swift`; how it comes back:
// `Account+Outages.swift`.

extension Account: KeptConnection {
  /// What is left of the time for a call to a change of visibility that has closed a stream.
  static let reconnectLimit = Duration.seconds(16)
  static let iqLimit = Duration.seconds(10)

  package var serverName: String { configuration.client.serverName }

  /// Disconnects for good: whoever still holds the account cannot connect it any more.
  public func retire() async {
    isRetired = true
    await disconnect()
  }

  /// Closes the stream in order, and forgets it. The caller says what comes after.
  ///
  /// Where the connection broke before the server had heard the goodbyes, and keeps the session, the session is
  /// suspended: others may see us still.
  package func close() async {
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

  /// Drops a stream that cannot be closed in order.
  package func drop() {
    sayGoodbyes()
    doorkeeper.close()
    forgetStream()
  }

  /// Nobody will go on with the session, which the server may keep.
  package func leave() {
    leaveSession()
    forgetSession()
  }

  package func checkStream() { doorkeeper.checkStream() }

  package func tellStatus() { onEvent(.statusChanged) }
}

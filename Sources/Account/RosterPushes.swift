// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import XMPP

/// Calls that wait until the roster says something new about a contact.
@LoopActor
final class RosterPushes {
  private var waiters: [BareJID: Waiters<Void>] = [:]
  private let time: any TimeSource

  init(time: any TimeSource) { self.time = time }

  /// Waits for the next push about `contact`.
  /// - Returns: whether it came in time.
  func wait(for contact: BareJID, atMost limit: Duration) async -> Bool {
    let mine = waiters[contact] ?? Waiters(time: time)
    waiters[contact] = mine
    let came = await mine.wait(atMost: limit) != nil
    if mine.isEmpty, waiters[contact] === mine { waiters[contact] = nil }
    return came
  }

  /// A push about `contact` came.
  func resume(_ contact: BareJID) { waiters.removeValue(forKey: contact)?.resume(()) }

  /// None will come any more.
  func cancelAll() {
    let all = waiters.values
    waiters.removeAll()
    for waiter in all { waiter.resume(nil) }
  }
}

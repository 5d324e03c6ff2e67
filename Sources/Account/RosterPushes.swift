// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import XMPP

/// Calls that wait until the roster says something new about a contact.
@LoopActor
final class RosterPushes {
  /// A place among those who wait for news about one contact.
  struct Place {
    let contact: BareJID
    fileprivate let waiters: Waiters<Void>
    fileprivate let place: Waiters<Void>.Place
  }

  private var waiters: [BareJID: Waiters<Void>] = [:]
  private let time: any TimeSource

  init(time: any TimeSource) { self.time = time }

  /// Takes a place: the next push about `contact` counts for it.
  func take(for contact: BareJID) -> Place {
    let mine = waiters[contact] ?? Waiters(time: time)
    waiters[contact] = mine
    return Place(contact: contact, waiters: mine, place: mine.take())
  }

  /// Gives a place back unused.
  func leave(_ place: Place) {
    place.waiters.leave(place.place)
    forgetIfEmpty(place)
  }

  /// Waits for the push.
  /// - Returns: whether it came in time.
  func wait(_ place: Place, atMost limit: Duration) async -> Bool {
    defer { forgetIfEmpty(place) }
    return await place.waiters.wait(place.place, atMost: limit) != nil
  }

  /// A push about `contact` came.
  func resume(_ contact: BareJID) { waiters.removeValue(forKey: contact)?.resume(()) }

  /// None will come any more.
  func cancelAll() {
    let all = waiters.values
    waiters.removeAll()
    for waiter in all { waiter.resume(nil) }
  }

  private func forgetIfEmpty(_ place: Place) {
    if place.waiters.isEmpty, waiters[place.contact] === place.waiters { waiters[place.contact] = nil }
  }
}

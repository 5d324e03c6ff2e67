// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XMPP

/// Our presence to each who is sent it one by one.
@LoopActor
final class PresenceUpdates {
  /// Makes the presence for somebody, as it is by then; `nil` when it must not, or need not, be sent any more.
  var make: @LoopActor (Address) -> Presence? = { _ in nil }

  private let doorkeeper: Doorkeeper
  private let time: any TimeSource

  init(_ doorkeeper: Doorkeeper, time: any TimeSource) {
    self.doorkeeper = doorkeeper
    self.time = time
  }

  /// Sends our presence to these.
  func send(to addresses: some Sequence<Address>) {
    for address in addresses.sorted() {
      if let presence = make(address) { doorkeeper.send(.presence(presence)) }
    }
  }

  /// Waits until all of it has left.
  func drained() async {}

  /// The session is over.
  func forget() {}
}

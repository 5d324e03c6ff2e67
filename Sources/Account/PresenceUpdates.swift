// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XMPP

/// Our presence to each who is sent it one by one.
///
/// Whoever waits for an older presence is sent the newest instead: where changes come faster than they go out, they cost
/// what one costs. After a cut it stands still until the session goes on.
@LoopActor
final class PresenceUpdates {
  /// How many leave in ``interval``: ten thousand within the time that a call has.
  static let burst = 200
  static let interval = Duration.milliseconds(100)

  /// Makes the presence for somebody, as it is by then; `nil` when it must not, or need not, be sent any more.
  var make: @LoopActor (Address) -> Presence? = { _ in nil }

  private let queue: PacedQueue<Address>

  init(_ doorkeeper: Doorkeeper, time: any TimeSource) {
    queue = PacedQueue(burst: Self.burst, every: Self.interval, time: time)
    queue.take = { [weak self] address in
      guard doorkeeper.isUp else { return .blocked }
      guard let presence = self?.make(address) else { return .skipped }
      doorkeeper.send(.presence(presence))
      return .sent
    }
  }

  /// How many wait for theirs.
  var waiting: Int { queue.count }

  /// Sends our presence to these.
  func send(to addresses: some Sequence<Address>) { queue.add(addresses.sorted()) }

  /// The session goes on after a cut.
  func goOn() { queue.goOn() }

  /// Waits until all of it has left, or the connection is lost.
  func drained() async { await queue.drained() }

  /// The session is over.
  func forget() { queue.removeAll() }
}

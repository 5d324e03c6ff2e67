// SPDX-License-Identifier: Apache-2.0

package import EventLoop

/// When to try again after a connection was lost: soon at first, then ever more rarely.
///
/// A value without clock or chance: both are given to it.
package struct Reconnection: Hashable, Sendable {
  /// The first wait, which doubles with each failure.
  package static let shortest = Duration.seconds(1)
  /// The longest wait.
  package static let longest = Duration.seconds(300)
  /// A connection that lasted this long was a good one: the next wait is short again.
  package static let stable = Duration.seconds(60)

  private var failures = 0
  private var connectedAt: MonotonicTime?

  /// Nothing was tried yet.
  package init() {}

  /// The connection is up.
  package mutating func connected(at now: MonotonicTime) { connectedAt = now }

  /// The connection was lost, or could not be made.
  /// - Parameters:
  ///   - now: when.
  ///   - chance: a number from 0 to 1. Up to half of the wait is left to it, so that a server that comes back is not
  ///     met by everybody at the same moment.
  ///   - least: the first wait, where it is to be longer than usual.
  /// - Returns: how long to wait before the next try.
  package mutating func lost(at now: MonotonicTime, chance: Double, least: Duration = shortest) -> Duration {
    if let connectedAt, now - connectedAt >= Self.stable { failures = 0 }
    connectedAt = nil
    var wait = least
    for _ in 0..<failures where wait < Self.longest { wait *= 2 }
    failures += 1
    return min(wait, Self.longest) * (1 - min(max(chance, 0), 1) / 2)
  }

  /// Something has changed that makes a try worth it: the network, the machine's sleep, a person's word.
  package mutating func encouraged() { failures = 0 }
}

// SPDX-License-Identifier: Apache-2.0

public import EventLoop

/// For how long a connection may be silent, learned from what happened to silent connections.
///
/// Routers on the way forget connections that nobody uses, after minutes or hours, and each wake-up costs battery. So a
/// silence that the connection survived makes the next one longer, and one that it did not makes them shorter.
struct KeepAliveRhythm: Hashable {
  static let shortest = Duration.seconds(60)
  static let first = Duration.seconds(240)
  static let longest = Duration.seconds(1500)
  /// After so many survived silences below one that was not survived, that one is tried again: the machine may have
  /// moved to another network.
  static let successesBeforeTryingAgain = 20

  /// How long to be silent.
  private(set) var interval = first
  private var fatal: Duration?
  private var successes = 0

  /// The connection has survived a silence of ``interval``.
  mutating func worked() {
    successes += 1
    if successes >= Self.successesBeforeTryingAgain { fatal = nil }
    let longer = min(interval + interval / 2, Self.longest)
    if let fatal, longer >= fatal { return }
    if interval != longer { successes = 0 }
    interval = longer
  }

  /// The connection has not survived it.
  mutating func failed() {
    successes = 0
    fatal = interval
    interval = max(interval / 2, Self.shortest)
  }
}

/// What the streams of an account learn about silence. It outlives each of them.
@LoopActor
public final class KeepAliveMemory {
  var rhythm = KeepAliveRhythm()

  /// Knows nothing yet.
  public nonisolated init() {}
}

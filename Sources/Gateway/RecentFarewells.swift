// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// To whom a goodbye has just been said. A component is not told what has arrived of what it sent: what left shortly before
/// the connection broke may be lost.
struct RecentFarewells {
  /// How many are remembered.
  static let most = 16_384
  /// For how long: until a dead connection is known to be one.
  static let limit = Duration.seconds(90)

  private var recent: [(shown: Shown, at: MonotonicTime)] = []
  private var head = 0

  mutating func add(_ shown: Shown, at now: MonotonicTime) {
    recent.append((shown, now))
    while head < recent.count, recent.count - head > Self.most || now - recent[head].at > Self.limit { head += 1 }
    guard head > recent.count / 2, head > 64 else { return }
    recent.removeFirst(head)
    head = 0
  }

  /// Takes out all of them.
  mutating func takeAll(at now: MonotonicTime) -> [Shown] {
    defer { (recent, head) = ([], 0) }
    return recent[head...].filter { now - $0.at <= Self.limit }.map(\.shown)
  }
}

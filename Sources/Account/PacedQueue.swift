// SPDX-License-Identifier: Apache-2.0

package import EventLoop

/// Members that have their turn one after the other, and not all at once: ten thousand stanzas in one go would hold up
/// whatever else the connection carries.
///
/// Nobody stands in it twice, so it never holds more than there are members. A timer exists only while somebody waits.
@LoopActor
package final class PacedQueue<Member: Hashable & Sendable> {
  /// What comes of a turn.
  package enum Turn {
    /// It was taken and cost a stanza.
    case sent
    /// There was nothing to do.
    case skipped
    /// It cannot be taken now; the member stays first until ``goOn()``.
    case blocked
  }

  /// Takes a member's turn.
  package var take: @LoopActor (Member) -> Turn = { _ in .skipped }
  /// Called when the last one has had its turn.
  var onEmpty: @LoopActor () -> Void = {}

  private let burst: Int
  private let interval: Duration
  private let time: any TimeSource
  private var line: [Member] = []
  private var head = 0
  private var waiting: Set<Member> = []
  /// Until when the present interval lasts, and how many may have their turn in it still.
  private var allowance = (end: MonotonicTime(nanoseconds: 0), left: 0)
  private var timer: TimerToken?
  private var isTaking = false
  private var drains: [CheckedContinuation<Void, Never>] = []

  /// An empty queue.
  /// - Parameters:
  ///   - burst: how many stanzas leave in an interval.
  ///   - interval: how long an interval is.
  package init(burst: Int, every interval: Duration, time: any TimeSource) {
    self.burst = burst
    self.interval = interval
    self.time = time
  }

  /// How many wait.
  package var count: Int { waiting.count }

  /// Puts members at the end, unless they wait already, and goes on.
  package func add(_ members: some Sequence<Member>) {
    for member in members where waiting.insert(member).inserted { line.append(member) }
    goOn()
  }

  /// Goes on where it stands.
  package func goOn() {
    guard timer == nil, !isTaking, !waiting.isEmpty else { return }
    isTaking = true
    let isOver = takeTurns()
    isTaking = false
    guard isOver else { return }
    resumeDrains()
    if waiting.isEmpty { onEmpty() }
  }

  /// Waits until nobody is left, or it cannot go on.
  package func drained() async {
    goOn()
    guard timer != nil else { return }
    await withCheckedContinuation { drains.append($0) }
  }

  /// Sends everybody away.
  package func removeAll() {
    if let timer { time.cancel(timer) }
    timer = nil
    line.removeAll()
    head = 0
    waiting.removeAll()
    resumeDrains()
  }

  /// - Returns: whether nothing more comes by itself.
  private func takeTurns() -> Bool {
    while head < line.count {
      if allowance.end <= time.now { allowance = (time.now + interval, burst) }
      guard allowance.left > 0 else {
        timer = time.schedule(after: allowance.end - time.now) { [weak self] in
          self?.timer = nil
          self?.goOn()
        }
        return false
      }
      switch take(line[head]) {
      case .blocked: return true
      case .sent: allowance.left -= 1
      case .skipped: break
      }
      // The turn itself may have sent everybody away.
      guard head < line.count else { return true }
      waiting.remove(line[head])
      head += 1
    }
    line.removeAll()
    head = 0
    return true
  }

  private func resumeDrains() {
    let waiters = drains
    drains.removeAll()
    for waiter in waiters { waiter.resume() }
  }
}

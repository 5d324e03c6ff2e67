// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// What happened, in order, and a way to wait for more of it that never waits for ever.
@LoopActor
final class Record<Item: Sendable> {
  private struct Waiter {
    let serial: Int
    let matches: (Item) -> Bool
    let continuation: CheckedContinuation<Item?, Never>
    let timer: TimerToken
  }

  private(set) var items: [Item] = []
  private var waiters: [Waiter] = []
  private var serial = 0

  /// Where the record stands; what is added later comes after this mark.
  var mark: Int { items.count }

  func add(_ item: Item) {
    items.append(item)
    let met = waiters.filter { $0.matches(item) }
    waiters.removeAll { $0.matches(item) }
    for waiter in met {
      EventLoop.shared.time.cancel(waiter.timer)
      waiter.continuation.resume(returning: item)
    }
  }

  /// What was added after `mark`.
  func items(since mark: Int) -> ArraySlice<Item> { items.dropFirst(mark) }

  /// The first item after `mark` that matches, as soon as there is one; `nil` when there is none within `limit`.
  func first(
    since mark: Int = 0, within limit: Duration = .seconds(5), where matches: @escaping (Item) -> Bool
  ) async -> Item? {
    if let found = items(since: mark).first(where: matches) { return found }
    serial += 1
    let serial = serial
    return await withCheckedContinuation { continuation in
      let timer = EventLoop.shared.time.schedule(after: limit) { self.giveUp(serial) }
      waiters.append(Waiter(serial: serial, matches: matches, continuation: continuation, timer: timer))
    }
  }

  private func giveUp(_ serial: Int) {
    guard let index = waiters.firstIndex(where: { $0.serial == serial }) else { return }
    waiters.remove(at: index).continuation.resume(returning: nil)
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import HeapModule

/// Timers in the order of their deadlines; equal deadlines in the order in which they were set.
struct TimerQueue {
  typealias Action = @LoopActor () -> Void

  private struct Entry: Comparable {
    let deadline: MonotonicTime
    let serial: UInt64
    static func < (left: Entry, right: Entry) -> Bool {
      (left.deadline, left.serial) < (right.deadline, right.serial)
    }
  }

  private var heap = Heap<Entry>()
  private var actions: [UInt64: Action] = [:]
  private var serial: UInt64 = 0

  /// When the next timer is due.
  var nextDeadline: MonotonicTime? { heap.min?.deadline }

  var count: Int { actions.count }

  mutating func add(at deadline: MonotonicTime, _ action: @escaping Action) -> TimerToken {
    serial += 1
    heap.insert(Entry(deadline: deadline, serial: serial))
    actions[serial] = action
    return TimerToken(serial: serial)
  }

  mutating func cancel(_ token: TimerToken) {
    guard actions.removeValue(forKey: token.serial) != nil else { return }
    dropCancelled()
    // Timers that are set and cancelled over and over (time-outs that never fire) must not pile up in the heap.
    if heap.count > 64, heap.count > 2 * actions.count {
      heap = Heap(heap.unordered.filter { actions[$0.serial] != nil })
    }
  }

  /// Takes the next timer that is due at `now`.
  mutating func popDue(at now: MonotonicTime) -> Action? {
    guard let first = heap.min, first.deadline <= now else { return nil }
    heap.removeMin()
    let action = actions.removeValue(forKey: first.serial)
    dropCancelled()
    return action
  }

  private mutating func dropCancelled() {
    while let first = heap.min, actions[first.serial] == nil { heap.removeMin() }
  }
}

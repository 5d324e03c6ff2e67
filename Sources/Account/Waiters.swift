// SPDX-License-Identifier: Apache-2.0

package import EventLoop

/// Calls that wait for the same thing to happen, each with a time limit.
///
/// A place in the queue is taken before what is waited for is set off: calling an asynchronous function may let
/// others run first, and what happens then must not be missed.
@LoopActor
package final class Waiters<Value: Sendable> {
  /// A place in the queue.
  @LoopActor
  package final class Place {
    fileprivate enum State {
      case taken
      case waiting(CheckedContinuation<Value?, Never>, TimerToken)
      case over(Value?)
    }
    fileprivate var state = State.taken
    fileprivate init() {}
  }

  private var places: [ObjectIdentifier: Place] = [:]
  private let time: any TimeSource

  package init(time: any TimeSource) { self.time = time }

  package var isEmpty: Bool { places.isEmpty }

  /// Takes a place: the next ``resume(_:)`` counts for it.
  package func take() -> Place {
    let place = Place()
    places[ObjectIdentifier(place)] = place
    return place
  }

  /// Gives a place back unused.
  package func leave(_ place: Place) { places[ObjectIdentifier(place)] = nil }

  /// Waits until ``resume(_:)``; `nil` when `limit` is over first.
  package func wait(_ place: Place, atMost limit: Duration) async -> Value? {
    await withCheckedContinuation { continuation in
      if case .over(let value) = place.state { return continuation.resume(returning: value) }
      let timer = time.schedule(after: limit) { [self] in finish(place, nil) }
      place.state = .waiting(continuation, timer)
    }
  }

  /// Wakes all that have taken a place.
  package func resume(_ value: Value?) {
    for place in places.values { finish(place, value) }
  }

  private func finish(_ place: Place, _ value: Value?) {
    leave(place)
    if case .waiting(let continuation, let timer) = place.state {
      time.cancel(timer)
      continuation.resume(returning: value)
    }
    place.state = .over(value)
  }
}

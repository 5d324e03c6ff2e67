// SPDX-License-Identifier: Apache-2.0

internal import HeapModule

/// One of a gateway's addresses, and somebody who has to do with it.
struct GatewayPair: Hashable, Sendable {
  let target: BareAddress
  let contact: BareAddress
}

/// When there is something to do, and for whom. A deadline that was put off or is void stays until its time comes:
/// whoever takes it looks whether it still holds.
struct Deadlines: Sendable {
  private struct Entry: Comparable, Sendable {
    let instant: Instant
    let pair: GatewayPair

    static func < (left: Entry, right: Entry) -> Bool { left.instant < right.instant }
    static func == (left: Entry, right: Entry) -> Bool { left.instant == right.instant }
  }

  private var entries = Heap<Entry>()

  /// How many there are, with those that are void.
  var count: Int { entries.count }
  /// The first.
  var next: Instant? { entries.min?.instant }

  /// Notes one.
  mutating func add(_ instant: Instant, _ pair: GatewayPair) { entries.insert(Entry(instant: instant, pair: pair)) }

  /// Takes out the first that is due.
  mutating func takeDue(_ now: Instant) -> (instant: Instant, pair: GatewayPair)? {
    guard let first = entries.min, first.instant <= now else { return nil }
    entries.removeMin()
    return (first.instant, first.pair)
  }

  /// Puts others in the place of all.
  mutating func replace(by deadlines: some Sequence<(Instant, GatewayPair)>) {
    entries = Heap(deadlines.map { Entry(instant: $0, pair: $1) })
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Elements in the order in which they were last touched. Each step costs the same, however many there are.
struct RecencyList<Element: Hashable & Sendable>: Sendable {
  private struct Node {
    var element: Element?
    var before = -1
    var after = -1
  }

  // A ring: the first node is no element, and stands before the first and behind the last. It is made when it is
  // needed.
  private var nodes: [Node] = []
  private var free: [Int] = []
  private var places: [Element: Int] = [:]

  /// How many there are.
  var count: Int { places.count }
  /// The one that was touched first.
  var oldest: Element? { nodes.first.flatMap { nodes[$0.after].element } }

  /// Puts an element last.
  mutating func touch(_ element: Element) {
    if let place = places[element] {
      unlink(place)
      link(place)
      return
    }
    if nodes.isEmpty { nodes.append(Node(before: 0, after: 0)) }
    let place = free.popLast() ?? nodes.count
    if place == nodes.count { nodes.append(Node()) }
    nodes[place].element = element
    places[element] = place
    link(place)
  }

  /// Forgets an element.
  mutating func remove(_ element: Element) {
    guard let place = places.removeValue(forKey: element) else { return }
    unlink(place)
    nodes[place].element = nil
    free.append(place)
  }

  private mutating func link(_ place: Int) {
    let last = nodes[0].before
    nodes[place].before = last
    nodes[place].after = 0
    nodes[last].after = place
    nodes[0].before = place
  }

  private mutating func unlink(_ place: Int) {
    let (before, after) = (nodes[place].before, nodes[place].after)
    nodes[before].after = after
    nodes[after].before = before
  }
}

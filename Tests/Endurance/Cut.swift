// SPDX-License-Identifier: Apache-2.0

import Support

/// A way to break a connection.
enum Cut: String, CaseIterable {
  case closed, reset
  /// In the middle of whatever is said next.
  case afterSomeBytes = "after some bytes"
  /// Nothing passes any more, and neither side is told.
  case halfOpen = "half-open"
  /// And then the server is not there for a while.
  case refused
  /// And then the next connections break while they come up.
  case againAndAgain = "again and again"
  /// And what comes back comes byte by byte.
  case trickle
  /// For longer than the server keeps a session.
  case longOutage = "long outage"

  /// How often it is chosen: what takes long is rare.
  private var weight: Int {
    switch self {
    case .closed, .reset, .afterSomeBytes, .againAndAgain: 20
    case .refused, .trickle: 10
    case .halfOpen: 3
    case .longOutage: 1
    }
  }

  static func random(using generator: inout some RandomNumberGenerator) -> Cut {
    var place = Int.random(in: 0..<allCases.map(\.weight).reduce(0, +), using: &generator)
    for cut in allCases {
      place -= cut.weight
      if place < 0 { return cut }
    }
    return .closed
  }

  /// Breaks what goes through a proxy.
  /// - Parameter pass: waits for a while, in which the program works on.
  func strike(
    _ proxy: FaultProxy, using generator: inout some RandomNumberGenerator, pass: (Duration) throws -> Void
  ) throws {
    let manner = FaultProxy.Manner.allCases.randomElement(using: &generator) ?? .closed
    let direction: FaultProxy.Direction = Bool.random(using: &generator) ? .toServer : .toClient
    switch self {
    case .closed: proxy.cut(.closed)
    case .reset: proxy.cut(.reset)
    case .afterSomeBytes:
      proxy.strike(.cut(after: Int.random(in: 0..<400, using: &generator), direction, manner))
      // What is said meanwhile may not be enough.
      try pass(.milliseconds(500))
      proxy.cut(manner)
    case .halfOpen: proxy.strike(.silence(after: 0, direction))
    case .refused:
      proxy.refuse(true)
      proxy.cut(manner)
      try pass(.milliseconds(Int.random(in: 100..<3000, using: &generator)))
      proxy.refuse(false)
    case .againAndAgain:
      proxy.setFault(.cut(after: Int.random(in: 0..<6000, using: &generator), direction, manner))
      proxy.cut(manner)
      try pass(.milliseconds(Int.random(in: 1000..<3000, using: &generator)))
      proxy.setFault(.none)
      proxy.strike(.none)
    case .trickle:
      proxy.setFault(.trickle)
      proxy.cut(manner)
      try pass(.milliseconds(1500))
      proxy.setFault(.none)
    case .longOutage:
      proxy.refuse(true)
      proxy.cut(manner)
      try pass(.seconds(25))
      proxy.refuse(false)
    }
  }
}

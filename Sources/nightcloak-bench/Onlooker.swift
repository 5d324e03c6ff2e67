// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc

/// Somebody else on the bus who reads a property of the daemon's now and then: how long everybody waits while it is busy.
@LoopActor
final class Onlooker {
  private let caller: Caller
  private var times: [Double]?
  private var isOver = true

  private init(_ caller: Caller) { self.caller = caller }

  static func open(_ address: String) async throws -> Onlooker { Onlooker(try await Caller.open(address)) }

  /// Begins to read.
  /// - Parameter seconds: for how long.
  func begin(_ seconds: Double) {
    isOver = false
    let end = monotonicSeconds() + seconds
    spawn { [caller] in
      self.times = await caller.getNowAndThen(
        until: end, from: Daemon.busName, PlainService.path, PlainService.interface, PlainService.property)
      self.isOver = true
    }
  }

  /// Waits until it is over.
  /// - Returns: how long each answer took, in milliseconds, the shortest first.
  func finish() async throws -> [Double] {
    while !isOver { await EventLoop.shared.time.wait(for: .milliseconds(20)) }
    guard let times, !times.isEmpty else { throw BenchFailure("the daemon did not answer a Get") }
    return times.sorted()
  }
}

/// Counts signals.
@LoopActor
final class SignalCounter { var count = 0 }

/// The value that a part of all values is below.
/// - Parameter sorted: the smallest first; not empty.
func percentile(_ sorted: [Double], _ part: Double) -> Double {
  sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
}

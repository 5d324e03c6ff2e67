// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Processes

/// Properties.Get, one call after the other, of the daemon and of a service in plain C on the same bus.
enum GetBench {
  /// Many short rounds: what else the machine does then falls on both sides of most of them alike.
  private static let rounds = 60
  private static let calls = 600

  @LoopActor
  static func run(in workshop: Workshop) async throws -> [Figure] {
    let ours = try await workshop.start(workshop.daemonCommand, owning: Daemon.busName).process
    let plain = try await workshop.start(workshop.plainServiceCommand, owning: PlainService.busName).process
    let caller = try await Caller.open(workshop.address)
    var rates: [(ours: Double, baseline: Double)] = []
    var costs: [(ours: Double, baseline: Double)] = []
    // The first round warms up and is not counted.
    for round in 0...rounds {
      if round.isMultiple(of: 10) { Progress.tell(.get, "round \(round) of \(rounds)") }
      // A B, then B A: neither side is always the one that follows the other.
      let early = round.isMultiple(of: 2) ? try await measure(ours, Daemon.busName, caller) : nil
      let baseline = try await measure(plain, PlainService.busName, caller)
      let figures = if let early { early } else { try await measure(ours, Daemon.busName, caller) }
      guard round > 0 else { continue }
      rates.append((figures.rate, baseline.rate))
      costs.append((figures.cost, baseline.cost))
    }
    await workshop.end(plain)
    await workshop.end(ours)
    return [
      Figure("get", "D-Bus property Get, one at a time", "calls/s", rounds: rates, goal: .ratioAtLeast(0.95)),
      Figure("get", "  CPU of the service per call", "µs", rounds: costs, goal: .ratioAtMost(1.1)),
    ]
  }

  /// Calls per second, and the service's CPU time per call in microseconds.
  @LoopActor
  private static func measure(
    _ process: ChildProcess, _ name: String, _ caller: Caller
  ) async throws -> (rate: Double, cost: Double) {
    let figures = ProcessFigures(pid: process.pid)
    let before = figures.cpuSeconds
    guard
      let seconds = await caller.get(
        calls, from: name, PlainService.path, PlainService.interface, PlainService.property)
    else { throw BenchFailure("\(name) did not answer a Get") }
    return (Double(calls) / seconds, (figures.cpuSeconds - before) / Double(calls) * 1e6)
  }
}

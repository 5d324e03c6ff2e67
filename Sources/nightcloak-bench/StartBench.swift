// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// From the start of the program to its name on the bus.
enum StartBench {
  private static let rounds = 15

  @LoopActor
  static func run(in workshop: Workshop) async throws -> [Figure] {
    var times: [(ours: Double, baseline: Double)] = []
    // The first round brings the programs from the disk and is not counted.
    for round in 0...rounds {
      Progress.tell(.start, "round \(round) of \(rounds)")
      let ours = try await milliseconds(workshop.daemonCommand, Daemon.busName, workshop)
      let plain = try await milliseconds(workshop.plainServiceCommand, PlainService.busName, workshop)
      if round > 0 { times.append((ours, plain)) }
    }
    return [Figure("start", "start to bus name owned", "ms", rounds: times, goal: .valueAtMost(15))]
  }

  @LoopActor
  private static func milliseconds(_ command: [String], _ name: String, _ workshop: Workshop) async throws -> Double {
    let started = try await workshop.start(command, owning: name)
    await workshop.end(started.process)
    return started.seconds * 1000
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import EventLoop

/// One contact more that may see us, where ten may already and where ten thousand do: what changes is to cost, not what
/// stays the same.
enum VisibilityBench {
  static let few = 10
  static let many = 10_000
  private static let rounds = 5
  private static let changes = 20

  @LoopActor
  static func run(in workshop: Workshop) async throws -> [Figure] {
    Progress.tell(.visibility, "making rosters")
    _ = try await workshop.openServer()
    let sizes = [("account1", few), ("account2", many)]
    for (account, _) in sizes { try workshop.makeRoster(of: account, many + 1, at: "localhost") }
    let daemon = try await Daemon(in: workshop)
    var ready: [(path: ObjectPath, size: Int)] = []
    for (account, size) in sizes {
      Progress.tell(.visibility, "showing \(account) to \(size) contacts")
      let path = try await daemon.add(account, ["visibility": .string("invisible")])
      try await daemon.connect(path)
      try await daemon.showOnly((1..<size).map { Workshop.contact($0, at: "localhost") }, path)
      ready.append((path, size))
    }
    var times: [(ours: Double, baseline: Double)] = []
    var work: [(ours: Double, baseline: Double)] = []
    for round in 1...rounds {
      Progress.tell(.visibility, "round \(round) of \(rounds)")
      var seconds: [Double] = []
      var cpu: [Double] = []
      for (path, size) in ready {
        let before = daemon.figures.cpuSeconds
        var sum = 0.0
        for _ in 0..<changes {
          let contact = Workshop.contact(size, at: "localhost")
          let start = monotonicSeconds()
          try await daemon.showTo(contact, path)
          sum += monotonicSeconds() - start
          try await daemon.hideFrom(contact, path)
        }
        seconds.append(sum / Double(changes) * 1000)
        cpu.append((daemon.figures.cpuSeconds - before) / Double(2 * changes) * 1e6)
      }
      times.append((seconds[1], seconds[0]))
      work.append((cpu[1], cpu[0]))
    }
    await daemon.end(in: workshop)
    return [
      Figure(
        "visibility", "ShowTo, among 10,000 exceptions against 10", "ms", rounds: times, goal: .ratioAtMost(1.2)),
      Figure("visibility", "  CPU for each change", "µs", rounds: work, goal: .none),
    ]
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import EventLoop
internal import Glibc

/// Connecting with a large roster: whole the first time, and what has changed since then the second time.
enum RosterBench {
  static let small = 10_000
  static let large = 50_000
  private static let rounds = 3

  @LoopActor
  static func run(in workshop: Workshop) async throws -> [Figure] {
    Progress.tell(.roster, "making rosters")
    _ = try await workshop.openServer()
    let sizes = [("account1", small), ("account2", large)]
    for (account, size) in sizes { try workshop.makeRoster(of: account, size) }
    let daemon = try await Daemon(in: workshop)
    var whole: [(ours: Double, baseline: Double)] = []
    var perContact: [Double] = []
    var again: [Double] = []
    for round in 1...rounds {
      Progress.tell(.roster, "round \(round) of \(rounds)")
      var seconds: [Double] = []
      for (account, size) in sizes {
        let path = try await daemon.add(account, ["visibility": .string("invisible")])
        let before = daemon.figures.cpuSeconds
        let start = monotonicSeconds()
        try await daemon.connect(path)
        seconds.append(monotonicSeconds() - start)
        guard size == large else {
          try await daemon.remove(path, forgetting: true)
          continue
        }
        perContact.append((daemon.figures.cpuSeconds - before) / Double(size) * 1e6)
        try await daemon.disconnect(path)
        let beginning = monotonicSeconds()
        try await daemon.connect(path)
        again.append((monotonicSeconds() - beginning) * 1000)
        try await daemon.remove(path, forgetting: true)
      }
      whole.append((seconds[1] * 1000, seconds[0] * 1000))
    }
    await daemon.end(in: workshop)
    return [
      Figure("roster", "connect, 50,000 contacts against 10,000", "ms", rounds: whole, goal: .ratioAtMost(5.5)),
      Figure("roster", "  CPU for each contact", "µs", median(perContact), goal: .valueAtMost(10)),
      Figure("roster", "  again, nothing changed", "ms", median(again), goal: .none),
    ]
  }
}

extension Workshop {
  /// One of the contacts that ``makeRoster(of:_:at:)`` makes, by number from 0.
  static func contact(_ number: Int, at domain: String) -> String { "contact\(number)@\(domain)" }

  /// Writes the roster of an account where the server looks for it when the account logs in.
  func makeRoster(of account: String, _ size: Int, at domain: String = "example.org") throws {
    let file = "\(directory)/server/data/localhost/roster/\(account).dat"
    mkdir("\(directory)/server/data/localhost/roster", 0o700)
    guard let stream = fopen(file, "we") else { throw BenchFailure("\(file) cannot be written") }
    fputs("return { [false] = { [\"version\"] = 1; [\"pending\"] = {}; };\n", stream)
    for number in 0..<size {
      fputs(
        "[\"\(Self.contact(number, at: domain))\"] = { [\"subscription\"] = \"both\"; [\"name\"] = \"Contact \(number)\"; "
          + "[\"groups\"] = { [\"Friends\"] = true; }; };\n", stream)
    }
    fputs("};\n", stream)
    fclose(stream)
  }
}

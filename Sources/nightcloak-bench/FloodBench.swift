// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import EventLoop
internal import Glibc

/// Strangers without end ask within a minute: what the daemon then holds and says, and how long everybody else waits.
enum FloodBench {
  static let requests = 100_000
  static let people = 10_000
  private static let domains = 1000
  private static let seconds = 55.0
  private static let warmUp = 2000

  @LoopActor
  static func run(in workshop: Workshop) async throws -> [Figure] {
    Progress.tell(.flood, "connecting")
    let daemon = try await Daemon(in: workshop)
    let path = try await daemon.connect("account0")
    let jid = try await daemon.jid(of: path)
    let source = try await FloodSource.logIn(try await workshop.openServer())
    let onlooker = try await Onlooker.open(workshop.address)
    let counter = SignalCounter()
    try await daemon.onSignal { _ in counter.count += 1 }
    var figures: [Figure] = []
    for (policy, leaving, name) in [("ask", false, "ask"), ("allow", true, "allow, and each leaves again")] {
      try await daemon.setPolicy(policy, of: path)
      func flood(_ requests: Int, _ seconds: Double) async throws -> Double {
        guard
          let time = await source.flood(
            jid, requests: requests, people: people, domains: domains, seconds: seconds, leaving: leaving)
        else { throw BenchFailure("the component's connection ended") }
        return time
      }
      // What the first requests need stays.
      _ = try await flood(warmUp, 0)
      let before = daemon.figures.proportionalKiB
      counter.count = 0
      let watch = FloodWatch(daemon, path)
      watch.begin()
      Progress.tell(.flood, "policy \(name)")
      onlooker.begin(seconds)
      let time = try await flood(requests, seconds)
      let times = try await onlooker.finish()
      watch.end()
      let growth = max(watch.mostKiB, daemon.figures.proportionalKiB) - before
      figures += [
        Figure("flood", "flood, policy \(name)", "s", time, goal: .valueAtMost(60)),
        Figure(
          "flood", "  another client's Get, 99th percentile", "ms", percentile(times, 0.99), goal: .valueAtMost(50)),
        Figure("flood", "  memory (PSS), growth", "KiB", growth, goal: .valueAtMost(4096)),
        Figure("flood", "  requests that wait, at most", "", Double(watch.mostPending), goal: .valueAtMost(16)),
        Figure("flood", "  signals to somebody who wants all", "", Double(counter.count), goal: .valueAtMost(1000)),
      ]
    }
    await daemon.end(in: workshop)
    return figures
  }

}

/// Looks again and again at what a daemon holds.
@LoopActor
private final class FloodWatch {
  private(set) var mostKiB = 0.0
  private(set) var mostPending: UInt32 = 0
  private let daemon: Daemon
  private let path: ObjectPath
  private var isOver = false

  init(_ daemon: Daemon, _ path: ObjectPath) { (self.daemon, self.path) = (daemon, path) }

  func begin() {
    spawn {
      while !self.isOver {
        self.mostKiB = max(self.mostKiB, self.daemon.figures.proportionalKiB)
        if let pending = try? await self.daemon.pendingRequests(of: self.path) {
          self.mostPending = max(self.mostPending, pending)
        }
        await EventLoop.shared.time.wait(for: .milliseconds(250))
      }
    }
  }

  func end() { isOver = true }
}

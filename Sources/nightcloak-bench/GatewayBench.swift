// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import EventLoop
internal import Glibc

/// A gateway that shows whoever is asked for, by its policy: how fast, with whom it holds, and beside it a bare component
/// that sends presence back for whatever comes.
enum GatewayBench {
  static let rate = 1000
  private static let seconds = 30
  private static let rounds = 3
  /// Requests in a round.
  private static let batch = 4000
  /// How many wait for an answer in a round.
  private static let window = 128
  /// Sessions that there can be at once: with each one above another one ends.
  private static let sessions = 20_000
  /// Who have asked before it is looked how much memory more of them take: by then all that remembers them is full, and
  /// forgets as many as come.
  private static let crowd = 100_000
  /// What a gateway asks itself when it connects.
  private static let pings = 16

  @LoopActor
  static func run(in workshop: Workshop) async throws -> [Figure] {
    Progress.tell(.gateway, "connecting")
    let (server, plainServer) = (try ComponentServer(), try ComponentServer())
    let daemon = try await Daemon(in: workshop)
    let path = try await daemon.addGateway(ComponentServer.domain, port: server.port)
    try await daemon.setPolicy("allow", of: path)
    let connecting = spawn { try? await daemon.connect(path) }
    let gateway = try await server.accept(pings: pings)
    await connecting.value
    guard try await daemon.jid(of: path) == ComponentServer.domain else {
      throw BenchFailure("the gateway did not connect")
    }
    spawn { [port = plainServer.port] in
      await offLoop {
        guard let echo = ComponentPeer.connect(port: port) else { return }
        while echo.echo() {}
      }
    }
    let plain = try await plainServer.accept()

    var asked = 0
    /// Those who ask next, who have never asked before.
    func next(_ count: Int) -> Range<Int> {
      defer { asked += count }
      return asked..<(asked + count)
    }
    var times: [(ours: Double, baseline: Double)] = []
    let before = daemon.figures.proportionalKiB
    for round in 0...rounds {
      Progress.tell(.gateway, "round \(round) of \(rounds)")
      let numbers = next(batch)
      let ours = try await server.ask(gateway, numbers, window: window).seconds
      let baseline = try await plainServer.ask(plain, numbers, window: window).seconds
      if round > 0 { times.append((ours * 1000 / Double(batch), baseline * 1000 / Double(batch))) }
    }
    plain.shutDown()
    Progress.tell(.gateway, "\(crowd) who ask")
    _ = try await server.ask(gateway, next(crowd - asked), window: window)
    let full = daemon.figures.proportionalKiB
    let steady = try await steady(workshop, daemon, server, gateway, next(rate * seconds))
    let growth = daemon.figures.proportionalKiB - full
    let leaving = try await leave(workshop, daemon, gateway, path)
    await daemon.end(in: workshop)
    return [Figure("gateway", "gateway, a request answered by policy", "ms", rounds: times, goal: .valueAtMost(1))]
      + steady + [
        Figure(
          "gateway", "  memory (PSS), \(sessions) sessions and \(crowd) who asked", "KiB", full - before,
          goal: .valueAtMost(131_072)),
        Figure(
          "gateway", "  memory (PSS), growth over \(rate * seconds) more who ask", "KiB", growth,
          goal: .valueAtMost(4096)),
      ] + leaving
  }

  /// Somebody asks all the time, as often as it is promised, while somebody else listens to all signals and a third reads a
  /// property.
  @LoopActor
  private static func steady(
    _ workshop: Workshop, _ daemon: Daemon, _ server: ComponentServer, _ gateway: ComponentPeer, _ numbers: Range<Int>
  ) async throws -> [Figure] {
    Progress.tell(.gateway, "\(rate) requests a second")
    let counter = SignalCounter()
    try await daemon.onSignal { _ in counter.count += 1 }
    let onlooker = try await Onlooker.open(workshop.address)
    let busy = daemon.figures.cpuSeconds
    onlooker.begin(Double(seconds))
    let outcome = try await server.ask(gateway, numbers, window: numbers.count, rate: Double(rate))
    let load = (daemon.figures.cpuSeconds - busy) / outcome.seconds
    let gets = try await onlooker.finish()
    let times = outcome.times.sorted()
    let name = "  at \(rate) a second"
    return [
      Figure("gateway", "\(name), time for \(numbers.count)", "s", outcome.seconds, goal: .valueAtMost(31)),
      Figure("gateway", "\(name), median", "ms", percentile(times, 0.5) * 1000, goal: .none),
      Figure("gateway", "\(name), 99th percentile", "ms", percentile(times, 0.99) * 1000, goal: .valueAtMost(50)),
      Figure("gateway", "\(name), processor", "%", load * 100, goal: .valueAtMost(100)),
      Figure(
        "gateway", "\(name), another client's Get, 99th percentile", "ms", percentile(gets, 0.99),
        goal: .valueAtMost(50)),
      Figure(
        "gateway", "\(name), signals to somebody who wants all", "", Double(counter.count), goal: .valueAtMost(1000)),
    ]
  }

  /// All are told goodbye.
  @LoopActor
  private static func leave(
    _ workshop: Workshop, _ daemon: Daemon, _ gateway: ComponentPeer, _ path: ObjectPath
  ) async throws -> [Figure] {
    Progress.tell(.gateway, "disconnecting")
    let onlooker = try await Onlooker.open(workshop.address)
    onlooker.begin(3)
    spawn { await offLoop { gateway.takeLeave() } }
    let start = monotonicSeconds()
    try await daemon.disconnect(path)
    let end = monotonicSeconds()
    let gets = try await onlooker.finish()
    return [
      Figure("gateway", "  Disconnect with \(sessions) sessions", "s", end - start, goal: .valueAtMost(20)),
      Figure(
        "gateway", "  Disconnect with \(sessions) sessions, another client's longest Get", "ms", gets.last ?? 0,
        goal: .valueAtMost(250)),
    ]
  }
}

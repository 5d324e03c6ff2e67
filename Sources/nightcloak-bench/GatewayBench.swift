// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import EventLoop

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

  @LoopActor
  static func run(in workshop: Workshop) async throws -> [Figure] {
    Progress.tell(.gateway, "connecting")
    let (server, plainServer) = (try ComponentServer(), try ComponentServer())
    let daemon = try await Daemon(in: workshop)
    let path = try await daemon.addGateway(ComponentServer.domain, port: server.port)
    try await daemon.setPolicy("allow", of: path)
    spawn { try? await daemon.connect(path) }
    let gateway = try await server.accept()
    spawn { [port = plainServer.port] in
      await offLoop {
        guard let echo = ComponentPeer.connect(port: port) else { return }
        while echo.echo() {}
      }
    }
    let plain = try await plainServer.accept()

    var asked = 0
    var times: [(ours: Double, baseline: Double)] = []
    let before = daemon.figures.proportionalKiB
    for round in 0...rounds {
      Progress.tell(.gateway, "round \(round) of \(rounds)")
      let numbers = asked..<(asked + batch)
      asked += batch
      let ours = try await server.ask(gateway, numbers, window: window).seconds
      let baseline = try await plainServer.ask(plain, numbers, window: window).seconds
      if round > 0 { times.append((ours * 1000 / Double(batch), baseline * 1000 / Double(batch))) }
    }
    Progress.tell(.gateway, "\(rate) requests a second")
    let busy = daemon.figures.cpuSeconds
    let steady = try await server.ask(
      gateway, asked..<(asked + rate * seconds), window: asked, rate: Double(rate))
    asked += rate * seconds
    let load = (daemon.figures.cpuSeconds - busy) / steady.seconds
    let late = steady.times.sorted()[steady.times.count * 99 / 100]
    let growth = daemon.figures.proportionalKiB - before
    plain.shutDown()
    gateway.shutDown()
    await daemon.end(in: workshop)
    return [
      Figure("gateway", "gateway, a request answered by policy", "ms", rounds: times, goal: .valueAtMost(1)),
      Figure("gateway", "  at \(rate) a second, 99th percentile", "ms", late * 1000, goal: .valueAtMost(50)),
      Figure("gateway", "  at \(rate) a second, processor", "%", load * 100, goal: .valueAtMost(100)),
      Figure(
        "gateway", "  memory (PSS), growth over \(asked) who ask", "KiB", growth, goal: .valueAtMost(131_072)),
    ]
  }
}

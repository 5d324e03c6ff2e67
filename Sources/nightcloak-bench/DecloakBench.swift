// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// A stranger asks, and is shown presence by the policy "allow": the daemon over TLS, and beside it a bare socket that
/// answers whatever comes, both through the same server.
enum DecloakBench {
  private static let rounds = 5
  /// In all rounds fewer than the 256 questions that the daemon may have open: the stranger answers none of them.
  private static let asks = 40

  @LoopActor
  static func run(in workshop: Workshop) async throws -> [Figure] {
    Progress.tell(.decloak, "connecting")
    let daemon = try await Daemon(in: workshop)
    let path = try await daemon.connect("account0")
    try await daemon.setPolicy("allow", of: path)
    let jid = try await daemon.jid(of: path)
    let server = try await workshop.openServer()
    let stranger = try await RawClient.logIn("stranger", server)
    let echo = try await RawClient.logIn("echo", server)
    spawn { await offLoop { while echo.answerDecloak(of: stranger.jid) {} } }
    var times: [(ours: Double, baseline: Double)] = []
    for round in 0...rounds {
      Progress.tell(.decloak, "round \(round) of \(rounds)")
      let ours = try await ask(stranger, jid)
      let plain = try await ask(stranger, echo.jid)
      if round > 0 { times.append((ours, plain)) }
    }
    echo.shutDown()
    stranger.shutDown()
    await daemon.end(in: workshop)
    return [
      Figure("decloak", "decloak answered by policy", "ms", rounds: times, goal: .ratioAtMost(1.5))
    ]
  }

  /// The median time from request to presence, in milliseconds.
  @LoopActor
  private static func ask(_ stranger: RawClient, _ jid: String) async throws -> Double {
    let times = await offLoop { (0..<asks).map { _ in stranger.decloak(jid) } }
    let known = times.compactMap { $0 }
    guard known.count == asks else { throw BenchFailure("\(jid) did not answer a decloak request") }
    return median(known) * 1000
  }
}

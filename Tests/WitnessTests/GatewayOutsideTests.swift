// SPDX-License-Identifier: Apache-2.0

import Outside
import Testing

/// A short run of what `make gateway` does for long.
@Suite("A gateway seen from outside, at random", .serialized, .timeLimit(.minutes(15)))
struct GatewayOutsideTests {
  @Test(
    "Whatever the owner, those who ask and the network do, each sees the addresses that they must and no other",
    arguments: [OutsideServer.loopback, .prosody])
  func random(server: OutsideServer) async throws {
    let steps = server == .loopback ? 600 : 200
    try await GatewayRun.run(OutsideRun.Plan(server: server, steps: steps, seed: 7))
  }
}

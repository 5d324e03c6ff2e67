// SPDX-License-Identifier: Apache-2.0

import Outside
import Testing

/// A short run of what `make visibility` does for long.
@Suite("Visibility seen from outside, at random", .serialized, .timeLimit(.minutes(15)))
struct OutsideTests {
  @Test(
    "Whatever a person, contacts, strangers and the network do, each sees what they must and nobody got what they must not",
    arguments: [OutsideServer.loopback, .prosody])
  func random(server: OutsideServer) async throws {
    try await OutsideRun.run(OutsideRun.Plan(server: server, mechanism: nil, steps: 250, seed: 4))
  }
}

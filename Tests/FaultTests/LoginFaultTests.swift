// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// What goes wrong before an account is connected. What takes until a time-out is tried beside the faults of sessions.
@Suite("Faults on the way in", .serialized, .timeLimit(.minutes(15)))
struct LoginFaultTests {
  @Test(
    "Each ends Connect with the right error and reason, shows nothing to anybody, and leaves nothing behind",
    arguments: [XMPPServer.Family.prosody, .ejabberd])
  func faults(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let scene = try Scene(witness)
      // What is made once is made.
      try attempt(LoginFault.fast[0], in: scene)
      let before = scene.footprint
      for fault in LoginFault.fast { try attempt(fault, in: scene) }
      try scene.awaitDescriptors(of: before)
      let grown = scene.footprint.memory - before.memory
      #expect(grown < 24 * 1024, "it holds \(grown) KiB more than before")
    }
  }

  private func attempt(_ fault: LoginFault, in scene: Scene) throws {
    let proxy = try fault.proxy(scene)
    let account = try scene.account(through: proxy, tls: fault.tls)
    try scene.witness.step(fault.name) {
      try fault.judge(scene, account, proxy, account.begin(.Connection, "Connect"))
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Somebody in the middle whose certificate is believed, and who wants the log-in to be weaker than it could be.
@Suite("Downgrades", .serialized, .timeLimit(.minutes(15)))
struct DowngradeTests {
  private static let families = [XMPPServer.Family.prosody, .ejabberd]

  /// Speaks TLS 1.2 to both sides: there is a binding that these servers know.
  private func middle(_ scene: Scene, _ change: @escaping @Sendable (String) -> String) throws -> FaultProxy {
    try FaultProxy(
      to: scene.witness.server.directTLSPort,
      interception: Interception(
        .starttls, showing: scene.certificates.good, version: Interception.tls12, upstreamVersion: Interception.tls12,
        change: Interception.changing(.toClient, "<stream:features", change)))
  }

  private func tries(_ proxy: FaultProxy) -> [String] { proxy.sentByClients.filter { $0.hasPrefix("<auth") } }

  @Test(
    "A middle that lets the binding to the channel pass is found out, and nothing weaker is tried", arguments: families)
  func bound(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let scene = try Scene(witness)
      let proxy = try middle(scene) { $0 }
      defer { proxy.stop() }
      let account = try scene.account(through: proxy)
      let refusal = #expect(throws: RawBus.Refusal.self) { try account.call(.Connection, "Connect") }
      #expect(refusal?.name == ours("AuthenticationFailed"))
      #expect(tries(proxy).count == 1)
      #expect(tries(proxy).first?.contains("-PLUS'") == true, "\(tries(proxy))")
    }
  }

  @Test("A middle that takes the binding out of the offer is told on to the server", arguments: families)
  func stripped(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let scene = try Scene(witness)
      let proxy = try middle(scene) { $0.replacing(/<mechanism>SCRAM-SHA-[0-9]+-PLUS<\/mechanism>/, with: "") }
      defer { proxy.stop() }
      let account = try scene.account(through: proxy)
      // RFC 5802 section 6: the server must refuse then. ejabberd 23.01 does not; no client can help that.
      if family == .prosody {
        let refusal = #expect(throws: RawBus.Refusal.self) { try account.call(.Connection, "Connect") }
        #expect(refusal?.name == ours("AuthenticationFailed"))
      } else {
        try account.call(.Connection, "Connect")
      }
      #expect(tries(proxy).count == 1)
      _ = changingMessage(tries(proxy).first ?? "") {
        #expect($0.hasPrefix("y,,"), "we could, and believe that the server cannot")
        return $0
      }
      try scene.remove(account)
    }
  }

  @Test("Who has logged in by SCRAM once is not asked for the password itself", arguments: families)
  func remembered(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let scene = try Scene(witness)
      let proxy = try scene.proxy()
      defer { proxy.stop() }
      let account = try scene.account(through: proxy)
      try account.call(.Connection, "Connect")
      try account.call(.Connection, "Disconnect")
      let weak = Interception(
        .starttls, showing: scene.certificates.good,
        change: Interception.changing(.toClient, "<stream:features") {
          $0.replacing(/<mechanism>SCRAM-[^<]*<\/mechanism>/, with: "")
        })
      proxy.intercept(weak)
      let refusal = #expect(throws: RawBus.Refusal.self) { try account.call(.Connection, "Connect") }
      #expect(refusal?.name == ours("AuthenticationFailed"))
      for word in ["SCRAM", "PLAIN", "accept-weaker-login"] {
        #expect(refusal?.text.contains(word) == true, "\(refusal?.text ?? "")")
      }
      #expect(tries(proxy).isEmpty, "\(tries(proxy))")
      #expect(try account.get(.Connection, "Status").text == "disconnected")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Glibc
import Support
import Testing

/// What the daemon makes of a server that does not want the gateway, or goes away.
@Suite("Faults of the gateway's connection", .serialized, .timeLimit(.minutes(15)))
struct GatewayFaultTests {
  private let romeo = OurGateway.address("romeo%shakespeare.lit")

  @Test("A wrong secret is told, and not tried again", arguments: XMPPServer.Family.allCases)
  func secret(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let gateway = try OurGateway(["password": .string("wrong")], on: witness.owner, server: witness.server)
      let refusal = try gateway.refusal(.Connection, "Connect")
      #expect(refusal?.name == "org.nightcloak.Presence1.Error.AuthenticationFailed", "\(String(describing: refusal))")
      #expect(refusal?.text.contains("password") == true)
      #expect(try gateway.get(.Connection, "Status").text == "disconnected")
      #expect(try gateway.get(.Connection, "StatusReason").text == refusal?.text)
      #expect(witness.daemon?.log.contains("wrong\"") == false)
      try witness.owner.call(
        DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "RemoveConnection",
        [.path(gateway.path), .options()])
      // By itself it does not try again either.
      try witness.takeInterest()
      let automatic = try OurGateway(
        ["password": .string("wrong"), "autoconnect": .bool(true)], on: witness.owner, server: witness.server)
      try witness.owner.wait(for: "it to give up") {
        (try? automatic.get(.Connection, "Status").text) == "disconnected"
      }
      #expect(try automatic.get(.Connection, "StatusReason").text == refusal?.text)
    }
  }

  @Test(
    "A domain that another program has is told; the other one goes on",
    arguments: [XMPPServer.Family.prosody, .loopback])
  func conflict(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let other = try witness.component()
      let gateway = try OurGateway(on: witness.owner, server: witness.server)
      let refusal = try gateway.refusal(.Connection, "Connect")
      #expect(refusal?.name == "org.nightcloak.Presence1.Error.ServerRefused", "\(String(describing: refusal))")
      #expect(refusal?.text.contains("Another program is connected as sip.localhost") == true)
      #expect(try gateway.get(.Connection, "Status").text == "disconnected")
      try other.ping()
      try other.close()
      try witness.owner.wait(for: "the domain to be free") {
        (try? gateway.call(.Connection, "Connect")) != nil
      }
    }
  }

  @Test("A server that never answers the handshake is given up in time")
  func silence() async throws {
    try await Witness.run { witness in
      let (listener, port) = listenOnLoopback(waiting: 1)
      defer { close(listener) }
      let gateway = try OurGateway(["port": .uint16(port)], on: witness.owner, server: witness.server)
      let begun = ContinuousClock.now
      let refusal = try gateway.refusal(.Connection, "Connect")
      #expect(refusal?.name == "org.nightcloak.Presence1.Error.TimedOut", "\(String(describing: refusal))")
      #expect(ContinuousClock.now - begun < .seconds(20))
      #expect(try gateway.get(.Connection, "Status").text == "disconnected")
    }
  }

  @Test(
    "A server that restarts is found again, and who saw an address is shown it again or told that it is gone",
    arguments: XMPPServer.Family.allCases)
  func restart(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let server = try XMPPServer(family)
      defer { try? server.stop() }
      try server.addAccount("juliet", password: "secret")
      func login() throws -> RawClient {
        let client = try RawClient.login(
          name: "juliet", port: server.clientPort, user: "juliet", password: "secret", resource: "balcony")
        try client.send("<presence/>")
        try client.ping()
        return client
      }
      let gateway = try OurGateway(on: witness.owner, server: server)
      try gateway.call(.Connection, "Connect")
      try gateway.setPolicy("allow")
      let juliet = try login()
      try juliet.askToDecloak(romeo)
      try juliet.expectShown(romeo)
      try server.stop()
      try witness.owner.wait(for: "the loss to be seen") {
        (try? gateway.get(.Connection, "Status").text) == "waiting"
      }
      try server.startAgain()
      let back = try login()
      try gateway.call(.Connection, "Connect")
      #expect(try gateway.get(.Connection, "Status").text == "connected")
      let last = try back.expect("to be told", from: 0) { $0.name == "presence" && $0["from"] == romeo }.node["type"]
      let isSession = try gateway.list(.Decloak, "ListSessions").contains { $0["Jid"]?.text == back.jid }
      #expect(isSession == (last == nil), "she is told what holds")
      try back.askToDecloak(romeo)
      try back.expectShown(romeo)
    }
  }

  @Test("After a crash whoever saw an address is told that it is gone, or sees it again")
  func crash() async throws {
    try await Witness.run(withDaemon: false) { witness in
      let state = try TemporaryDirectory()
      let first = try DaemonProcess(on: witness.bus, stateDirectory: state.path)
      let juliet = try witness.asker("juliet")
      let gateway = try OurGateway(on: witness.owner, server: witness.server)
      try gateway.call(.Connection, "Connect")
      try gateway.setPolicy("allow")
      try gateway.setRule("to:*%shakespeare.lit@sip.localhost", "allow")
      try juliet.askToDecloak(romeo)
      try juliet.expectShown(romeo)
      try first.process.end(with: SIGKILL, within: .seconds(5))
      let mark = juliet.received.count
      let second = try DaemonProcess(on: witness.bus, stateDirectory: state.path)
      let again = try OurGateway(on: witness.owner, server: witness.server)
      #expect(try again.get(.Decloak, "Policy") == .string("allow"))
      #expect(try again.get(.Decloak, "Rules").keys == ["to:*%shakespeare.lit@sip.localhost"])
      try again.call(.Connection, "Connect")
      try juliet.expect("to be told", from: mark) { $0.name == "presence" && $0["from"] == romeo }
      try second.terminate()
    }
  }
}

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
    "A secret that was changed meanwhile is told, and tried no more; with the new one who saw an address is told",
    arguments: XMPPServer.Family.allCases)
  func changedSecret(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let proxy = try FaultProxy(to: witness.server.componentPort)
      defer { proxy.stop() }
      let gateway = try witness.gateway("allow", ["port": .uint16(proxy.port)])
      let juliet = try witness.asker("juliet")
      try juliet.askToDecloak(romeo)
      try juliet.expectShown(romeo)
      proxy.intercept(
        Interception(
          .never,
          change: Interception.changing(.toServer, "<handshake") { $0.replacing("<handshake>", with: "<handshake>0") }))
      proxy.cut(.reset)
      try witness.owner.wait(for: "it to give up") {
        (try? gateway.get(.Connection, "Status").text) == "disconnected"
      }
      #expect(try gateway.get(.Connection, "StatusReason").text.contains("password"))
      let refusal = try gateway.refusal(.Connection, "Connect")
      #expect(refusal?.name == "org.nightcloak.Presence1.Error.AuthenticationFailed", "\(String(describing: refusal))")
      let connections = proxy.connections
      proxy.intercept(nil)
      // The next one is a person's doing.
      #expect(try gateway.get(.Connection, "Status").text == "disconnected" && proxy.connections == connections)
      try gateway.call(.Connection, "Connect")
      try juliet.expectGone(romeo)
    }
  }

  @Test(
    "A domain that the server does not know is told, and not tried again",
    arguments: [XMPPServer.Family.prosody, .ejabberd, .loopback])
  func unknown(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      try witness.takeInterest()
      let gateway = try BusAccount(
        "nowhere.localhost", on: witness.owner,
        [
          "protocol": .string("xmpp-component"), "password": .string(XMPPServer.componentSecret),
          "server": .string("127.0.0.1"), "port": .uint16(witness.server.componentPort), "autoconnect": .bool(true),
        ])
      try witness.owner.wait(for: "it to give up") { (try? gateway.get("Status")?.text) == "disconnected" }
      let reason = try gateway.get("StatusReason")?.text
      #expect(reason?.contains("nowhere.localhost") == true && reason?.contains("next try") == false, "\(reason ?? "")")
    }
  }

  @Test("A connection that breaks at any byte of the log-in is told of at once, and the next one goes well")
  func cuts() async throws {
    try await Witness.run(on: .loopback) { witness in
      let proxy = try FaultProxy(to: witness.server.componentPort)
      defer { proxy.stop() }
      let gateway = try OurGateway(["port": .uint16(proxy.port)], on: witness.owner, server: witness.server)
      try gateway.call(.Connection, "Connect")
      let passed = [proxy.passed(.toServer), proxy.passed(.toClient)]
      try gateway.call(.Connection, "Disconnect")
      var refusals = 0
      for (direction, bytes) in zip([FaultProxy.Direction.toServer, .toClient], passed) {
        #expect(bytes > 100, "there is something to be cut")
        for manner in FaultProxy.Manner.allCases {
          // Each byte of the header and the handshake, and some of the pings that follow.
          for count in Array(0..<min(250, bytes)) + Array(stride(from: 250, to: bytes, by: 97)) {
            proxy.setFault(.cut(after: count, direction, manner))
            let refusal = try gateway.refusal(.Connection, "Connect")
            let isTold = ["NetworkError", "ServerRefused"].contains(
              refusal?.name.split(separator: ".").last.map(String.init))
            // What breaks behind the last ping that was waited for is another break.
            #expect(isTold || refusal == nil, "\(count): \(String(describing: refusal))")
            if refusal != nil { refusals += 1 }
            if refusal == nil { try gateway.call(.Connection, "Disconnect") }
          }
        }
      }
      #expect(refusals > 400, "most of them broke it")
      proxy.setFault(.none)
      try gateway.call(.Connection, "Connect")
      let juliet = try witness.asker("juliet")
      try gateway.setPolicy("allow")
      try juliet.askToDecloak(romeo)
      try juliet.expectShown(romeo)
    }
  }

  @Test("A domain that another program has is told; the other one goes on")
  func taken() async throws {
    try await Witness.run { witness in
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

  @Test("A program that takes the domain from us is told of, and not driven away at once")
  func takenAway() async throws {
    try await Witness.run(on: .loopback) { witness in
      let gateway = try witness.gateway("off")
      let other = try witness.component()
      try witness.owner.wait(for: "the loss to be seen") {
        (try? gateway.get(.Connection, "Status").text) == "waiting"
      }
      let reason = try gateway.get(.Connection, "StatusReason").text
      #expect(reason.contains("Another program connected as sip.localhost and took its place"), "\(reason)")
      try other.ping()
      #expect(try gateway.get(.Connection, "Status").text == "waiting")
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

  @Test("A server that restarts is found again", arguments: XMPPServer.Family.allCases)
  func restart(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let server = try XMPPServer(family)
      defer { try? server.stop() }
      try server.addAccount("juliet", password: "secret")
      let gateway = try OurGateway(on: witness.owner, server: server)
      try gateway.call(.Connection, "Connect")
      try gateway.setPolicy("allow")
      func ask() throws {
        let juliet = try RawClient.login(name: "juliet", port: server.clientPort, user: "juliet", password: "secret")
        try juliet.send("<presence/>")
        try juliet.askToDecloak(romeo)
        try juliet.expectShown(romeo)
      }
      try ask()
      try server.stop()
      try witness.owner.wait(for: "the loss to be seen") {
        (try? gateway.get(.Connection, "Status").text) == "waiting"
      }
      try server.startAgain()
      try gateway.call(.Connection, "Connect")
      #expect(try gateway.get(.Connection, "Status").text == "connected")
      try ask()
    }
  }

  @Test(
    "Once a lost connection is back, whoever saw an address is shown it again or told that it is gone",
    arguments: XMPPServer.Family.allCases)
  func lost(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let proxy = try FaultProxy(to: witness.server.componentPort)
      let gateway = try witness.gateway("allow", ["port": .uint16(proxy.port)])
      let juliet = try witness.asker("juliet")
      try juliet.askToDecloak(romeo)
      try juliet.expectShown(romeo)
      let mark = juliet.received.count
      proxy.cut(.reset)
      let last = try juliet.expect("to be told", from: mark) { $0.name == "presence" && $0["from"] == romeo }.node
      let isSession = try gateway.sessions().contains { $0["Jid"]?.text == juliet.jid }
      #expect(isSession == (last["type"] == nil), "she is told what holds")
      #expect(try gateway.get(.Connection, "Status").text == "connected")
      proxy.stop()
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

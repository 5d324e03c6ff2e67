// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Two daemons that serve one domain, behind a server that divides those who ask among them.
@Suite("Two gateways of one domain", .serialized, .timeLimit(.minutes(15)))
struct GatewayBalancedTests {
  @Test("They answer as one: whoever asks has to do with one of them alone, and each has its share")
  func asOne() async throws {
    try await Witness.run(on: .ejabberd, withDaemon: false) { witness in
      let server = try XMPPServer(.ejabberd, settings: ["BALANCED": "2"])
      defer { try? server.stop() }
      let buses = [witness.bus, try PrivateBus()]
      let daemons = try buses.map { try DaemonProcess(on: $0) }
      let owners = [witness.owner, try buses[1].connect()]
      let gateways = try owners.map { owner in
        let gateway = try OurGateway(["balanced": .bool(true)], on: owner, server: server)
        try gateway.call(.Connection, "Connect")
        try gateway.setPolicy("allow")
        #expect(try gateway.get(.Visibility, "Degraded") == .strings(["no-subscriptions"]))
        return gateway
      }
      let addresses = ["romeo%shakespeare.lit", "+15551234", "mercutio\\40shakespeare.lit"].map(OurGateway.address)
      var people: [RawClient] = []
      for number in 0..<12 {
        let user = "asker\(number)"
        try server.addAccount(user, password: "secret")
        let person = try RawClient.login(name: user, port: server.clientPort, user: user, password: "secret")
        try person.send("<presence/>")
        for address in addresses {
          try person.askToDecloak(address)
          #expect(try person.expectShown(address).isMinimalPresence)
          let info = try person.iq("get", to: address, "<query xmlns='http://jabber.org/protocol/disco#info'/>")
          #expect(info["type"] == "result", "whoever is shown an address is answered by the same one")
        }
        people.append(person)
      }
      let askers = try gateways.map { gateway in
        try gateway.sessions().compactMap { $0["Jid"]?.text }
      }
      #expect(askers.map(\.count).reduce(0, +) == people.count * addresses.count)
      #expect(Set(askers[0]).isDisjoint(with: askers[1]))
      #expect(askers.allSatisfy { !$0.isEmpty }, "\(askers)")
      // What one of them ends, it ends for its own.
      try gateways[0].call(.Decloak, "Revoke", [.string("")])
      for person in people where askers[0].contains(person.jid) {
        try gateways[0].fence(person)
        for address in addresses { #expect(person.presences(of: address) == ["", "unavailable"]) }
      }
      for person in people where askers[1].contains(person.jid) {
        try person.ping()
        for address in addresses { #expect(person.presences(of: address) == [""]) }
      }
      for daemon in daemons { #expect(try daemon.terminate() == .status(0)) }
    }
  }
}

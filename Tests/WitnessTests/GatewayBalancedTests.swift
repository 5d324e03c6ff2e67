// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Two daemons that serve one domain, behind a server that divides those who ask among them.
@Suite("Two gateways of one domain", .serialized, .timeLimit(.minutes(15)))
struct GatewayBalancedTests {
  /// One of the programs that serve the domain.
  private struct House {
    let bus: PrivateBus
    let daemon: DaemonProcess
    let gateway: OurGateway

    init(_ server: XMPPServer, policy: String, connecting: Bool = true) throws {
      bus = try PrivateBus()
      daemon = try DaemonProcess(on: bus)
      gateway = try OurGateway(["balanced": .bool(true)], on: try bus.connect(), server: server)
      if connecting { try gateway.call(.Connection, "Connect") }
      try gateway.setPolicy(policy)
    }
  }

  private func withServer(_ story: @escaping @Sendable (XMPPServer) throws -> Void) async throws {
    try await Witness.run(on: .ejabberd, withDaemon: false) { _ in
      let server = try XMPPServer(.ejabberd, settings: ["BALANCED": "2"])
      defer { try? server.stop() }
      try story(server)
    }
  }

  private func person(_ user: String, _ server: XMPPServer, resource: String? = nil) throws -> RawClient {
    let person = try RawClient.login(
      name: user, port: server.clientPort, user: user, password: "secret", resource: resource)
    try person.send("<presence/>")
    try person.ping()
    person.passAll()
    return person
  }

  private func people(_ count: Int, _ server: XMPPServer) throws -> [RawClient] {
    try (0..<count).map { number in
      try server.addAccount("asker\(number)", password: "secret")
      return try person("asker\(number)", server)
    }
  }

  private let romeo = OurGateway.address("romeo%shakespeare.lit")

  @Test("They answer as one: whoever asks has to do with one of them alone, and each has its share")
  func asOne() async throws {
    try await withServer { server in
      let houses = try (0..<2).map { _ in try House(server, policy: "allow") }
      for house in houses {
        #expect(try house.gateway.get(.Visibility, "Degraded") == .strings(["no-subscriptions"]))
      }
      let addresses = ["romeo%shakespeare.lit", "+15551234", "mercutio\\40shakespeare.lit"].map(OurGateway.address)
      let people = try people(12, server)
      for person in people {
        for address in addresses {
          try person.askToDecloak(address)
          #expect(try person.expectShown(address).isMinimalPresence)
          let info = try person.iq("get", to: address, "<query xmlns='http://jabber.org/protocol/disco#info'/>")
          #expect(info["type"] == "result", "whoever is shown an address is answered by the same one")
        }
      }
      let askers = try houses.map { house in try house.gateway.sessions().compactMap { $0["Jid"]?.text } }
      #expect(askers.map(\.count).reduce(0, +) == people.count * addresses.count)
      #expect(Set(askers[0]).isDisjoint(with: askers[1]))
      #expect(askers.allSatisfy { !$0.isEmpty }, "\(askers)")
      // What one of them ends, it ends for its own.
      try houses[0].gateway.call(.Decloak, "Revoke", [.string("")])
      for person in people where askers[0].contains(person.jid) {
        try houses[0].gateway.fence(person)
        for address in addresses { #expect(person.presences(of: address) == ["", "unavailable"]) }
      }
      for person in people where askers[1].contains(person.jid) {
        try person.ping()
        for address in addresses { #expect(person.presences(of: address) == [""]) }
      }
      for house in houses { #expect(try house.daemon.terminate() == .status(0)) }
    }
  }

  @Test("Whichever of them is asked answers for a hidden address as the server does for a user that there is not")
  func hidden() async throws {
    try await withServer { server in
      let houses = try (0..<2).map { _ in try House(server, policy: "off") }
      func answer(_ address: String, to person: RawClient, _ more: String) throws -> String {
        let id = person.nextID()
        try person.send("<iq type='get' to='\(address)' id='\(id)'\(more)><what xmlns='urn:example:unknown'/></iq>")
        let answer = try person.expect("an answer") { $0["id"] == id }.node.canonical
        return answer.replacing(address, with: "ADDRESS").replacing(person.jid, with: "ASKER").replacing(id, with: "ID")
      }
      for person in try people(8, server) {
        for resource in ["", "/x"] {
          for more in ["", " xml:lang='de'"] {
            let absent = try answer("nobody@localhost\(resource)", to: person, more)
            #expect(try answer(romeo + resource, to: person, more) == absent, "leak: \(person.name)")
          }
        }
      }
      for house in houses { #expect(try house.gateway.get(.Connection, "Status").text == "connected") }
    }
  }

  @Test("What is asked waits at one of them, which alone can answer; no subscription is taken by either")
  func requests() async throws {
    try await withServer { server in
      let houses = try (0..<2).map { _ in try House(server, policy: "ask") }
      let people = try people(8, server)
      let others = try people.map { try person($0.name, server, resource: "other") }
      for person in people + others {
        try person.askToDecloak(romeo)
        try person.send("<presence type='subscribe' to='\(romeo)'/>")
        try houses[0].gateway.fence(person)
      }
      let lists = try houses.map { try $0.gateway.list(.Decloak, "ListRequests") }
      let contacts = lists.map { $0.compactMap { $0["Contact"]?.text } }
      #expect((contacts[0] + contacts[1]).sorted() == people.map(\.bare).sorted(), "one for each, at one of them")
      let counts = (lists[0] + lists[1]).map { $0["Count"] }
      #expect(counts.allSatisfy { $0 == .variant(.uint32(2)) }, "with all resources: \(counts)")
      let id = lists[0].first?["Id"]?.text ?? ""
      let approval: [BusValue] = [.string(id), .string("once"), .options()]
      let refusal = try houses[1].gateway.refusal(.Decloak, "Approve", approval)
      #expect(refusal?.name == "org.nightcloak.Presence1.Error.NoSuchRequest")
      #expect(refusal?.text.contains("another program") == true, "\(String(describing: refusal))")
      try houses[0].gateway.call(.Decloak, "Approve", approval)
      for person in people + others {
        if person.bare == contacts[0].first { try person.expectShown(romeo) }
        try houses[0].gateway.fence(person)
        #expect(person.presences(of: romeo) == (person.bare == contacts[0].first ? [""] : []))
      }
      for house in houses {
        #expect(try house.gateway.list(.Connection, "ListSubscriptionRequests").isEmpty)
        #expect(house.daemon.log.split(separator: "\n").count { $0.contains("subscriptions") } == 1)
      }
    }
  }

  @Test(
    "One more than there is room for is told so, and takes over when one has gone")
  func third() async throws {
    try await withServer { server in
      let houses = try (0..<2).map { _ in try House(server, policy: "allow") }
      let people = try people(8, server)
      func areAllServed() throws {
        for person in people { try person.iq("get", to: OurGateway.nobody, "<ping xmlns='urn:xmpp:ping'/>") }
      }
      let third = try House(server, policy: "allow", connecting: false)
      let refusal = try third.gateway.refusal(.Connection, "Connect")
      #expect(refusal?.text.contains("as many other programs are connected") == true, "\(String(describing: refusal))")
      try areAllServed()
      try houses[0].gateway.call(.Connection, "Disconnect")
      try third.gateway.call(.Connection, "Connect")
      try areAllServed()
      try third.daemon.terminate()
      try houses[0].gateway.call(.Connection, "Connect")
      try areAllServed()
      for person in people {
        try person.askToDecloak(romeo)
        try person.expectShown(romeo)
      }
    }
  }
}

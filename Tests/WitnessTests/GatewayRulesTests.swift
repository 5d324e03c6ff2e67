// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Who is shown which address of a gateway (XEP-0276 §8), and that the others cannot tell whether there is one.
@Suite("Rules of the gateway", .serialized, .timeLimit(.minutes(15)))
struct GatewayRulesTests {
  private let romeo = OurGateway.address("romeo%shakespeare.lit")
  private let mercutio = OurGateway.address("mercutio%shakespeare.lit")

  /// Asks, and sees whether an answer comes before that to a question that is asked behind it.
  private func isShown(_ address: String, to client: RawClient, by gateway: OurGateway) throws -> Bool {
    let mark = client.received.count
    try client.askToDecloak(address)
    try gateway.fence(client)
    return client.presences(of: address, since: mark) == [""]
  }

  /// Takes all back, so that the next question is a first one.
  private func end(_ gateway: OurGateway, _ client: RawClient) throws {
    try gateway.call(.Decloak, "Revoke", [.string("")])
    try gateway.fence(client)
  }

  @Test("Off and rules are silent about those of whom nothing is said; a rule about the asker or its domain decides")
  func policies() async throws {
    try await Witness.run { witness in
      let gateway = try witness.gateway("off")
      let juliet = try witness.asker("juliet")
      #expect(try !isShown(romeo, to: juliet, by: gateway))
      #expect(try gateway.list(.Decloak, "ListDecisions", [.string(""), .uint64(0), .options()]).isEmpty)
      try gateway.setPolicy("rules")
      #expect(try !isShown(romeo, to: juliet, by: gateway))
      try gateway.setRule("@localhost", "allow")
      #expect(try isShown(romeo, to: juliet, by: gateway))
      try end(gateway, juliet)
      try gateway.setPolicy("allow")
      try gateway.setRule(juliet.bare, "deny")
      #expect(try !isShown(romeo, to: juliet, by: gateway))
      #expect(try gateway.pending().isEmpty)
    }
  }

  @Test("Once there is a rule about addresses, those without one are hidden, whatever the asker's rule says")
  func targets() async throws {
    try await Witness.run { witness in
      let gateway = try witness.gateway("allow")
      let juliet = try witness.asker("juliet")
      #expect(try isShown(mercutio, to: juliet, by: gateway))
      try witness.step("a rule for one hides the other") {
        try gateway.setRule("to:romeo%*@sip.localhost", "allow")
        try juliet.expectGone(mercutio)
      }
      try gateway.setRule(juliet.bare, "allow")
      #expect(try !isShown(mercutio, to: juliet, by: gateway))
      #expect(try isShown(romeo, to: juliet, by: gateway))
      try end(gateway, juliet)
      try gateway.setRule("to:romeo%shakespeare.lit@sip.localhost", "deny")
      for spelling in ["romeo%shakespeare.lit", "romeo\\40shakespeare.lit", "ROMEO%Shakespeare.lit"] {
        #expect(try !isShown(OurGateway.address(spelling), to: juliet, by: gateway), "\(spelling)")
      }
      #expect(
        Set(try gateway.get(.Decloak, "Rules").keys) == [
          "to:romeo%*@sip.localhost", "to:romeo%shakespeare.lit@sip.localhost", juliet.bare,
        ])
      let foreign = try gateway.refusal(.Decloak, "SetRule", [.string("to:*@localhost"), .string("allow")])
      #expect(foreign?.name == "org.freedesktop.DBus.Error.InvalidArgs")
      let account = try witness.account("tybalt")
      #expect {
        try account.call(.Decloak, "SetRule", [.string("to:*"), .string("allow")])
      } throws: {
        ($0 as? RawBus.Refusal)?.name == "org.freedesktop.DBus.Error.InvalidArgs"
      }
    }
  }

  @Test("Under ask a program on the bus says whom there is to call; with nobody watching nothing is sent")
  func asking() async throws {
    try await Witness.run { witness in
      let gateway = try witness.gateway("ask")
      let juliet = try witness.asker("juliet")
      #expect(try !isShown(romeo, to: juliet, by: gateway))
      #expect(try !isShown(mercutio, to: juliet, by: gateway))
      #expect(try gateway.pending() == ["\(juliet.jid) \(romeo)", "\(juliet.jid) \(mercutio)"])
      #expect(try gateway.get(.Decloak, "PendingRequests") == .uint32(2))
      let ids = try gateway.list(.Decloak, "ListRequests").map { $0["Id"]?.text ?? "" }
      try witness.step("one is there, the other is not") {
        try gateway.call(.Decloak, "Deny", [.string(ids[1]), .string("once"), .options()])
        try gateway.call(.Decloak, "Approve", [.string(ids[0]), .string("once"), .options()])
        try juliet.expectShown(romeo)
      }
      let resolved = try ["denied", "approved"].map { outcome in
        let signal = try witness.owner.expectSignal("RequestResolved").arguments
        #expect(signal[1].text == outcome)
        return signal[2]["Target"]?.text
      }
      #expect(resolved == [mercutio, romeo])
      try gateway.fence(juliet)
      #expect(juliet.presences(of: mercutio).isEmpty)
      try witness.step("a yes to the asker holds for all addresses") {
        #expect(try !isShown(OurGateway.address("+15551234"), to: juliet, by: gateway))
        let id = try gateway.list(.Decloak, "ListRequests")[0]["Id"]?.text ?? ""
        try gateway.call(.Decloak, "Approve", [.string(id), .string("contact"), .options()])
        try juliet.expectShown(OurGateway.address("+15551234"))
      }
      #expect(try isShown(OurGateway.address("+15555678"), to: juliet, by: gateway))
    }
  }

  @Test("What would tell somebody outside that an address is there is refused, unless the call says that it may")
  func revealing() async throws {
    try await Witness.run { witness in
      let gateway = try witness.gateway("allow")
      let stranger = try witness.asker("stranger")
      let question: [BusValue] = [.string(stranger.jid), .string("get"), .string("<x xmlns='u'/>")]
      let message: [BusValue] = [.string(stranger.jid), .string("chat"), .string("<body>psst</body>")]
      for (member, arguments) in [("SendIQ", question), ("SendMessage", message)] {
        let refusal = try gateway.refusal(.Stanzas, member, arguments + [.options(["from": .string(romeo)])])
        #expect(refusal?.name == "org.nightcloak.Presence1.Error.WouldReveal", "\(member)")
      }
      try gateway.fence(stranger)
      #expect(!stranger.received.contains { $0.node["from"] == romeo }, "leak: \(stranger.received.map(\.raw))")
      try gateway.call(
        .Stanzas, "SendMessage", message + [.options(["from": .string(romeo), "reveal": .bool(true)])])
      try stranger.expect("what was meant") { $0.name == "message" && $0["from"] == romeo }
    }
  }
}

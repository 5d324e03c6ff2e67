// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// The object of a gateway: the same interfaces as an account's, without what a gateway has not got.
@Suite("A gateway on the bus", .serialized, .timeLimit(.minutes(15)))
struct GatewayInterfaceTests {
  private let invalid = "org.freedesktop.DBus.Error.InvalidArgs"

  @Test("It is found below its owner, tells what it is, and is seen by nobody else")
  func object() async throws {
    try await Witness.run { witness in
      let gateway = try OurGateway(on: witness.owner, server: witness.server)
      #expect(gateway.path.hasSuffix("/sip_2elocalhost"))
      let protocols = try witness.owner.call(
        DaemonProcess.busName, "/org/nightcloak/Presence1", "org.freedesktop.DBus.Properties", "Get",
        [.string("org.nightcloak.Presence1.Manager"), .string("Protocols")])
      #expect(protocols == [.variant(.strings(["xmpp", "xmpp-component"]))])
      let before = try ["Account", "Jid", "Protocol", "Status"].map { try gateway.get(.Connection, $0).text }
      #expect(before == ["sip.localhost", "", "xmpp-component", "disconnected"])
      #expect(try gateway.get(.Visibility, "Supported").list.isEmpty)
      try gateway.call(.Connection, "Connect")
      #expect(try gateway.get(.Connection, "Jid").text == "sip.localhost")
      #expect(try gateway.get(.Connection, "Security")["Tls"]?.text == "none")
      #expect(try gateway.get(.Visibility, "Mechanism").text == "directed")
      #expect(try gateway.get(.Visibility, "Supported") == .strings(["directed"]))
      #expect(try gateway.get(.Visibility, "Degraded").list.isEmpty)
      #expect(try gateway.get(.Decloak, "Policy").text == "off")
      let strange = try witness.eavesdropper.message(
        answering: witness.eavesdropper.begin(
          DaemonProcess.busName, gateway.path, "org.nightcloak.Presence1.Connection", "Disconnect", []))
      #expect(strange.error == "org.freedesktop.DBus.Error.UnknownObject")
      #expect(throws: RawBus.Refusal.self) { try OurGateway(on: witness.owner, server: witness.server) }
    }
  }

  @Test("Whoever sees an address in a session is told of by the bare JID, too")
  func canSee() async throws {
    try await Witness.run { witness in
      let gateway = try witness.gateway("allow")
      let juliet = try witness.asker("juliet")
      let bare = String(juliet.jid.prefix { $0 != "/" })
      #expect(try gateway.call(.Visibility, "CanSee", [.string(bare)]) == [.bool(false), .string("no-subscription")])
      try juliet.askToDecloak(OurGateway.address("romeo%shakespeare.lit"))
      try gateway.fence(juliet)
      for jid in [bare, juliet.jid] {
        #expect(try gateway.call(.Visibility, "CanSee", [.string(jid)]) == [.bool(true), .string("session")])
      }
      #expect(try gateway.call(.Visibility, "CanSee", [.string("\(bare)/other")]).first == .bool(false))
    }
  }

  @Test("What a gateway has not got is refused by name")
  func refused() async throws {
    try await Witness.run { witness in
      let server = witness.server
      for (key, value) in [
        ("resource", BusValue.string("r")), ("mechanism", .string("directed")), ("priority", .int16(1)),
      ] {
        #expect {
          _ = try OurGateway([key: value], on: witness.owner, server: server)
        } throws: {
          ($0 as? RawBus.Refusal)?.name == invalid && ($0 as? RawBus.Refusal)?.text.contains("\"\(key)\"") == true
        }
      }
      #expect {
        _ = try OurGateway(["protocol": .string("sip")], on: witness.owner, server: server)
      } throws: {
        ($0 as? RawBus.Refusal)?.name == "org.freedesktop.DBus.Error.NotSupported"
      }
      let gateway = try OurGateway(on: witness.owner, server: server)
      let away: [BusValue] = [.string("away"), .string("")]
      let refused: [(OurAccount.Interface, String, [BusValue], String)] = [
        (.Connection, "SetPresence", away + [.options(["priority": .int16(1)])], "\"priority\""),
        (.Connection, "ListRoster", [.options(["group": .string("Friends")])], "\"group\""),
        (.Connection, "DenySubscription", [.string("a@b"), .options(["target": .string("a@b")])], "\"target\""),
        (.Visibility, "ShowTo", [.strings(["group:Friends"])], "\"group:\""),
        (
          .Visibility, "SetVisibility", [.string("visible"), .strings([]), .options(["rebind": .bool(true)])],
          "\"rebind\""
        ),
        (.Stanzas, "AddHandler", [.strings(["u"]), .options(["messages": .string("yes")])], "\"messages\""),
      ]
      for (interface, member, arguments, word) in refused {
        let refusal = try gateway.refusal(interface, member, arguments)
        #expect(refusal?.name == invalid && refusal?.text.contains(word) == true, "\(String(describing: refusal))")
      }
    }
  }

  @Test("Who is to see it, policy and rules hold before the next connection, until they are forgotten")
  func kept() async throws {
    try await Witness.run { witness in
      let juliet = try witness.asker("juliet")
      let romeo = OurGateway.address("romeo%shakespeare.lit")
      func remove(_ gateway: OurGateway, forgetting: Bool) throws {
        try witness.owner.call(
          DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "RemoveConnection",
          [.path(gateway.path), .options(["forget": .bool(forgetting)])])
      }
      let first = try witness.gateway("allow", ["visibility": .string("invisible")])
      try first.setRule("@localhost", "allow")
      try juliet.askToDecloak(romeo)
      try first.fence(juliet)
      #expect(juliet.presences(of: romeo).isEmpty, "being invisible goes before every yes")
      #expect(try first.pending() == ["\(juliet.jid) \(romeo)"])
      try remove(first, forgetting: false)
      let second = try OurGateway(on: witness.owner, server: witness.server)
      #expect(try second.get(.Visibility, "Mode").text == "invisible")
      #expect(try second.get(.Decloak, "Policy").text == "allow")
      #expect(try second.get(.Decloak, "Rules").keys == ["@localhost"])
      try remove(second, forgetting: true)
      let third = try OurGateway(on: witness.owner, server: witness.server)
      #expect(try third.get(.Visibility, "Mode").text == "visible")
      #expect(try third.get(.Decloak, "Policy").text == "off")
    }
  }

  @Test("Where the components' port has TLS from the first byte it is used, and the certificate looked at")
  func directTLS() async throws {
    try await Witness.run(on: .ejabberd) { witness in
      let server = try XMPPServer(.ejabberd, settings: ["DIRECT": "yes"])
      defer { try? server.stop() }
      let direct: [String: BusValue] = ["tls": .string("direct")]
      func remove(_ gateway: OurGateway) throws {
        try witness.owner.call(
          DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "RemoveConnection",
          [.path(gateway.path), .options()])
      }
      let trusting = try OurGateway(
        direct.merging(["ca-file": .string(server.certificate)]) { $1 }, on: witness.owner, server: server)
      try trusting.call(.Connection, "Connect")
      #expect(try trusting.get(.Connection, "Security")["Tls"]?.text.hasPrefix("TLS") == true)
      try remove(trusting)
      let strict = try OurGateway(direct, on: witness.owner, server: server)
      #expect(
        try strict.refusal(.Connection, "Connect")?.name == "org.nightcloak.Presence1.Error.CertificateRejected")
      try remove(strict)
      let plain = try OurGateway(on: witness.owner, server: server)
      #expect(try plain.refusal(.Connection, "Connect") != nil)
    }
  }
}

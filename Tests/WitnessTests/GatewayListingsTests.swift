// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// The listings of XEP-0276 §5: somebody who has no XMPP account is asked for at a gateway, on the wire of each server.
@Suite("Listings of the gateway", .serialized, .timeLimit(.minutes(15)))
struct GatewayListingsTests {
  private static let info = "http://jabber.org/protocol/disco#info"
  private let romeo = OurGateway.address("romeo%shakespeare.lit")

  private func presence(_ address: String) -> (Node) -> Bool {
    { $0.name == "presence" && $0["from"] == address && $0["type"] == nil }
  }

  @Test(
    "Listings 4 and 5: the gateway answers at once for Romeo, and tells what it can do to Juliet alone",
    arguments: XMPPServer.Family.allCases)
  func listings(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let gateway = try witness.gateway("allow")
      let juliet = try witness.asker("juliet")
      let stranger = try witness.asker("stranger")
      let shown = try witness.step("Juliet asks") {
        try juliet.askToDecloak(romeo)
        return try juliet.expectShown(romeo)
      }
      #expect(shown.isMinimalPresence, "\(shown.canonical)")
      #expect(bareJID(shown["to"] ?? "") == juliet.bare)
      let told = try witness.owner.expectSignal("DecloakRequested").arguments
      #expect(told[1].text == juliet.jid && told[2].text == "media")
      #expect(told[3]["Automatic"]?.truth == true)
      #expect(told[3]["Target"]?.text == romeo && told[3]["Callee"]?.text == "romeo@shakespeare.lit")
      try witness.step("she finds out what the hash means") {
        let caps = shown.child("c")
        let node = "\(caps?["node"] ?? "")#\(caps?["ver"] ?? "")"
        let answer = try juliet.iq("get", to: romeo, "<query xmlns='\(Self.info)' node='\(node)'/>")
        #expect(answer["type"] == "result" && answer["from"] == romeo, "\(answer.canonical)")
        let query = try #require(answer.child("query"))
        #expect(query["node"] == node)
        let identity = query.children.first { $0.name == "identity" }
        #expect(identity?["category"] == "gateway" && identity?["type"] == "sip")
        let features = query.children.compactMap { $0["var"] }
        for feature in ["urn:xmpp:jingle:1", "urn:xmpp:jingle:apps:rtp:audio", "urn:xmpp:decloak:0"] {
          #expect(features.contains(feature), "\(features)")
        }
      }
      try witness.step("a stranger asks what Romeo can do") {
        let answer = try stranger.iq("get", to: romeo, "<query xmlns='\(Self.info)'/>")
        #expect(answer["type"] == "error", "\(answer.canonical)")
      }
      let session = try #require(gateway.sessions().first)
      #expect(session["Jid"]?.text == juliet.jid && session["Target"]?.text == romeo)
      #expect(session["Callee"]?.text == "romeo@shakespeare.lit")
      #expect(try gateway.call(.Visibility, "CanSee", [.string(juliet.jid)]) == [.bool(true), .string("session")])
      #expect(stranger.presences(of: romeo).isEmpty)
      try witness.step("it is taken back") {
        try gateway.call(.Decloak, "Revoke", [.string(juliet.bare)])
        try juliet.expectGone(romeo)
      }
      #expect(juliet.presences(of: romeo) == ["", "unavailable"])
      let decisions = try gateway.list(.Decloak, "ListDecisions", [.string(""), .uint64(0), .options()])
      #expect(decisions.map { $0["Target"]?.text } == [romeo] && decisions[0]["DecidedBy"]?.text == "policy")
      #expect(decisions[0]["Callee"]?.text == "romeo@shakespeare.lit")
    }
  }

  @Test(
    "A call goes through a bridge on the bus, which alone is told whom it is for",
    arguments: XMPPServer.Family.allCases)
  func bridge(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let (jingle, files) = ("urn:xmpp:jingle:1", "urn:xmpp:jingle:apps:file-transfer:5")
      let gateway = try witness.gateway("allow")
      let juliet = try witness.asker("juliet")
      var bridge: RawBus? = try witness.bus.connect()
      let handled: [BusValue] = [.strings([jingle, files]), .options(["whole": .bool(true)])]
      try gateway.call(.Stanzas, "AddHandler", handled, by: bridge)
      let call = "<jingle xmlns='\(jingle)' action='session-initiate' sid='a'/>"
      try witness.step("Juliet is shown Romeo") {
        let early = try juliet.iq("set", to: romeo, call)
        #expect(early["type"] == "error", "from outside a question is not the bridge's")
        try juliet.askToDecloak(romeo)
        try juliet.expectShown(romeo)
      }
      func features() throws -> [String] {
        try juliet.iq("get", to: romeo, "<query xmlns='\(Self.info)'/>").child("query")?.children
          .compactMap { $0["var"] } ?? []
      }
      #expect(try features().contains(files))
      try witness.step("she calls him, and the bridge answers") {
        guard let bridge else { return }
        try juliet.send("<iq type='set' id='call' to='\(romeo)'>\(call)</iq>")
        let asked = try bridge.expectSignal("IQReceived")
        #expect(asked.destination == bridge.name, "the signal is unicast")
        #expect(asked.arguments.dropFirst().prefix(2).map(\.text) == [juliet.jid, "set"])
        let whole = try #require(Node(asked.arguments[3].text))
        #expect(whole.name == "iq" && whole["to"] == romeo && whole.child("jingle", jingle)?["sid"] == "a")
        try gateway.call(.Stanzas, "AnswerIQ", [asked.arguments[0], .string("result"), .string("")], by: bridge)
        let answer = try juliet.expect("the answer") { $0["id"] == "call" }.node
        #expect(answer["type"] == "result" && answer["from"] == romeo)
      }
      try witness.step("he picks up") {
        let accept = "<jingle xmlns='\(jingle)' action='session-accept' sid='a'/>"
        let accepting = try gateway.begin(
          .Stanzas, "SendIQ",
          [.string(juliet.jid), .string("set"), .string(accept), .options(["from": .string(romeo)])], by: bridge)
        let accepted = try juliet.expect("the accept") { $0.child("jingle")?["action"] == "session-accept" }.node
        #expect(accepted["from"] == romeo)
        try juliet.send("<iq type='result' id='\(accepted["id"] ?? "")' to='\(romeo)'/>")
        #expect(try bridge?.finish(accepting) == [.string("")])
      }
      let nameless = try gateway.refusal(
        .Stanzas, "SendIQ", [.string(juliet.jid), .string("set"), .string(call), .options()])
      #expect(nameless?.name == "org.freedesktop.DBus.Error.InvalidArgs" && nameless?.text.contains("\"from\"") == true)
      let elsewhere = try gateway.refusal(
        .Stanzas, "SendMessage",
        [.string(juliet.jid), .string("chat"), .string("<body/>"), .options(["from": .string("a@localhost")])])
      #expect(elsewhere?.name == "org.freedesktop.DBus.Error.InvalidArgs")
      try witness.step("the bridge goes, and what it can do with it") {
        bridge = nil
        try juliet.expect("new capabilities", where: presence(romeo))
      }
      #expect(try !features().contains(files))
      try witness.step("she hangs up") {
        let answer = try juliet.iq("set", to: romeo, "<jingle xmlns='\(jingle)' action='session-terminate' sid='a'/>")
        #expect(answer["type"] == "error", "nobody handles it any more")
      }
    }
  }

  @Test("One gateway speaks for many, in each way that their addresses are written")
  func addresses() async throws {
    try await Witness.run { witness in
      let gateway = try witness.gateway("allow")
      let juliet = try witness.asker("juliet")
      for (local, callee) in [
        ("romeo%shakespeare.lit", "romeo@shakespeare.lit"), ("romeo\\40shakespeare.lit", "romeo@shakespeare.lit"),
        ("+15551234", "+15551234"),
      ] {
        try witness.step("Juliet asks for \(local)") {
          try juliet.askToDecloak(OurGateway.address(local))
          #expect(try juliet.expectShown(OurGateway.address(local)).isMinimalPresence)
        }
        let told = try witness.owner.expectSignal("DecloakRequested").arguments[3]
        #expect(told["Target"]?.text == OurGateway.address(local) && told["Callee"]?.text == callee)
      }
      #expect(try gateway.sessions().count == 3)
      func audience(_ options: KeyValuePairs<String, BusValue> = [:]) throws -> [String] {
        try gateway.list(.Visibility, "ListAudience", [.options(options)]).map {
          "\($0["Jid"]?.text ?? "") \($0["Target"]?.text ?? "")"
        }
      }
      let shown = try audience()
      #expect(shown.count == 3 && shown == shown.sorted())
      #expect(try audience(["limit": .uint32(2)]) == Array(shown.prefix(2)))
      #expect(try audience(["after": .string(shown[1])]) == [shown[2]])
    }
  }
}

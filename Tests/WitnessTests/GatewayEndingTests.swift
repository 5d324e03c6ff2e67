// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// How long somebody sees an address of a gateway: sessions and subscriptions, and how both end. Nothing is left to the
/// server, which cleans up behind clients but not behind components.
@Suite("Endings at the gateway", .serialized, .timeLimit(.minutes(15)))
struct GatewayEndingTests {
  private let romeo = OurGateway.address("romeo%shakespeare.lit")
  private let mercutio = OurGateway.address("mercutio%shakespeare.lit")

  private func types(_ client: RawClient, since mark: Int = 0) -> [String] { client.presences(of: romeo, since: mark) }

  @Test(
    "A session ends with unavailable: by policy, invisibility, its lifetime and disconnecting",
    arguments: XMPPServer.Family.allCases)
  func sessions(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let gateway = try witness.gateway("allow")
      let juliet = try witness.asker("juliet")
      func ends(_ what: String, _ cause: String, _ end: () throws -> Void, again: () throws -> Void) throws {
        try witness.step(what) {
          try juliet.askToDecloak(romeo)
          try juliet.expectShown(romeo)
          witness.owner.passAll()
          try end()
          try juliet.expectGone(romeo)
          let ended = try witness.owner.expectSignal("SessionEnded").arguments.map(\.text)
          #expect(ended == [juliet.bare, "they-see-me", cause], "\(what)")
          try again()
        }
        #expect(try gateway.sessions().isEmpty)
      }
      try ends("off", "revoked") {
        try gateway.setPolicy("off")
      } again: {
        try gateway.setPolicy("allow")
      }
      try ends("invisible", "hidden") {
        try gateway.call(.Visibility, "SetInvisible")
      } again: {
        try gateway.call(.Visibility, "SetVisible")
      }
      try ends("hidden from her", "hidden") {
        try gateway.call(.Visibility, "HideFrom", [.strings([juliet.bare])])
      } again: {
        try gateway.call(.Visibility, "SetVisible")
      }
      try ends("a denied address", "revoked") {
        try gateway.setRule("to:romeo%*@sip.localhost", "deny")
      } again: {
        try gateway.setRule("to:romeo%*@sip.localhost", "")
      }
      try ends("a denied asker", "revoked") {
        try gateway.setRule(juliet.bare, "deny")
      } again: {
        try gateway.setRule(juliet.bare, "")
      }
      try ends("disconnecting", "disconnected") {
        try gateway.call(.Connection, "Disconnect")
      } again: {
        try gateway.call(.Connection, "Connect")
      }
      try witness.step("its time is over") {
        try gateway.setPolicy("ask")
        try juliet.askToDecloak(romeo)
        try gateway.fence(juliet)
        let id = try gateway.list(.Decloak, "ListRequests")[0]["Id"]?.text ?? ""
        let options: BusValue = .options(["lifetime": .uint32(1), "full": .bool(true)])
        try gateway.call(.Decloak, "Approve", [.string(id), .string("once"), options])
        try juliet.expectShown(romeo)
        try juliet.expectGone(romeo)
      }
    }
  }

  @Test(
    "Whoever leaves is told nothing more, and the session is over", arguments: XMPPServer.Family.allCases)
  func leaving(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let gateway = try witness.gateway("allow")
      let juliet = try witness.asker("juliet")
      for (what, leave) in [
        ("to him alone", "<presence type='unavailable' to='\(romeo)'/>"),
        ("to everybody", "<presence type='unavailable'/>"),
      ] {
        try witness.step("Juliet goes offline \(what)") {
          try juliet.send("<presence/>")
          try juliet.askToDecloak(romeo)
          try juliet.expectShown(romeo)
          witness.owner.passAll()
          let mark = juliet.received.count
          try juliet.send(leave)
          #expect(try witness.owner.expectSignal("SessionEnded").arguments[2].text == "peer-left")
          #expect(try gateway.sessions().isEmpty)
          try gateway.fence(juliet)
          #expect(types(juliet, since: mark).isEmpty)
        }
      }
    }
  }

  @Test(
    "An address is shown unasked, and asks others, where a call says for which", arguments: XMPPServer.Family.allCases)
  func sharing(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let gateway = try witness.gateway("off")
      let juliet = try witness.asker("juliet")
      let from = BusValue.options(["from": .string(romeo)])
      try witness.step("shared") {
        let nameless = try gateway.refusal(.Decloak, "Share", [.string(juliet.jid), .options()])
        #expect(
          nameless?.name == "org.freedesktop.DBus.Error.InvalidArgs" && nameless?.text.contains("\"from\"") == true)
        try gateway.call(.Decloak, "Share", [.string(juliet.jid), from])
        #expect(try juliet.expectShown(romeo).isMinimalPresence)
        try gateway.call(.Decloak, "Revoke", [.string(juliet.bare)])
        try juliet.expectGone(romeo)
      }
      try witness.step("asked") {
        let asked = try gateway.call(.Decloak, "RequestDecloak", [.string(juliet.bare), .string("media"), from])
        let question = try juliet.expect("the question") { $0["from"] == romeo && $0.child("decloak") != nil }.node
        #expect(question.isMinimalPresence, "\(question.canonical)")
        try juliet.send("<presence to='\(romeo)'/>")
        // jabberd2 answers this itself, in everybody's name.
        let isReached = family != .jabberd2
        if isReached {
          let info = try juliet.expect("a question for her features") { $0.name == "iq" && $0["from"] == romeo }.node
          try juliet.send(
            "<iq type='result' to='\(romeo)' id='\(info["id"] ?? "")'><query xmlns='http://jabber.org/protocol/disco#info'>"
              + "<identity category='client' type='pc'/><feature var='urn:xmpp:jingle:1'/></query></iq>")
        }
        let told = try witness.owner.expectSignal("PeerDecloaked").arguments
        #expect(told[0] == asked[0] && told[1].text == juliet.jid)
        #expect(told[2]["Target"]?.text == romeo)
        if isReached { #expect(told[2]["Features"]?.list.map(\.text) == ["urn:xmpp:jingle:1"]) }
      }
      for (member, arguments) in [
        ("Upgrade", [BusValue.string(juliet.bare), .options()])
      ] {
        #expect(
          try gateway.refusal(.Decloak, member, arguments)?.name == "org.freedesktop.DBus.Error.NotSupported")
      }
      for member in ["Subscribe", "Unsubscribe"] {
        #expect(
          try gateway.refusal(.Connection, member, [.string(juliet.bare), .options()])?.name
            == "org.freedesktop.DBus.Error.NotSupported")
      }
    }
  }

  @Test(
    "By policy a subscription is accepted and served, probes of subscribers are answered, and it can be ended by both",
    arguments: XMPPServer.Family.allCases)
  func subscriptions(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let gateway = try witness.gateway("allow")
      let (juliet, nurse) = (try witness.asker("juliet"), try witness.asker("nurse"))
      try juliet.iq("get", to: nil, "<query xmlns='jabber:iq:roster'/>")
      let mark = juliet.received.count
      try witness.step("Juliet subscribes") {
        try juliet.send("<presence type='subscribe' to='\(romeo)'/>")
        try juliet.expect("the yes", from: mark) { $0["from"] == romeo && $0["type"] == "subscribed" }
        try juliet.expectShown(romeo)
        let told = try witness.owner.expectSignal("ContactChanged").arguments
        #expect(told[0].text == juliet.bare && told[1]["Target"]?.text == romeo)
        #expect(told[1]["Subscription"]?.text == "from")
      }
      let roster = try gateway.list(.Connection, "ListRoster", [.options()])
      #expect(
        roster.map { $0["Contact"]?.text } == [juliet.bare] && roster[0]["Callee"]?.text == "romeo@shakespeare.lit")
      try witness.step("what the gateway says goes to her") {
        let status: [BusValue] = [.string("dnd"), .string("on the phone"), .options()]
        try gateway.call(.Connection, "SetPresence", status)
        let shown = try juliet.expectShown(romeo)
        #expect(shown.child("show")?.text == "dnd" && shown.child("status")?.text == "on the phone")
      }
      try witness.step("she probes, and the nurse does") {
        try juliet.send("<presence type='probe' to='\(romeo)'/>")
        try nurse.send("<presence type='probe' to='\(romeo)'/>")
        // jabberd2 passes no probes of clients on.
        if family != .jabberd2 { try juliet.expectShown(romeo) }
        try gateway.fence(nurse)
        #expect(types(nurse).isEmpty)
      }
      try witness.step("she unsubscribes") {
        let mark = juliet.received.count
        try juliet.send("<presence type='unsubscribe' to='\(romeo)'/>")
        #expect(try witness.owner.expectSignal("ContactChanged").arguments[1]["Subscription"]?.text == "remove")
        try gateway.fence(juliet)
        #expect(!types(juliet, since: mark).contains(""))
      }
      #expect(try gateway.list(.Connection, "ListRoster", [.options()]).isEmpty)
      try witness.step("she subscribes again, and is taken off") {
        let mark = juliet.received.count
        try juliet.send("<presence type='subscribe' to='\(romeo)'/>")
        try juliet.expectShown(romeo)
        try gateway.call(
          .Connection, "RemoveContact", [.string(juliet.bare), .options(["target": .string(romeo)])])
        try juliet.expect("the end", from: mark) { $0["from"] == romeo && $0["type"] == "unsubscribed" }
      }
      let again = try gateway.refusal(.Connection, "RemoveContact", [.string(juliet.bare), .options()])
      #expect(again?.name == "org.freedesktop.DBus.Error.InvalidArgs")
    }
  }

  @Test("Under ask a subscription waits for a person, who says for which address")
  func subscriptionRequests() async throws {
    try await Witness.run { witness in
      let gateway = try witness.gateway("ask")
      let juliet = try witness.asker("juliet")
      // Only who has asked for the roster is told of subscriptions.
      try juliet.iq("get", to: nil, "<query xmlns='jabber:iq:roster'/>")
      try witness.step("Juliet asks for two") {
        for address in [romeo, mercutio] { try juliet.send("<presence type='subscribe' to='\(address)'/>") }
        for address in [romeo, mercutio] {
          let told = try witness.owner.expectSignal("SubscriptionRequested").arguments
          #expect(told[0].text == juliet.bare && told[1]["Target"]?.text == address)
        }
      }
      let listed = try gateway.list(.Connection, "ListSubscriptionRequests")
      #expect(listed.map { $0["Callee"]?.text } == ["romeo@shakespeare.lit", "mercutio@shakespeare.lit"])
      let target = { (address: String) in BusValue.options(["target": .string(address)]) }
      try witness.step("one is given") {
        let mark = juliet.received.count
        try gateway.call(.Connection, "AuthorizeSubscription", [.string(juliet.bare), target(romeo)])
        try juliet.expect("the yes", from: mark) { $0["from"] == romeo && $0["type"] == "subscribed" }
        try gateway.call(.Connection, "DenySubscription", [.string(juliet.bare), target(mercutio)])
        try gateway.fence(juliet)
        #expect(juliet.presences(of: mercutio).isEmpty)
      }
      #expect(try gateway.list(.Connection, "ListSubscriptionRequests").isEmpty)
      try witness.step("and taken back") {
        try gateway.call(.Connection, "DenySubscription", [.string(juliet.bare), .options()])
        try juliet.expect("the end") { $0["from"] == romeo && $0["type"] == "unsubscribed" }
      }
      let nobody = try gateway.refusal(.Connection, "DenySubscription", [.string(juliet.bare), .options()])
      #expect(nobody?.name == "org.freedesktop.DBus.Error.InvalidArgs")
    }
  }

  @Test("Where others serve the domain too no subscription is taken, and the daemon says so")
  func balanced() async throws {
    try await Witness.run { witness in
      let gateway = try witness.gateway("allow", ["balanced": .bool(true)])
      let juliet = try witness.asker("juliet")
      #expect(try gateway.get(.Visibility, "Degraded") == .strings(["no-subscriptions"]))
      try juliet.send("<presence type='subscribe' to='\(romeo)'/>")
      try gateway.fence(juliet)
      #expect(!types(juliet).contains("subscribed") && !types(juliet).contains(""))
      #expect(try gateway.list(.Connection, "ListSubscriptionRequests").isEmpty)
      try juliet.askToDecloak(romeo)
      try juliet.expectShown(romeo)
      #expect(witness.daemon?.log.contains("subscriptions to its addresses are not answered") == true)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// The main story of the program, and how else it can go.
@Suite("Asking and answering", .serialized, .timeLimit(.minutes(15)))
struct StoryTests {
  /// Juliet's account in the program asks a raw Tybalt, or a raw Juliet asks Tybalt's account.
  private func tybaltConnected(
    _ witness: Witness, policy: String, status: String? = nil
  ) throws -> (tybalt: OurAccount, juliet: RawClient) {
    let tybalt = try witness.account("tybalt")
    let juliet = try witness.client("juliet")
    try juliet.send("<presence/>")
    witness.model.accounts[tybalt.jid]?.isVisible = true
    try witness.owner.call(
      DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddClientInterest",
      [.strings(["*"])])
    try witness.step("Tybalt connects") {
      try tybalt.connect()
      try tybalt.set(.Decloak, "Policy", .string(policy))
      if let status { try tybalt.call(.Connection, "SetPresence", [.string("dnd"), .string(status), .options()]) }
    }
    witness.owner.passAll()
    return (tybalt, juliet)
  }

  private func ask(_ asker: RawClient, _ asked: String, _ dialects: [String] = StrangerQuestion.dialects) throws {
    try asker.send("<presence to='\(asked)'>\(StrangerQuestion.unseenCapabilities)\(dialects.joined())</presence>")
  }

  private func show(_ account: OurAccount, to who: [String], in witness: Witness) {
    witness.model.accounts[account.jid]?.sessions = Set(who)
  }

  /// Nothing but capabilities, and the photo that keeps the server from adding an avatar's hash.
  private func isMinimal(_ presence: Node) -> Bool {
    let photo = presence.child("x", "vcard-temp:x:update")
    return presence.child("c", "http://jabber.org/protocol/caps") != nil
      && ["show", "status", "priority"].allSatisfy { presence.child($0) == nil }
      && photo?.children.map(\.canonical) == ["<photo/>"]
  }

  @Test("Juliet asks, Tybalt is told, says yes once, is seen with his capabilities alone, and goes unseen again")
  func mainStory() async throws {
    try await Witness.run { witness in
      let (tybalt, juliet) = try tybaltConnected(witness, policy: "ask", status: "researching")
      let request = try witness.step("Juliet asks in three namespaces at once") {
        try ask(juliet, tybalt.fullJID())
        return try witness.owner.expectSignal("DecloakRequested")
      }
      #expect(request.arguments.dropFirst().prefix(2).map(\.text) == [juliet.jid, "media"])
      #expect(request.destination == witness.owner.name, "the signal is unicast")
      try witness.forbid("anything of Tybalt before the yes", at: juliet)
      let id = request.arguments[0].text
      let listed = try tybalt.call(.Decloak, "ListRequests")[0].list
      #expect(listed.count == 1)
      #expect(listed.first?["Id"]?.text == id)
      #expect(listed.first?["Count"]?.number == 1)
      #expect(listed.first?["Namespaces"]?.list.count == 3)
      try witness.step("somebody says yes") {
        show(tybalt, to: [juliet.jid], in: witness)
        try tybalt.call(.Decloak, "Approve", [.string(id), .string("once"), .options()])
        let shown = try juliet.expect("Tybalt's presence") { $0.name == "presence" && $0["from"] != juliet.jid }
        #expect(try shown.node["from"] == tybalt.fullJID())
        #expect(isMinimal(shown.node), "\(shown.raw)")
        let resolved = try witness.owner.expectSignal("RequestResolved")
        #expect(resolved.arguments.prefix(2).map(\.text) == [id, "approved"])
      }
      try witness.step("she asks for his features") {
        let info = try juliet.iq(
          "get", to: tybalt.fullJID(), "<query xmlns='http://jabber.org/protocol/disco#info'/>")
        #expect(info["type"] == "result")
        #expect(info.child("query")?.children.contains { $0["var"] == "urn:xmpp:decloak:0" } == true)
      }
      let sessions = try tybalt.call(.Decloak, "ListSessions")[0].list
      #expect(sessions.map { $0["Jid"]?.text } == [juliet.jid, juliet.jid])
      #expect(Set(sessions.map { $0["Direction"]?.text }) == ["they-see-me", "i-see-them"])
      try witness.step("the same answer again succeeds, another one does not") {
        try tybalt.call(.Decloak, "Approve", [.string(id), .string("once"), .options()])
        #expect {
          try tybalt.call(.Decloak, "Deny", [.string(id), .string("once"), .options()])
        } throws: {
          ($0 as? RawBus.Refusal)?.name == "org.nightcloak.Presence1.Error.AlreadyResolved"
        }
      }
      juliet.passAll()
      try witness.step("he ends it") {
        show(tybalt, to: [], in: witness)
        let ended = try tybalt.call(.Decloak, "Revoke", [.string(juliet.bare)])
        #expect(ended == [.uint32(2)], "she sees him and he sees her")
        let farewell = try juliet.expect("his unavailable") { $0.name == "presence" }
        #expect(farewell.node["type"] == "unavailable")
        let signal = try witness.owner.expectSignal("SessionEnded")
        #expect(signal.arguments.prefix(3).map(\.text) == [juliet.bare, "they-see-me", "revoked"])
      }
      try witness.step("she asks what he is no longer there to answer") {
        let version = try juliet.iq("get", to: tybalt.fullJID(), "<query xmlns='jabber:iq:version'/>")
        #expect(version["type"] == "error")
      }
    }
  }

  @Test("Two accounts of the program find each other: the asking side waits for the other's features")
  func bothSides() async throws {
    try await Witness.run { witness in
      let (tybalt, _) = try tybaltConnected(witness, policy: "ask")
      let juliet = try witness.account("juliet")
      witness.model.accounts[juliet.jid]?.isVisible = true
      try witness.step("Juliet connects") { try juliet.connect() }
      let asking = try witness.step("Juliet asks and waits") {
        let full = try tybalt.fullJID()
        show(juliet, to: [tybalt.jid, full], in: witness)
        let asking = try juliet.begin(
          .Decloak, "RequestDecloak",
          [.string(tybalt.jid), .string("media"), .options(["wait": .uint32(15_000)])])
        return asking
      }
      let request = try witness.step("Juliet is heard") {
        // Tybalt has undirected presence, so the bare JID reaches him.
        try witness.owner.expectSignal("DecloakRequested")
      }
      try witness.step("somebody says yes") {
        try show(tybalt, to: [juliet.fullJID()], in: witness)
        try tybalt.call(.Decloak, "Approve", [request.arguments[0], .string("once"), .options()])
        let reply = try witness.owner.finish(asking)
        #expect(reply.count == 2)
        let peers = reply[1].list
        #expect(try peers.map { $0["Jid"]?.text } == [tybalt.fullJID()])
        #expect(peers.first?["Features"]?.list.map(\.text).contains("urn:xmpp:decloak:0") == true)
        try witness.owner.expectSignal("PeerDecloaked")
      }
      try witness.step("Tybalt ends it") {
        show(tybalt, to: [], in: witness)
        try tybalt.call(.Decloak, "Revoke", [.string("")])
        try witness.owner.expect("Juliet's end of the session") {
          $0.member == "SessionEnded" && $0.path == juliet.path && $0.arguments.last?.text == "peer-left"
        }
      }
    }
  }

  @Test("With policy allow the answer comes by itself, in whichever namespaces it was asked")
  func allow() async throws {
    try await Witness.run { witness in
      let (tybalt, _) = try tybaltConnected(witness, policy: "allow", status: "researching")
      let combinations = [[0], [1], [2], [0, 1], [0, 1, 2]]
      for combination in combinations {
        let juliet = try witness.client("juliet", user: witness.user("juliet" + combination.map(String.init).joined()))
        try witness.step("Juliet asks") {
          witness.model.accounts[tybalt.jid]?.sessions.insert(juliet.jid)
          try ask(juliet, tybalt.fullJID(), combination.map { StrangerQuestion.dialects[$0] })
          let shown = try juliet.expect("Tybalt's presence") { $0["from"] != juliet.jid && $0.name == "presence" }
          #expect(isMinimal(shown.node), "\(shown.raw)")
        }
        let more = juliet.unexpected.filter { $0.node.name == "presence" && !juliet.isOwn($0.node) }
        #expect(more.isEmpty, "one request has one answer: \(more.map(\.raw))")
      }
    }
  }

  @Test("A request that is denied, or that nobody answers, is followed by nothing; repeats are one request")
  func denied() async throws {
    try await Witness.run { witness in
      let (tybalt, juliet) = try tybaltConnected(witness, policy: "ask")
      try witness.step("Juliet asks three times") {
        for dialect in StrangerQuestion.dialects { try ask(juliet, tybalt.fullJID(), [dialect]) }
      }
      let requests = try tybalt.call(.Decloak, "ListRequests")[0].list
      #expect(requests.count == 1)
      #expect(requests.first?["Count"]?.number == 3)
      #expect(witness.owner.unexpected.filter { $0.member == "DecloakRequested" }.count == 1)
      try witness.forbid("anything while the request is listed", at: juliet)
      try witness.step("somebody says no") {
        try tybalt.call(.Decloak, "Deny", [.string(requests[0]["Id"]?.text ?? ""), .string("once"), .options()])
      }
      try witness.step("Juliet asks again") { try ask(juliet, tybalt.fullJID()) }
      try witness.forbid("anything after the no", at: juliet)
      #expect(try tybalt.call(.Decloak, "ListRequests")[0].list.isEmpty)
    }
  }

  @Test("An asker who leaves withdraws the request; a yes after that sends nothing")
  func withdrawn() async throws {
    try await Witness.run { witness in
      let (tybalt, juliet) = try tybaltConnected(witness, policy: "ask")
      let request = try witness.step("Juliet asks") {
        try ask(juliet, tybalt.fullJID())
        return try witness.owner.expectSignal("DecloakRequested")
      }
      try witness.step("Juliet takes it back") {
        try juliet.send("<presence to='\(tybalt.fullJID())' type='unavailable'/>")
        let resolved = try witness.owner.expectSignal("RequestResolved")
        #expect(resolved.arguments.prefix(2).map(\.text) == [request.arguments[0].text, "withdrawn"])
      }
      #expect(throws: RawBus.Refusal.self) {
        try tybalt.call(.Decloak, "Approve", [request.arguments[0], .string("once"), .options()])
      }
      try witness.forbid("anything of Tybalt", at: juliet)
    }
  }

  @Test("Policy off, or back to off, says nothing and keeps nothing; sessions end with a farewell")
  func off() async throws {
    try await Witness.run { witness in
      let (tybalt, juliet) = try tybaltConnected(witness, policy: "off")
      try witness.step("Juliet asks in vain") { try ask(juliet, tybalt.fullJID()) }
      #expect(try tybalt.call(.Decloak, "ListRequests")[0].list.isEmpty)
      #expect(witness.owner.unexpected.filter { $0.member == "DecloakRequested" }.isEmpty)
      try witness.forbid("anything of Tybalt", at: juliet)
      try witness.step("Tybalt allows everybody, and Juliet asks") {
        show(tybalt, to: [juliet.jid], in: witness)
        try tybalt.set(.Decloak, "Policy", .string("allow"))
        try ask(juliet, tybalt.fullJID())
        try juliet.expect("Tybalt's presence") { $0["from"] != juliet.jid && $0["type"] == nil }
      }
      try witness.step("Tybalt switches it off") {
        show(tybalt, to: [], in: witness)
        try tybalt.set(.Decloak, "Policy", .string("off"))
        try juliet.expect("his unavailable") { $0["type"] == "unavailable" }
      }
    }
  }

  @Test("A gateway is asked and answers, and a gateway that asks is answered")
  func gateway() async throws {
    try await Witness.run { witness in
      let (tybalt, _) = try tybaltConnected(witness, policy: "allow")
      let gateway = try witness.component()
      let romeo = "romeo@\(gateway.jid)"
      witness.model.accounts[tybalt.jid]?.sessions = [romeo, gateway.jid]
      try witness.step("Tybalt asks the gateway") {
        try tybalt.call(.Decloak, "RequestDecloak", [.string(romeo), .string("media"), .options()])
        let question = try gateway.expect("the question") { $0["to"] == romeo && $0.child("decloak") != nil }
        #expect(isMinimal(question.node), "\(question.raw)")
        #expect(question.node.child("decloak", "urn:xmpp:decloak:0")?["reason"] == "media")
        #expect(question.node.child("decloak", "http://telepathy.freedesktop.org/xmpp/protocol/decloak") != nil)
        #expect(question.node.child("temppres", "urn:xmpp:temppres:0") != nil)
        try gateway.send("<presence from='\(romeo)/g' to='\(tybalt.fullJID())'/>")
        let info = try gateway.expect("a question for capabilities") { $0.name == "iq" && $0["to"] == romeo + "/g" }
        let features = "<feature var='urn:xmpp:jingle:1'/>"
        try gateway.send(
          "<iq type='result' from='\(romeo)/g' to='\(tybalt.fullJID())' id='\(info.node["id"] ?? "")'>"
            + "<query xmlns='http://jabber.org/protocol/disco#info'>"
            + "<identity category='gateway' type='sip'/>\(features)</query></iq>")
        let peer = try witness.owner.expectSignal("PeerDecloaked")
        #expect(peer.arguments.dropFirst().first?.text == romeo + "/g")
        #expect(peer.arguments.last?["Features"]?.list.map(\.text) == ["urn:xmpp:jingle:1"])
      }
      let mercutio = "mercutio@\(gateway.jid)"
      try witness.step("the gateway asks Tybalt") {
        witness.model.accounts[tybalt.jid]?.sessions.insert(mercutio)
        try gateway.send(
          "<presence from='\(mercutio)' to='\(tybalt.fullJID())'>\(StrangerQuestion.dialects[0])</presence>")
        let shown = try gateway.expect("Tybalt's presence") { $0.name == "presence" && $0["to"] == mercutio }
        #expect(isMinimal(shown.node), "\(shown.raw)")
      }
    }
  }
}

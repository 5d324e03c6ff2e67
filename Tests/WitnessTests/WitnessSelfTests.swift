// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// The Witness itself, against two raw clients: one that keeps silent and one that does not.
@Suite("The Witness", .serialized, .timeLimit(.minutes(15)))
struct WitnessSelfTests {
  private func playing(
    visible: Bool = false, _ act: @escaping @Sendable (Witness, RawClient, RawClient) throws -> Void
  ) async throws {
    try await Witness.run(withDaemon: false) { witness in
      let stranger = try witness.client("stranger")
      let actor = try witness.client("actor", resource: "secret-resource")
      witness.model.accounts[actor.bare] = Model.Account()
      try stranger.send("<presence/>")
      try witness.step("the scene") { try act(witness, stranger, actor) }
    }
  }

  private func isLeak(_ error: any Error) -> Bool { "\(error)".contains("leak: ") }

  @Test("finds nothing to object to in an account that keeps silent")
  func silent() async throws {
    try await playing { witness, stranger, actor in
      try stranger.send("<presence to='\(actor.jid)'><decloak xmlns='urn:xmpp:decloak:0'/></presence>")
      try stranger.send("<message to='\(actor.jid)'><body>there?</body></message>")
      try actor.expect("the question") { $0.child("decloak") != nil }
      try actor.expect("the message") { $0.name == "message" }
      try witness.forbid("an answer", at: stranger)
    }
  }

  @Test(
    "sees every kind of leak",
    arguments: [
      "<presence to='ADDRESS'/>", "<presence type='unavailable' to='ADDRESS'/>",
      "<iq type='get' id='x' to='ADDRESS'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
      "<message to='ADDRESS'><received xmlns='urn:xmpp:receipts' id='1'/></message>",
      "<iq type='result' id='unasked' to='ADDRESS'/>",
      "<message type='groupchat' to='ADDRESS'><body>me</body></message>",
    ])
  func leaks(stanza: String) async {
    await #expect {
      try await playing { _, stranger, actor in
        try actor.send(stanza.replacing("ADDRESS", with: stranger.jid))
      }
    } throws: {
      isLeak($0)
    }
  }

  @Test("allows what the model allows, and the farewell that somebody who saw us is owed")
  func allowed() async throws {
    try await playing { witness, stranger, actor in
      try witness.step("the actor shows itself") {
        witness.model.accounts[actor.bare]?.sessions = [stranger.jid]
        try actor.send("<presence to='\(stranger.jid)'><c xmlns='http://jabber.org/protocol/caps'/></presence>")
        try stranger.expect("presence") { $0["from"] == actor.jid }
      }
      try witness.step("the actor leaves") {
        witness.model.accounts[actor.bare]?.sessions = []
        try actor.send("<presence to='\(stranger.jid)' type='unavailable'/>")
        try stranger.expect("unavailable") { $0["type"] == "unavailable" }
      }
    }
  }

  @Test("objects to a session's presence that carries a status")
  func status() async {
    await #expect {
      try await playing { witness, stranger, actor in
        witness.model.accounts[actor.bare]?.sessions = [stranger.jid]
        try actor.send("<presence to='\(stranger.jid)'><status>on the phone</status></presence>")
      }
    } throws: {
      isLeak($0)
    }
  }

  @Test("objects to a signal that somebody else's connection gets")
  func signals() async {
    await #expect {
      try await Witness.run(withDaemon: false) { witness in
        try witness.owner.emit("/x", "org.nightcloak.Presence1.Decloak", "DecloakRequested", [.string("k-1")])
      }
    } throws: {
      isLeak($0)
    }
  }

  @Test("keeps others from overhearing what is sent to one")
  func unicast() async throws {
    try await Witness.run(withDaemon: false) { witness in
      _ = try witness.owner.begin(witness.owner.name, "/x", "org.nightcloak.X", "Secret", [.string("for me")])
      try witness.owner.expect("the call to itself") { $0.member == "Secret" }
    }
  }

  @Test("speaks as a component, too")
  func component() async throws {
    try await Witness.run(withDaemon: false) { witness in
      let gateway = try witness.component()
      let juliet = try witness.client("juliet")
      try juliet.send("<presence to='romeo@\(gateway.jid)'><decloak xmlns='urn:xmpp:decloak:0'/></presence>")
      try gateway.expect("the question") { $0["from"] == juliet.jid && $0.child("decloak") != nil }
      try gateway.send("<presence from='romeo@\(gateway.jid)' to='\(juliet.jid)'/>")
      try juliet.expect("the answer") { $0["from"] == "romeo@\(gateway.jid)" }
    }
  }
}

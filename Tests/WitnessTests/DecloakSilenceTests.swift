// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Silence, an absent contact, one that is not there at all, and a refusal: nothing tells them apart.
@Suite("The silence of decloaking", .serialized, .timeLimit(.minutes(15)))
struct DecloakSilenceTests {
  /// All that comes to somebody who asks in each dialect, the account and a resource of it, and takes it back.
  private func answers(_ witness: Witness, to asker: RawClient, bare: String, full: String) throws -> [String] {
    let mark = asker.received.count
    for address in [bare, full] {
      for dialect in StrangerQuestion.dialects {
        try asker.askToDecloak(address, dialect)
        try asker.send("<presence to='\(address)' type='unavailable'/>")
        try asker.askToDecloak(address, dialect)
      }
    }
    try witness.fence()
    return asker.received.dropFirst(mark).filter { !asker.isOwn($0.node) }.map {
      $0.raw.replacing(full, with: "FULL").replacing(bare, with: "BARE")
    }
  }

  @Test(
    "The asker receives the same bytes from who is offline, is not there at all, says nothing, or no",
    arguments: XMPPServer.Family.allCases, ["visible", "invisible"])
  func asker(family: XMPPServer.Family, visibility: String) async throws {
    try await Witness.run(on: family) { witness in
      let isVisible = visibility == "visible"
      let juliet = try witness.client("juliet", resource: "balcony")
      try juliet.send("<presence/>")
      let nobody = "nobody\(visibility)@localhost"
      let expected = try answers(witness, to: juliet, bare: nobody, full: "\(nobody)/library")
      #expect(expected.isEmpty, "presence to nobody is lost on each server")
      let offline = "\(try witness.user("offline"))@localhost"
      #expect(try answers(witness, to: juliet, bare: offline, full: "\(offline)/library") == expected, "offline")
      for policy in ["off", "ask"] {
        let account = try witness.decloaking("tybalt\(policy)of", policy: policy, isVisible: isVisible)
        let full = try account.fullJID()
        let resource = try witness.client("another\(policy)of")
        try resource.send("<presence/>")
        #expect(try answers(witness, to: juliet, bare: account.jid, full: full) == expected, "\(policy)")
        let absent = "\(account.jid)/\(String(full.dropFirst(account.jid.count + 1).reversed()))"
        #expect(try answers(witness, to: juliet, bare: account.jid, full: absent) == expected, "another resource")
        guard policy == "ask" else { continue }
        // jabberd2 passes nothing on to who has broadcast nothing; there nobody is asked, and all the rest is the same.
        for request in try account.requests() {
          try account.call(.Decloak, "Deny", [.string(request["Id"]?.text ?? ""), .string("once"), .options()])
        }
        #expect(try answers(witness, to: juliet, bare: account.jid, full: full) == expected, "after a no")
        #expect(try account.requests().isEmpty)
        // A yes to somebody else is what this would see.
        try resource.askToDecloak(full)
        try witness.fence()
        guard isVisible else { continue }
        try witness.step("somebody else gets a yes") {
          witness.show(account, to: [resource.jid])
          try account.approveOnly()
          try resource.expectShown(full)
        }
        #expect(try answers(witness, to: juliet, bare: account.jid, full: full) == expected, "beside a yes")
      }
    }
  }

  @Test(
    "Our own side learns as little: who is offline, is not there, says nothing or no gives one answer",
    arguments: XMPPServer.Family.allCases)
  func ownSide(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let juliet = try witness.decloaking("juliet", policy: "off")
      let denying = try witness.decloaking("paris", policy: "ask")
      let ignoring = try witness.client("peter")
      try ignoring.send("<presence/>")
      let offline = "\(try witness.user("offline"))@localhost"
      witness.show(juliet, to: [ignoring.bare])
      var replies: [String: [BusValue]] = [:]
      func ask(_ contact: String, wait: UInt32) throws -> [BusValue] {
        try juliet.call(
          .Decloak, "RequestDecloak", [.string(contact), .string("media"), .options(["wait": .uint32(wait)])])
      }
      try witness.step("Juliet asks one who will say no") {
        _ = try ask(denying.jid, wait: 0)
        try witness.fence()
        for request in try denying.requests() {
          try denying.call(.Decloak, "Deny", [.string(request["Id"]?.text ?? ""), .string("once"), .options()])
        }
      }
      for contact in [denying.jid, ignoring.bare, offline, "nobody@localhost", "nobody@elsewhere.example"] {
        try witness.step("Juliet asks \(contact)") { replies[contact] = try ask(contact, wait: 200) }
      }
      for (contact, reply) in replies {
        #expect(reply[0].type == "s" && !reply[0].text.isEmpty, "\(contact)")
        #expect(reply.dropFirst() == [.array("a{sv}", [])], "\(contact): \(reply)")
      }
      let sessions = try juliet.sessions("i-see-them")
      #expect(sessions.isEmpty, "\(sessions)")
    }
  }

  @Test(
    "Who logs in again under the same resource after a session learns nothing, whether he left or was replaced",
    arguments: XMPPServer.Family.allCases, [false, true])
  func loggedInAgain(family: XMPPServer.Family, isReplaced: Bool) async throws {
    try await Witness.run(on: family) { witness in
      let tybalt = try witness.decloaking("tybalt")
      let full = try tybalt.fullJID()
      let user = try witness.user("juliet")
      let before = try witness.client("juliet", user: user, resource: "balcony")
      try before.send("<presence/>")
      try before.askToDecloak(full)
      try witness.fence()
      try witness.step("Juliet sees Tybalt") {
        witness.show(tybalt, to: [before.jid])
        try tybalt.approveOnly()
        try before.expectShown(full)
      }
      try witness.takeInterest()
      let after = try witness.step("she is there anew") {
        if !isReplaced { try before.close() }
        let after = try witness.client("juliet anew", user: user, resource: "balcony")
        #expect(after.jid == before.jid)
        try witness.owner.expect("the end of the session") {
          $0.member == "SessionEnded" && $0.arguments.map(\.text) == [before.bare, "they-see-me", "peer-left"]
        }
        if isReplaced { before.receiveRest(within: .seconds(5)) }
        return after
      }
      witness.show(tybalt, to: [])
      let mark = after.received.count
      try witness.step("he goes on with what he does, and she is available") {
        try after.send("<presence/>")
        try tybalt.call(.Connection, "SetPresence", [.string("away"), .string("gone"), .options()])
      }
      #expect(after.presences(of: tybalt.jid, since: mark).isEmpty)
      // What she knows from before she may try; it tells what somebody learns who asks at random.
      let absent = "\(tybalt.jid)/\(String(full.dropFirst(tybalt.jid.count + 1).reversed()))"
      let questions = StrangerQuestion.all
      let expected = try witness.answers(questions, to: after, bare: nil, full: absent)
      let got = try witness.answers(questions, to: after, bare: nil, full: full, expected: expected)
      for question in expected.keys.sorted() {
        #expect(got[question] == expected[question], "leak: \(question)")
      }
    }
  }
}

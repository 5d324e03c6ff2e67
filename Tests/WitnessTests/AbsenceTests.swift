// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Whoever guesses the full JID of a session that is hidden sees what he would see of one that is not there.
@Suite("Absence", .serialized, .timeLimit(.minutes(15)))
struct AbsenceTests {
  private func compare(_ expected: [String: [String]], _ got: [String: [String]], _ when: String) {
    #expect(expected.values.contains { !$0.isEmpty }, "an absent resource answers nothing: nothing was compared")
    for question in expected.keys.sorted() where expected[question] != got[question] {
      let (present, missing) = (got[question] ?? [], expected[question] ?? [])
      Issue.record("leak: \(question), \(when):\n  absent: \(missing)\n  hidden: \(present)")
    }
  }

  @Test(
    "A stranger cannot tell a hidden session from a resource that is not there, whatever he sends",
    arguments: XMPPServer.Family.allCases)
  func everyKind(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let account = try witness.account("juliet", parameters: ["visibility": .string("invisible")])
      let stranger = try witness.client("stranger")
      try stranger.send("<presence/>")
      try witness.step("the account connects") { try account.connect() }
      let full = try account.fullJID()
      let absent = "\(account.jid)/\(String(full.dropFirst(account.jid.count + 1).reversed()))"
      let expected = try witness.answers(StrangerQuestion.everyKind, to: stranger, bare: nil, full: absent)
      try witness.step("the stranger asks everything") {
        let got = try witness.answers(
          StrangerQuestion.everyKind, to: stranger, bare: nil, full: full, expected: expected)
        compare(expected, got, "on \(family)")
      }
    }
  }

  @Test("A second device of the same person is no stranger, and no requester", arguments: XMPPServer.Family.allCases)
  func secondDevice(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let account = try witness.account("juliet", parameters: ["visibility": .string("invisible")])
      try witness.step("the account connects") {
        try account.connect()
        try account.set(.Decloak, "Policy", .string("ask"))
      }
      let device = try witness.client("juliet's other device", user: account.user)
      let full = try account.fullJID()
      try witness.step("the other device asks") {
        let pong = try device.iq("get", to: full, "<ping xmlns='urn:xmpp:ping'/>")
        #expect(pong["type"] == "result")
        for dialect in StrangerQuestion.dialects { try device.send("<presence to='\(full)'>\(dialect)</presence>") }
        try device.send("<presence>\(StrangerQuestion.dialects[0])</presence>")
        try device.send(
          "<message type='chat' to='\(full)'><active xmlns='http://jabber.org/protocol/chatstates'/></message>")
      }
      #expect(try account.get(.Decloak, "PendingRequests") == .uint32(0))
      #expect(!device.received.contains { $0.node["type"] == "error" }, "\(device.received.map(\.raw))")
    }
  }

  @Test(
    "A request that the server, or anybody, says to be from before is not acted on",
    arguments: XMPPServer.Family.allCases)
  func delayed(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let account = try witness.account("juliet", parameters: ["visibility": .string("invisible")])
      try witness.step("the account connects, and says yes to everybody who asks now") {
        try account.connect()
        try account.set(.Decloak, "Policy", .string("ask"))
      }
      let stranger = try witness.client("stranger")
      try stranger.send("<presence/>")
      let delay = "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>"
      // jabberd2 passes presence on to available sessions alone: there it is the other test that would not pass.
      try witness.step("a request comes late") {
        for dialect in StrangerQuestion.dialects {
          try stranger.send("<presence to='\(account.fullJID())'>\(dialect)\(delay)</presence>")
        }
      }
      #expect(try account.get(.Decloak, "PendingRequests") == .uint32(0))
      guard family != .jabberd2 else { return }
      try witness.step("the same comes in time") {
        try stranger.send("<presence to='\(account.fullJID())'>\(StrangerQuestion.dialects[0])</presence>")
      }
      #expect(try account.get(.Decloak, "PendingRequests") == .uint32(1))
    }
  }

  @Test(
    "What comes from a chat room is nobody's request", arguments: XMPPServer.Family.allCases.filter { $0.rooms != nil })
  func room(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let account = try witness.account("juliet", parameters: ["visibility": .string("invisible")])
      try witness.step("the account connects, and would ask") {
        try account.connect()
        try account.set(.Decloak, "Policy", .string("ask"))
      }
      let room = "\(account.user)@\(family.rooms ?? "")"
      let people = [try witness.client("nurse"), try witness.client("peter")]
      for person in people {
        let nick = "\(room)/\(person.name)"
        try person.send("<presence to='\(nick)'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
        try person.expect("to be in the room") { $0["from"] == nick && $0["type"] == nil }
      }
      try people[0].send("<presence to='\(room)/nurse'>\(StrangerQuestion.dialects[0])</presence>")
      let said = try people[1].expect("it to come from the room") { $0.child("decloak") != nil }
      #expect(said.node["from"] == "\(room)/nurse")
      // The program enters no rooms yet. So a gateway says to it what the room said to Peter.
      let gateway = try witness.component()
      var presence = said.node
      presence.attributes["from"] = "room@\(XMPPServer.componentDomain)/nurse"
      presence.attributes["to"] = try account.fullJID()
      try witness.step("a room says that somebody in it has a request in her presence") {
        try gateway.send(presence.canonical)
      }
      #expect(try account.get(.Decloak, "PendingRequests") == .uint32(0))
      try witness.step("somebody who is in no room says the same") {
        presence.children.removeAll { $0["xmlns"] == "http://jabber.org/protocol/muc#user" }
        try gateway.send(presence.canonical)
      }
      #expect(try account.get(.Decloak, "PendingRequests") == .uint32(1))
    }
  }
}

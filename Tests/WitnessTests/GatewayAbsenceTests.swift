// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Whoever must not know of an address of a gateway sees what he would see of a user of the server who is not there.
@Suite("Absence at the gateway", .serialized, .timeLimit(.minutes(15)))
struct GatewayAbsenceTests {
  private let mercutio = OurGateway.address("mercutio%shakespeare.lit")
  private let invented = "nobody\\20at\\20all"

  /// What the server's own modules answer for a user that there is not, each in its way, when a bare address is asked. That
  /// would have to be asked for each question.
  private static func isForModule(_ question: StrangerQuestion) -> Bool {
    [
      "disco#", "version", "last activity", "ping", "roster", "time", "a card", "private data", "a session", "nodes",
      "two payloads", "no payload", "text between", "a type that there is not",
    ].contains { question.name.hasPrefix($0) }
  }

  /// Proposals get silence wherever somebody might be asked, and what no server answers is told by the others.
  private static func isProposal(_ question: StrangerQuestion) -> Bool {
    question.xml.contains("<propose ") || question.xml.contains("<retract ")
  }

  /// Where a server repeats how an address was written, one domain would show through that the other has not got.
  private static func isWrittenOtherwise(_ question: StrangerQuestion) -> Bool { question.xml.contains("CAPITALS") }

  /// All that a stranger sees of an address and of one of its resources.
  private func answers(
    _ address: String, to stranger: RawClient, _ witness: Witness, expected: [String: [String]] = [:]
  ) throws -> [String: [String]] {
    let questions = StrangerQuestion.everyKind.filter { !Self.isProposal($0) && !Self.isWrittenOtherwise($0) }
    let full = try witness.answers(
      questions, to: stranger, bare: nil, full: "\(address)/gateway", expected: expected, behind: OurGateway.nobody)
    // Asked as "the full JID", the name of each answer is the same.
    let bare = try witness.answers(
      questions.filter { !Self.isForModule($0) }, to: stranger, bare: nil, full: address, behind: OurGateway.nobody)
    return full.merging(bare.map { ("\($0) without its resource", $1) }) { $1 }
  }

  private func compare(
    _ expected: [String: [String]], _ got: [String: [String]], _ address: String, on family: XMPPServer.Family,
    _ when: String = ""
  ) {
    #expect(expected.values.contains { !$0.isEmpty }, "nothing was compared")
    for question in Set(expected.keys).union(got.keys).sorted() where expected[question] != got[question] {
      // Prosody itself begins a session (RFC 3921) at each domain that it knows, whoever serves it.
      if family == .prosody, address == OurGateway.domain, question.hasPrefix("a session ") { continue }
      Issue.record(
        "leak: \(question), \(address) on \(family) \(when):\n  absent: \(expected[question] ?? [])\n  hidden: \(got[question] ?? [])"
      )
    }
  }

  @Test(
    "Hidden addresses, those that there are not, and the domain answer a stranger as the server does for nobody",
    arguments: XMPPServer.Family.allCases)
  func hidden(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let gateway = try witness.gateway("allow")
      try gateway.setRule("to:mercutio%*@sip.localhost", "allow")
      let (juliet, stranger) = (try witness.asker("juliet"), try witness.asker("stranger"))
      try gateway.setRule(juliet.bare, "allow")
      try juliet.askToDecloak(mercutio)
      try juliet.expectShown(mercutio)
      let servers = try answers("\(invented)@localhost", to: stranger, witness)
      // Shown to Juliet, and refused to the stranger alone.
      try gateway.setRule(stranger.bare, "deny")
      for address in [
        OurGateway.address(invented), OurGateway.address("romeo%shakespeare.lit"), OurGateway.domain,
        mercutio,
      ] {
        let got = try answers(address, to: stranger, witness, expected: servers)
        compare(servers, got, address, on: family)
      }
      let seen = stranger.received.map(\.raw).filter { raw in
        ["gateway", "nightcloak", "urn:xmpp:decloak:0", "urn:xmpp:jingle"].contains {
          raw.contains("category='\($0)") || raw.contains("name='\($0)") || raw.contains("<feature var='\($0)")
        }
      }
      #expect(seen.isEmpty, "leak: \(seen)")
      #expect(stranger.presences(of: mercutio).isEmpty, "leak: the stranger got presence")
    }
  }

  @Test(
    "A stranger cannot tell an address that is asked about, or was refused to him, from one that there is not",
    arguments: XMPPServer.Family.allCases)
  func asked(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let gateway = try witness.gateway("ask")
      try gateway.setRule("to:mercutio%*@sip.localhost", "ask")
      let stranger = try witness.asker("stranger")
      let questions = StrangerQuestion.everyKind.filter { !Self.isWrittenOtherwise($0) }
      func all(_ address: String) throws -> [String: [String]] {
        try witness.answers(questions, to: stranger, bare: nil, full: address, behind: OurGateway.nobody)
      }
      let absent = try all(OurGateway.address(invented))
      #expect(try gateway.pending().isEmpty)
      compare(absent, try all(OurGateway.domain), OurGateway.domain, on: family)
      try stranger.askToDecloak(mercutio)
      try gateway.fence(stranger)
      #expect(try gateway.pending() == ["\(stranger.jid) \(mercutio)"])
      compare(absent, try all(mercutio), mercutio, on: family, "while somebody is asked")
      for scope in ["once", "contact"] {
        try stranger.askToDecloak(mercutio)
        try gateway.fence(stranger)
        for request in try gateway.list(.Decloak, "ListRequests") {
          try gateway.call(.Decloak, "Deny", [.string(request["Id"]?.text ?? ""), .string(scope), .options()])
        }
        compare(absent, try all(mercutio), mercutio, on: family, "after a no for \(scope)")
      }
    }
  }

  @Test(
    "In whatever way an address is written, whoever must not know of it is answered",
    arguments: XMPPServer.Family.allCases)
  func written(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let gateway = try witness.gateway("rules")
      let stranger = try witness.asker("stranger")
      for address in [mercutio, OurGateway.domain] {
        for spelled in [address.uppercased(), "\(address.uppercased())/X", "\(address)/X"] {
          let answer = try stranger.iq("get", to: spelled, "<ping xmlns='urn:xmpp:ping'/>")
          #expect(answer["type"] == "error", "\(spelled): \(answer.canonical)")
        }
      }
      #expect(try gateway.get(.Connection, "Status").text == "connected")
      #expect(witness.daemon?.log.contains("was not sent") == false, "strangers fill the log")
    }
  }
}

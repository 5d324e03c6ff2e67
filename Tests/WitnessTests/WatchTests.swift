// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// What is learned of others while we send directed presence alone, and that asking shows nothing.
@Suite("Seeing others while hidden", .serialized, .timeLimit(.minutes(15)))
struct WatchTests {
  private static let hidden: KeyValuePairs<String, BusValue> = [
    "visibility": .string("invisible"), "mechanism": .string("directed"),
  ]

  /// Waits until what the account says of itself is so, one round trip after the other.
  private func degraded(
    _ account: OurAccount, _ witness: Witness, until isSo: ([String]) -> Bool
  ) throws -> [String] {
    let deadline = Deadline(.seconds(10))
    while true {
      let words = try account.get(.Visibility, "Degraded").list.map(\.text)
      if isSo(words) || deadline.hasPassed { return words }
      try witness.fence()
    }
  }

  @Test(
    "A contact's presence is learned where its server answers, and no client hears of it",
    arguments: XMPPServer.Family.allCases)
  func contacts(_ family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let (juliet, romeo, nurse) = (try witness.user("juliet"), try witness.user("romeo"), try witness.user("nurse"))
      try witness.subscribe(romeo, to: juliet, both: true)
      try witness.subscribe(nurse, to: juliet)
      let contact = try witness.client("romeo", user: romeo)
      let subscriber = try witness.client("nurse", user: nurse)
      for client in [contact, subscriber] {
        try client.send("<presence><show>dnd</show></presence>")
        try client.ping()
      }
      let account = try witness.account("juliet", user: juliet, parameters: Self.hidden)
      for client in [contact, subscriber] { client.passAll() }
      try witness.step("the account connects, hidden") { try account.connect() }
      // jabberd2 answers no probe of a session that has broadcast nothing.
      let answers = family != .jabberd2
      let words = try degraded(account, witness) { $0.contains("no-contact-presence") != answers }
      #expect(words.contains("probes-sent"))
      #expect(words.contains("no-contact-presence") == !answers)
      let roster = try account.call(.Connection, "ListRoster", [.options()])[0].list
      let seen = roster.first { $0["Contact"]?.text == contact.bare }
      #expect(seen?["Show"]?.text == (answers ? "dnd" : ""))
      // Whom we are not subscribed to is not asked about.
      #expect(roster.first { $0["Contact"]?.text == subscriber.bare }?["Show"]?.text == "")
      for client in [contact, subscriber] {
        try witness.forbid("anything over being asked about", at: client) {
          $0["from"]?.hasPrefix(account.jid) == true
        }
      }
    }
  }

  @Test(
    "Another device of ours that is available is found where the server lets us", arguments: XMPPServer.Family.allCases)
  func ownResources(_ family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let juliet = try witness.user("juliet")
      let phone = try witness.client("juliet's phone", user: juliet, resource: "phone")
      try phone.send("<presence/>")
      try phone.ping()
      let account = try witness.account("juliet", user: juliet, parameters: Self.hidden)
      phone.passAll()
      try witness.step("the account connects, hidden") { try account.connect() }
      // Prosody neither answers for our own account nor lists our resources.
      let expected = family == .prosody ? "other-resources-unknown" : "other-resource-visible"
      let words = try degraded(account, witness) { $0.contains(expected) }
      #expect(words.filter { $0.hasPrefix("other-resource") } == [expected])
      try witness.forbid("anything over being asked about", at: phone) { $0.name == "presence" }
    }
  }

  @Test("Where nobody else is there, only ejabberd can say so", arguments: XMPPServer.Family.allCases)
  func noOwnResources(_ family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let account = try witness.account("juliet", parameters: Self.hidden)
      try witness.step("the account connects, hidden") { try account.connect() }
      let words = try degraded(account, witness) { $0.contains("other-resources-unknown") == (family != .ejabberd) }
      #expect(
        words.filter { $0.hasPrefix("other-resource") } == (family == .ejabberd ? [] : ["other-resources-unknown"]))
    }
  }

  @Test(
    "A permission in advance is answered at once, as the server keeps it or does not",
    arguments: XMPPServer.Family.allCases)
  func preApproval(_ family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let account = try witness.account("juliet")
      let romeo = try witness.client("romeo")
      try romeo.send("<presence/>")
      try witness.step("the account connects") {
        witness.model.accounts[account.jid]?.isVisible = true
        try account.connect()
      }
      try witness.step("the person allows what nobody has asked for") {
        // jabberd2 makes it a subscription at once.
        witness.model.accounts[account.jid]?.subscribers = [romeo.bare]
        let deadline = Deadline(.seconds(5))
        do {
          try account.call(
            .Connection, "AuthorizeSubscription", [.string(romeo.bare), .options(["reveal": .bool(true)])])
          #expect(family != .ejabberd)
        } catch let refusal as RawBus.Refusal {
          #expect(refusal.name == "org.nightcloak.Presence1.Error.NotSupportedByServer")
          #expect(family == .ejabberd)
        }
        #expect(!deadline.hasPassed)
      }
      guard family == .prosody else { return }
      try witness.step("the contact asks, and is let in") {
        try romeo.send("<presence to='\(account.jid)' type='subscribe'/>")
        try romeo.expect("what was allowed in advance") {
          $0["from"]?.hasPrefix(account.jid + "/") == true && $0["type"] == nil
        }
      }
      try witness.step("the person takes the contact off the roster") {
        try account.call(
          .Connection, "RemoveContact", [.string(romeo.bare), .options(["reveal": .bool(true)])])
        #expect(try account.call(.Connection, "ListRoster", [.options()])[0].list.isEmpty)
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// What the Doorkeeper is for. Every test here fails against a daemon that was built without it.
@Suite("Nobody is told", .serialized, .timeLimit(.minutes(15)))
struct WitnessPrivacyTests {
  /// The answers of an account that has no session, and then those of one that has.
  private func compare(
    _ witness: Witness, _ stranger: RawClient, with account: OurAccount, when: String
  ) throws {
    let absent = try witness.user("absent")
    let resource = String(try account.fullJID().drop { $0 != "/" }.reversed())
    let expected = try witness.answers(
      to: stranger, bare: "\(absent)@localhost", full: "\(absent)@localhost/" + resource.filter { $0 != "/" })
    let got = try witness.step("a stranger asks everything, \(when)") {
      try witness.answers(to: stranger, bare: account.jid, full: account.fullJID())
    }
    for question in expected.keys.sorted() where expected[question] != got[question] {
      let (present, missing) = (got[question] ?? [], expected[question] ?? [])
      Issue.record("leak: \(question), \(when): an absent account gives \(missing), ours \(present)")
    }
  }

  @Test("A stranger cannot tell a connected account from one without a session", arguments: [false, true])
  func strangerMeetsSilence(visible: Bool) async throws {
    try await Witness.run { witness in
      let account = try witness.account(
        "juliet", parameters: ["visibility": .string(visible ? "visible" : "invisible")])
      witness.model.accounts[account.jid]?.isVisible = visible
      let stranger = try witness.client("stranger")
      try stranger.send("<presence/>")
      try witness.step("the account connects") { try account.connect() }
      try compare(witness, stranger, with: account, when: "policy off, \(visible ? "visible" : "invisible")")
    }
  }

  @Test("A stranger who is asked about, and then denied, sees the same as before")
  func deniedIsSilence() async throws {
    try await Witness.run { witness in
      let account = try witness.account("juliet")
      witness.model.accounts[account.jid]?.isVisible = true
      let stranger = try witness.client("stranger")
      try stranger.send("<presence/>")
      try witness.step("the account connects") {
        try account.connect()
        try account.set(.Decloak, "Policy", .string("ask"))
      }
      try compare(witness, stranger, with: account, when: "while a request is listed")
      try witness.step("somebody denies the request") {
        let requests = try account.call(.Decloak, "ListRequests").first?.list ?? []
        #expect(requests.count == 1)
        let id = requests.first?["Id"]?.text ?? ""
        try account.call(.Decloak, "Deny", [.string(id), .string("once"), .options()])
      }
      try compare(witness, stranger, with: account, when: "after a request was denied")
    }
  }

  @Test("Contacts that have no subscription, or are blocked, are told no more than strangers")
  func oneWayContactsMeetSilence() async throws {
    try await Witness.run { witness in
      let (juliet, nurse, tybalt) = (
        try witness.user("juliet"), try witness.user("nurse"), try witness.user("tybalt")
      )
      // Juliet sees the nurse, but not the other way round; Tybalt had a subscription before he was blocked.
      try witness.subscribe(juliet, to: nurse)
      try witness.subscribe(tybalt, to: juliet)
      witness.model.accounts["\(nurse)@localhost"] = nil
      let account = try witness.account("juliet", user: juliet)
      witness.model.accounts[account.jid]?.isVisible = true
      witness.model.accounts[account.jid]?.blocked = ["\(tybalt)@localhost"]
      let device = try witness.client("juliet's first device", user: juliet)
      try device.iq(
        "set", to: nil, "<block xmlns='urn:xmpp:blocking'><item jid='\(tybalt)@localhost'/></block>")
      try device.close()
      let contacts = [try witness.client("nurse", user: nurse), try witness.client("tybalt", user: tybalt)]
      for contact in contacts { try contact.send("<presence/>") }
      try witness.step("the account connects") { try account.connect() }
      try witness.step("they ask") {
        for contact in contacts {
          for dialect in StrangerQuestion.dialects {
            try contact.send("<presence to='\(account.fullJID())'>\(dialect)</presence>")
          }
          try contact.send("<presence to='\(account.jid)' type='probe'/>")
          try contact.send(
            "<message to='\(account.fullJID())' id='r'><body>?</body><request xmlns='urn:xmpp:receipts'/></message>")
          try contact.send(
            "<iq type='get' id='v' to='\(account.fullJID())'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
          )
        }
        try witness.fence()
        for contact in contacts {
          for answer in contact.received where answer.node["id"] == "v" {
            #expect(answer.node["type"] == "error", "leak: \(contact.name) got \(answer.raw)")
          }
        }
      }
    }
  }

  @Test("Who connects invisible is seen by no contact, and leaves unseen")
  func invisibleIsSilence() async throws {
    try await Witness.run { witness in
      let (juliet, romeo) = (try witness.user("juliet"), try witness.user("romeo"))
      try witness.subscribe(romeo, to: juliet, both: true)
      let account = try witness.account("juliet", user: juliet, parameters: ["visibility": .string("invisible")])
      let contact = try witness.client("romeo", user: romeo)
      try contact.send("<presence/>")
      try contact.ping()
      contact.passAll()
      try witness.step("the account connects, invisible") { try account.connect() }
      try witness.forbid("anything of an invisible account", at: contact) {
        $0["from"]?.hasPrefix(account.jid + "/") == true && $0["type"] != "error"
      }
      try witness.step("the contact asks") {
        try contact.send(
          "<iq type='get' id='v' to='\(account.fullJID())'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
        let answer = try contact.expect("an answer") { $0["id"] == "v" }
        #expect(answer.node["type"] == "error", "leak: \(answer.raw)")
        try contact.send("<presence to='\(account.fullJID())' type='probe'/>")
      }
      try witness.step("the account disconnects") { try account.disconnect() }
      try witness.forbid("anything of an invisible account", at: contact) {
        $0["from"]?.hasPrefix(account.jid + "/") == true && $0["type"] != "error"
      }
    }
  }
}

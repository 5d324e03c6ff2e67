// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Going out of sight and coming back, in the way that needs nothing of the server.
@Suite("Being visible and invisible", .serialized, .timeLimit(.minutes(15)))
struct VisibilityTests {
  @Test("Contacts see who comes online, sets a status, goes invisible and comes back")
  func round() async throws {
    try await Witness.run { witness in
      let (juliet, romeo) = (try witness.user("juliet"), try witness.user("romeo"))
      try witness.subscribe(romeo, to: juliet, both: true)
      let account = try witness.account("juliet", user: juliet)
      let contact = try witness.client("romeo", user: romeo)
      try contact.send("<presence/>")
      try witness.step("the account connects") {
        witness.model.accounts[account.jid]?.isVisible = true
        try account.connect()
        try contact.expect("presence") { $0["from"]?.hasPrefix(account.jid + "/") == true && $0["type"] == nil }
      }
      try witness.step("the account is busy") {
        try account.call(.Connection, "SetPresence", [.string("dnd"), .string("on the phone"), .options()])
        let shown = try contact.expect("the status") { $0.child("status")?.text == "on the phone" }
        #expect(shown.node.child("show")?.text == "dnd")
      }
      let seen = try account.fullJID()
      try witness.step("the account goes invisible") {
        witness.model.accounts[account.jid]?.isVisible = false
        try account.call(.Visibility, "SetInvisible")
        try contact.expect("unavailable of the resource they saw") { $0["from"] == seen && $0["type"] == "unavailable" }
      }
      #expect(try account.get(.Visibility, "Mode") == .string("invisible"))
      #expect(try account.get(.Visibility, "Mechanism") == .string("directed"))
      #expect(try account.fullJID() != seen, "nobody may test the resource that they once saw")
      try witness.step("the account changes its status unseen") {
        try account.call(.Connection, "SetPresence", [.string("away"), .string("gone"), .options()])
      }
      try witness.forbid("anything of an invisible account", at: contact) { !bareJID($0["from"] ?? "").isEmpty }
      try witness.step("invisible again") { try account.call(.Visibility, "SetInvisible") }
      try witness.step("the account comes back") {
        witness.model.accounts[account.jid]?.isVisible = true
        try account.call(.Visibility, "SetVisible")
        try contact.expect("presence") { $0["from"]?.hasPrefix(account.jid + "/") == true && $0["type"] == nil }
      }
      try witness.step("the account disconnects") {
        let full = try account.fullJID()
        witness.model.accounts[account.jid]?.isVisible = false
        try account.disconnect()
        try contact.expect("unavailable") { $0["from"] == full && $0["type"] == "unavailable" }
      }
    }
  }

  @Test("A contact that was shown an invisible account is told when it disconnects, also when it is in the roster")
  func targetsAreTold() async throws {
    try await Witness.run { witness in
      let (juliet, romeo) = (try witness.user("juliet"), try witness.user("romeo"))
      try witness.subscribe(romeo, to: juliet, both: true)
      let account = try witness.account("juliet", user: juliet, parameters: ["visibility": .string("invisible")])
      let contact = try witness.client("romeo", user: romeo)
      let stranger = try witness.client("stranger")
      for client in [contact, stranger] { try client.send("<presence/>") }
      try witness.step("the account connects, invisible") {
        try account.connect()
        try account.set(.Decloak, "Policy", .string("ask"))
      }
      try witness.step("both ask, and get a yes") {
        witness.model.accounts[account.jid]?.sessions = [contact.jid, stranger.jid]
        for client in [contact, stranger] {
          try client.send("<presence to='\(account.fullJID())'>\(StrangerQuestion.dialects[0])</presence>")
        }
        try witness.fence()
        for request in try account.call(.Decloak, "ListRequests")[0].list {
          try account.call(.Decloak, "Approve", [.string(request["Id"]?.text ?? ""), .string("once"), .options()])
        }
        let full = try account.fullJID()
        for client in [contact, stranger] { try client.expect("presence") { $0["from"] == full && $0["type"] == nil } }
      }
      try witness.step("the account disconnects") {
        let full = try account.fullJID()
        witness.model.accounts[account.jid]?.sessions = []
        try account.disconnect()
        for client in [contact, stranger] {
          try client.expect("unavailable") { $0["from"] == full && $0["type"] == "unavailable" }
        }
      }
    }
  }
}

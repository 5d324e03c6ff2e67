// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Subscriptions over D-Bus: each shows only what the person asked for.
@Suite("The roster over D-Bus", .serialized, .timeLimit(.minutes(15)))
struct RosterTests {
  @Test("A subscription request is listed and answered by nobody but the person")
  func requests() async throws {
    try await Witness.run { witness in
      let account = try witness.account("juliet")
      let romeo = try witness.client("romeo")
      try romeo.iq("get", to: nil, "<query xmlns='jabber:iq:roster'/>")
      try romeo.send("<presence/>")
      try witness.owner.call(
        DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddClientInterest",
        [.strings(["*"])])
      try witness.step("the account connects") {
        witness.model.accounts[account.jid]?.isVisible = true
        try account.connect()
      }
      try witness.step("Romeo wants to subscribe") {
        try romeo.send("<presence to='\(account.jid)' type='subscribe'/>")
        try witness.owner.expectSignal("SubscriptionRequested")
      }
      let listed = try account.call(.Connection, "ListSubscriptionRequests")[0].list
      #expect(listed.map { $0["Contact"]?.text } == [romeo.bare])
      try witness.forbid("presence before the yes", at: romeo) {
        $0.name == "presence" && $0["from"]?.hasPrefix(account.jid + "/") == true
      }
      try witness.step("the person says yes") {
        witness.model.accounts[account.jid]?.subscribers = [romeo.bare]
        #expect {
          try account.call(.Connection, "AuthorizeSubscription", [.string(romeo.bare), .options()])
        } throws: {
          ($0 as? RawBus.Refusal)?.name == "org.nightcloak.Presence1.Error.WouldReveal"
        }
        try account.call(
          .Connection, "AuthorizeSubscription", [.string(romeo.bare), .options(["reveal": .bool(true)])])
        try romeo.expect("presence") { $0["from"]?.hasPrefix(account.jid + "/") == true && $0["type"] == nil }
      }
      let roster = try account.call(.Connection, "ListRoster", [.options()])[0].list
      #expect(roster.map { $0["Contact"]?.text } == [romeo.bare])
      #expect(roster.first?["Subscription"]?.text == "from")
      try witness.step("the person takes it back") {
        witness.model.accounts[account.jid]?.subscribers = []
        try account.call(.Connection, "RemoveContact", [.string(romeo.bare), .options()])
        try romeo.expect("the end of the subscription") { $0["type"] == "unsubscribed" || $0["type"] == "unavailable" }
      }
      #expect(try account.call(.Connection, "ListRoster", [.options()])[0].list.isEmpty)
    }
  }

  @Test("Who is invisible does not subscribe by accident")
  func wouldReveal() async throws {
    try await Witness.run { witness in
      let account = try witness.account("juliet", parameters: ["visibility": .string("invisible")])
      let romeo = try witness.client("romeo")
      try romeo.send("<presence/>")
      try witness.step("the account connects, invisible") { try account.connect() }
      for (interface, member, arguments) in [
        (OurAccount.Interface.Connection, "Subscribe", [BusValue.string(romeo.bare), .options()]),
        (.Decloak, "RequestDecloak", [.string(romeo.bare), .string("media"), .options()]),
      ] {
        try witness.step(member) {
          #expect {
            try account.call(interface, member, arguments)
          } throws: {
            ($0 as? RawBus.Refusal)?.name == "org.nightcloak.Presence1.Error.WouldReveal"
          }
        }
      }
      try witness.forbid("anything of an invisible account", at: romeo)
      try witness.step("with reveal it is what the person wants") {
        witness.model.accounts[account.jid]?.sessions = [romeo.jid, romeo.bare]
        try account.call(
          .Decloak, "RequestDecloak", [.string(romeo.bare), .string("media"), .options(["reveal": .bool(true)])])
        try romeo.expect("the question") { $0.child("decloak") != nil }
      }
      try witness.step("the account disconnects") {
        witness.model.accounts[account.jid]?.sessions = []
        try account.disconnect()
        try romeo.expect("the farewell") { $0["type"] == "unavailable" }
      }
    }
  }
}

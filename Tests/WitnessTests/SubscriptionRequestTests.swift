// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Subscription requests wait for a person: nothing ever answers them by itself.
@Suite("Subscription requests", .serialized, .timeLimit(.minutes(15)))
struct SubscriptionRequestTests {
  @Test(
    "A subscription request is listed and not answered, whatever the policy and whoever may see us, under a list too",
    arguments: XMPPServer.Family.allCases, ["visible", "invisible"])
  func listed(family: XMPPServer.Family, visibility: String) async throws {
    try await Witness.run(on: family) { witness in
      let isVisible = visibility == "visible"
      // jabberd2 keeps requests from sessions of negative priority (measured).
      let tybalt = try witness.decloaking(
        "tybalt", policy: "allow", isVisible: isVisible, parameters: ["priority": .int32(0)])
      try witness.takeInterest()
      let full = try tybalt.fullJID()
      let juliet = try witness.client("juliet")
      try juliet.iq("get", to: nil, "<query xmlns='jabber:iq:roster'/>")
      try juliet.send("<presence/>")
      try juliet.ping()
      // From the bare JID servers say themselves that nothing is known of somebody.
      func heard() -> [RawClient.Received] {
        juliet.received.filter { received in
          let from = received.node["from"] ?? ""
          return bareJID(from) == tybalt.jid && (from != tybalt.jid || received.node["type"] != "unavailable")
        }
      }
      func list() throws -> [String?] {
        try tybalt.call(.Connection, "ListSubscriptionRequests")[0].list.map { $0["Contact"]?.text }
      }
      // With policy allow she would be answered at once, if the element meant anything in a request to subscribe
      // (XEP-0276 §3 discourages it).
      let request = "<presence type='subscribe' to='\(tybalt.jid)'>\(StrangerQuestion.dialects[0])</presence>"
      try witness.step("Juliet asks, with the element of decloaking in it, and again") {
        try juliet.send(request)
        try juliet.send("<presence type='subscribe' to='\(tybalt.jid)'/>")
      }
      // Where only directed presence hides, servers keep the request for somebody who is available.
      let isKept = try tybalt.get(.Visibility, "Mechanism").text == "directed"
      if !isKept {
        let signal = try witness.owner.expectSignal("SubscriptionRequested")
        #expect(signal.arguments.first?.text == juliet.bare)
      }
      #expect(try list() == (isKept ? [] : [juliet.bare]))
      #expect(try tybalt.requests().isEmpty)
      #expect(heard().isEmpty, "\(heard())")
      #expect(try tybalt.sessions("they-see-me").isEmpty)
      #expect {
        try tybalt.call(.Connection, "AuthorizeSubscription", [.string(juliet.bare), .options()])
      } throws: {
        ($0 as? RawBus.Refusal)?.name == "org.nightcloak.Presence1.Error.WouldReveal"
      }
      #expect(heard().isEmpty, "\(heard())")
      if isKept {
        try witness.step("Tybalt comes out, and it is there, and waits") {
          witness.model.accounts[tybalt.jid]?.isVisible = true
          try tybalt.call(.Visibility, "SetVisible")
          try witness.owner.expectSignal("SubscriptionRequested")
        }
        #expect(heard().isEmpty, "\(heard())")
      }
      try witness.step("a person says yes") {
        // Behind a list she is let through for it, and a server shows her then what the list keeps from others.
        witness.show(tybalt, to: [juliet.bare])
        witness.model.accounts[tybalt.jid]?.tellsStatus = true
        try tybalt.call(
          .Connection, "AuthorizeSubscription", [.string(juliet.bare), .options(["reveal": .bool(true)])])
        try juliet.expect("the yes") { $0["type"] == "subscribed" && bareJID($0["from"] ?? "") == tybalt.jid }
        // jabberd2 shows him before it says yes.
        if isVisible { try juliet.expect("his presence", from: 0) { $0["from"] == full && $0["type"] == nil } }
      }
      witness.model.accounts[tybalt.jid] = Model.Account()
      witness.model.accounts[tybalt.jid]?.subscribers = [juliet.bare]
      witness.model.accounts[tybalt.jid]?.isVisible = isVisible || isKept
      #expect(try list().isEmpty)
      let mark = juliet.received.count
      try witness.step("what he does now is for those who may see him") {
        try tybalt.call(.Connection, "SetPresence", [.string("away"), .string("gone"), .options()])
      }
      let seen = juliet.presences(of: tybalt.jid, since: mark)
      #expect(seen == (isVisible || isKept ? [""] : []), "\(seen)")
    }
  }
}

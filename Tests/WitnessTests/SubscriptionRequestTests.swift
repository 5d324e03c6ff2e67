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
      let tybalt = try witness.decloaking("tybalt", policy: "allow", isVisible: visibility == "visible")
      try witness.takeInterest()
      let juliet = try witness.client("juliet")
      try juliet.iq("get", to: nil, "<query xmlns='jabber:iq:roster'/>")
      try juliet.send("<presence/>")
      try juliet.ping()
      let mark = juliet.received.count
      try witness.step("Juliet asks, with the element of decloaking in it") {
        // In a request to subscribe it means nothing (XEP-0276 §3): with policy allow she would be answered at once.
        try juliet.send("<presence type='subscribe' to='\(tybalt.jid)'>\(StrangerQuestion.dialects[0])</presence>")
        let signal = try witness.owner.expectSignal("SubscriptionRequested")
        #expect(signal.arguments.first?.text == juliet.bare)
      }
      try witness.step("and again") {
        try juliet.send("<presence type='subscribe' to='\(tybalt.jid)'/>")
      }
      func list() throws -> [String?] {
        try tybalt.call(.Connection, "ListSubscriptionRequests")[0].list.map { $0["Contact"]?.text }
      }
      #expect(try list() == [juliet.bare])
      #expect(try tybalt.requests().isEmpty)
      #expect(juliet.presences(of: tybalt.jid, since: mark).isEmpty)
      #expect(try tybalt.sessions("they-see-me").isEmpty)
      if visibility == "invisible" {
        #expect {
          try tybalt.call(.Connection, "AuthorizeSubscription", [.string(juliet.bare), .options()])
        } throws: {
          ($0 as? RawBus.Refusal)?.name == "org.nightcloak.Presence1.Error.WouldReveal"
        }
        #expect(juliet.presences(of: tybalt.jid, since: mark).isEmpty)
      }
      try witness.step("a person says yes") {
        witness.model.accounts[tybalt.jid]?.subscribers = [juliet.bare]
        let reveal: KeyValuePairs<String, BusValue> = visibility == "visible" ? [:] : ["reveal": .bool(true)]
        try tybalt.call(.Connection, "AuthorizeSubscription", [.string(juliet.bare), .options(reveal)])
        try juliet.expect("the yes") { $0["type"] == "subscribed" && $0["from"] == tybalt.jid }
        if visibility == "visible" { try juliet.expectShown(tybalt.fullJID()) }
      }
      #expect(try list().isEmpty)
      let shown = juliet.presences(of: tybalt.jid, since: mark).contains("")
      #expect(shown == (visibility == "visible"), "a permission shows nobody who hides")
    }
  }
}

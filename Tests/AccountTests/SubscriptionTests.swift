// SPDX-License-Identifier: Apache-2.0

import Audience
import EventLoop
import Testing
import XML
import XMPP

@testable import Account

/// Calls that change the roster, and when they return.
@Suite("Subscriptions", .timeLimit(.minutes(1)))
struct SubscriptionTests {
  init() { EventLoop.runInBackground() }

  @LoopActor private func home(_ features: StreamFeatures = StreamFeatures(), roster: String = "") async throws -> Home
  {
    let home = try await Home(roster: roster)
    home.onOpen = { $0.features = features }
    try await home.connect()
    return home
  }

  @LoopActor private func outcome(
    _ call: @escaping @LoopActor () async throws(AccountError) -> Void
  ) -> Waiter<AccountError.Code?> {
    let outcome = Waiter<AccountError.Code?>()
    spawn {
      do throws(AccountError) {
        try await call()
        outcome.finish(nil)
      } catch { outcome.finish(error.code) }
    }
    return outcome
  }

  private static func push(_ subscription: String) -> String {
    """
    <iq type='set' id='p'><query xmlns='jabber:iq:roster'>\
    <item jid='nurse@localhost' subscription='\(subscription)'/></query></iq>
    """
  }

  @Test("A permission in advance that the server does not keep fails at once, and says why")
  @LoopActor func noPreApproval() async throws {
    let home = try await home()
    let nurse = try BareJID("nurse@localhost")
    let error = await #expect(throws: AccountError.self) {
      try await home.account.authorizeSubscription(nurse, reveal: true)
    }
    #expect(error?.code == .notSupportedByServer)
    #expect(try presences(home.server.take()) == ["<presence to='nurse@localhost' type='subscribed'/>"])
  }

  @Test("A permission in advance is given where the server keeps such, whatever it pushes")
  @LoopActor func preApproval() async throws {
    let feature = Element("sub", "urn:xmpp:features:pre-approval")
    let home = try await home(StreamFeatures([feature]))
    try await home.account.authorizeSubscription(BareJID("nurse@localhost"), reveal: true)
  }

  @Test("A request that the server alone knew of is granted")
  @LoopActor func unknownRequest() async throws {
    let home = try await home()
    try home.server.bounces = { $0.attribute("type") == "subscribed" ? Self.push("from") : nil }
    try await home.account.authorizeSubscription(BareJID("nurse@localhost"), reveal: true)
  }

  @Test("A request that is known is granted when the roster says so, and not before")
  @LoopActor func knownRequest() async throws {
    let home = try await home()
    let nurse = try BareJID("nurse@localhost")
    try home.server.say("<presence from='nurse@localhost' type='subscribe'/>")
    let late = outcome { () async throws(AccountError) in
      try await home.account.authorizeSubscription(nurse, reveal: true)
    }
    await home.sentSomething()
    try await home.account.fence()
    home.time.advance(by: .seconds(10))
    #expect(await late.value() == .timedOut)
  }

  @Test("A contact is off the roster when RemoveContact returns, whichever the server says first")
  @LoopActor func removal() async throws {
    let nurse = try BareJID("nurse@localhost")
    for pushesFirst in [true, false] {
      let home = try await home(roster: "<item jid='nurse@localhost' subscription='both'/>")
      let server = try home.server
      server.bounces = { [weak server] stanza in
        guard stanza.attribute("type") == "set", let id = stanza.attribute("id") else { return nil }
        // Some servers push the end of a subscription first.
        if pushesFirst {
          server?.say(Self.push("to"))
          server?.say(Self.push("remove"))
        }
        return "<iq type='result' id='\(id)'/>"
      }
      let removed = outcome { () async throws(AccountError) in
        try await home.account.removeContact(nurse, reveal: true)
      }
      await home.sentSomething()
      for _ in 0..<3 { try await home.account.fence() }
      if !pushesFirst {
        #expect(home.account.roster.items[nurse] != nil)
        server.say(Self.push("to"))
        try await home.account.fence()
        server.say(Self.push("remove"))
      }
      #expect(await removed.value() == nil)
      #expect(home.account.roster.items[nurse] == nil)
    }
  }

  @Test("A server that never pushes the removal is not believed")
  @LoopActor func removalWithoutPush() async throws {
    let nurse = try BareJID("nurse@localhost")
    let home = try await home(roster: "<item jid='nurse@localhost' subscription='both'/>")
    try home.server.bounces = { stanza in
      stanza.attribute("type") == "set" ? "<iq type='result' id='\(stanza.attribute("id") ?? "")'/>" : nil
    }
    let removed = outcome { () async throws(AccountError) in
      try await home.account.removeContact(nurse, reveal: true)
    }
    await home.sentSomething()
    for _ in 0..<3 { try await home.account.fence() }
    home.time.advance(by: .seconds(10))
    #expect(await removed.value() == .timedOut)
  }
}

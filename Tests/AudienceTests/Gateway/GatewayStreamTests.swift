// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("How a gateway's sessions end")
struct GatewayStreamTests {
  private let balcony = jid("juliet@capulet.example/balcony")
  private let mine = GatewaySubscription(contact: juliet, target: romeoAtSip)
  private let presence = GatewayEffect.decloak(romeoAtSip, .show(.bare(juliet), full: true))
  private let unavailable = GatewayEffect.decloak(romeoAtSip, .hide(.bare(juliet)))
  private let goodbye = GatewayEffect.decloak(romeoAtSip, .hide(jid("juliet@capulet.example/balcony")))

  @Test("A session ends after an hour, with unavailable")
  func expiry() {
    var world = GatewayWorld(.allow)
    world.receive()
    #expect(world.gateway.nextDeadline == Instant(nanoseconds: 3_600_000_000_000))
    #expect(world.wait(3599.9).isEmpty)
    #expect(world.wait(0.1).sent == [goodbye])
    #expect(world.gateway.sessionCount == 0)
  }

  @Test("What is exchanged in a session keeps it alive")
  func exchanged() {
    var world = GatewayWorld(.allow)
    world.receive()
    world.wait(3000)
    #expect(world.sending(world.gateway.exchanged(with: balcony, at: romeoAtSip, now: world.now)).isEmpty)
    #expect(world.wait(3599.9).sent.isEmpty)
    #expect(world.wait(0.1).sent == [goodbye])
    #expect(world.gateway.exchanged(with: balcony, at: romeoAtSip, now: world.now).isEmpty)
  }

  @Test("The last call's end ends the session that was for it")
  func calls() {
    var world = GatewayWorld(.allow)
    world.receive()
    world.gateway.callBegan("a", with: balcony, at: romeoAtSip)
    world.gateway.callBegan("b", with: balcony, at: romeoAtSip)
    world.gateway.callBegan("c", with: jid("nurse@capulet.example/hall"), at: romeoAtSip)
    #expect(world.gateway.callEnded("a", with: balcony, at: romeoAtSip, now: world.now).isEmpty)
    #expect(world.gateway.callEnded("c", with: balcony, at: romeoAtSip, now: world.now).isEmpty)
    #expect(
      world.sending(world.gateway.callEnded("b", with: balcony, at: romeoAtSip, now: world.now)).sent == [goodbye])
  }

  @Test("Whoever leaves is told nothing, and its session is over")
  func leaving() {
    var world = GatewayWorld(.allow)
    world.receive()
    let effects = world.leave("juliet@capulet.example/balcony")
    #expect(effects.sent.isEmpty)
    #expect(effects.decloak.ends.map(\.cause) == [.peerLeft, .peerLeft])
    #expect(world.gateway.shownCount == 0)
    #expect(!world.gateway.shows(romeoAtSip, to: balcony))
    #expect(world.disconnect(inOrder: true).sent.isEmpty)
    #expect(world.leave("juliet@capulet.example/balcony", from: BareAddress("paris@\(sip)")).isEmpty)
  }

  @Test("Who is subscribed and leaves with one resource still sees us")
  func leavingSubscriber() {
    var world = GatewayWorld(.allow)
    world.subscribe()
    world.receive()
    #expect(world.gateway.shownCount == 2)
    #expect(world.leave("juliet@capulet.example/balcony").isEmpty)
    #expect(world.gateway.shownCount == 1)
    #expect(world.setVisibility(.invisible).sent == [unavailable])
  }

  @Test(
    "Going invisible ends all sessions, and hides from who is subscribed",
    arguments: [Visibility.invisible, Visibility(showsOthers: false, exceptions: [romeo])])
  func invisible(_ hidden: Visibility) {
    var world = GatewayWorld(.allow)
    world.receive()
    world.subscribe()
    world.subscribe(romeo)
    let effects = world.setVisibility(hidden)
    let shown = hidden.shows(romeo)
    #expect(effects.sent.count == (shown ? 2 : 3))
    #expect(Set(effects.sent).isSuperset(of: [unavailable]))
    #expect(!world.sees("\(balcony)"))
    #expect(world.sees(romeo.text) == shown)
    // Every yes is a question now.
    #expect(world.receive("nurse@capulet.example/hall").sent.isEmpty)
    #expect(world.gateway.pendingCount == 1)
    let back = world.setVisibility(.visible)
    #expect(back.sent.count == (shown ? 1 : 2))
    #expect(back.sent.contains(presence))
    #expect(world.refused.isEmpty)
  }

  @Test("Hiding from one contact holds for all addresses, and for no other contact")
  func except() {
    let paris = BareAddress("paris@\(sip)")
    var world = GatewayWorld(.allow)
    world.subscribe()
    world.subscribe(juliet, to: paris)
    world.subscribe(romeo)
    world.receive(at: BareAddress("+1555@\(sip)"))
    let effects = world.setVisibility(Visibility(showsOthers: true, exceptions: [juliet]))
    #expect(
      Set(effects.sent) == [
        unavailable, .decloak(paris, .hide(.bare(juliet))), .decloak(BareAddress("+1555@\(sip)"), .hide(balcony)),
      ])
    #expect(world.receive(at: paris).decloak.announced.map(\.isHiddenFrom) == [true])
    #expect(world.setVisibility(.visible).sent.count == 2)
  }

  @Test("Before we leave in order, everybody who sees us is told")
  func inOrder() {
    var world = GatewayWorld(.allow)
    world.receive()
    world.subscribe()
    world.subscribe(romeo)
    let effects = world.disconnect(inOrder: true)
    #expect(Set(effects.sent) == [goodbye, unavailable, .decloak(romeoAtSip, .hide(.bare(romeo)))])
    #expect(world.gateway.shownCount == 0)
    #expect(world.gateway.sessionCount == 0)
    #expect(world.connect().sent.count == 2)
  }

  @Test("Also who was to be told before and was not")
  func untoldBefore() {
    var world = GatewayWorld(.allow)
    world.receive()
    world.receive("nurse@capulet.example/hall")
    // Many goodbyes at once wait for their turn, and we leave before it comes.
    _ = world.gateway.setPolicy(.off, now: world.now)
    let effects = world.disconnect(inOrder: true)
    #expect(effects.sent.count == 2)
    #expect(Set(effects.sent) == [goodbye, .decloak(romeoAtSip, .hide(jid("nurse@capulet.example/hall")))])
  }

  @Test("After a stream that broke, sessions are over: they are told when we are back, and subscribers are shown again")
  func broken() {
    var world = GatewayWorld(.allow)
    world.receive("nurse@capulet.example/hall")
    world.subscribe()
    world.receive("paris@a.example/x", at: BareAddress("+1555@\(sip)"))
    let effects = world.disconnect(inOrder: false)
    #expect(effects.sent.isEmpty)
    #expect(Set(effects.decloak.ends.map(\.cause)) == [.disconnected])
    // What happens meanwhile is told as well.
    world.unsubscribe()
    world.subscribe(romeo)
    let back = world.connect()
    #expect(
      Set(back) == [
        .decloak(romeoAtSip, .hide(jid("nurse@capulet.example/hall"))),
        .decloak(BareAddress("+1555@\(sip)"), .hide(jid("paris@a.example/x"))),
        .unsubscribed(mine), unavailable, .subscribed(GatewaySubscription(contact: romeo, target: romeoAtSip)),
        .decloak(romeoAtSip, .show(.bare(romeo), full: true)),
      ])
    #expect(world.refused.isEmpty)
    #expect(world.connect() == [.decloak(romeoAtSip, .show(.bare(romeo), full: true))])
  }

  @Test("Whom an earlier run of the program had shown an address is told when we are up")
  func inherited() {
    var world = GatewayWorld(.allow)
    world.inherit(romeoAtSip, balcony)
    #expect(world.connect() == [goodbye])
    #expect(world.gateway.targets.isEmpty)
  }

  @Test("What ends for many at once is forgotten for each of them")
  func allAtOnce() throws {
    var world = GatewayWorld(.ask)
    world.receive()
    world.receive("nurse@capulet.example/hall")
    world.disconnect(inOrder: false)
    #expect(world.gateway.pairCount == 0)
    // Nobody was sent anything, so nothing keeps the address but its sessions.
    for index in 0..<10 { try world.share("a\(index)@d.example/x") }
    #expect(world.gateway.sessionCount == 10)
    world.revoke()
    #expect(world.gateway.sessionCount == 0)
    #expect(world.gateway.pairCount == 0)
    #expect(world.gateway.targets.isEmpty)
  }

  @Test("What waits when the stream ends is over")
  func waiting() {
    var world = GatewayWorld(.ask)
    world.receive()
    #expect(world.disconnect(inOrder: false).decloak.resolved.map(\.outcome) == [.disconnected])
    world.connect()
    #expect(world.receive().decloak.announced.count == 1)
  }

  @Test("Why somebody sees us is said the same way each time: by a subscription before all sessions")
  func why() throws {
    var world = GatewayWorld(.allow)
    #expect(world.gateway.why(balcony) == nil)
    for index in 0..<20 { world.receive(at: BareAddress("+1555\(index)@\(sip)")) }
    #expect(world.gateway.why(balcony) == .session)
    world.subscribe()
    #expect(world.gateway.why(balcony) == .subscription)
    #expect(world.gateway.why(jid("nurse@capulet.example/hall")) == nil)
    #expect(world.gateway.why(jid("\(sip)")) == .ourselves)
    #expect(world.gateway.why(jid("paris@\(sip)/x")) == .ourselves)
    world.setVisibility(Visibility(showsOthers: false, exceptions: [juliet]))
    #expect(world.gateway.why(balcony) == .shown)
    world.setVisibility(.invisible)
    #expect(world.gateway.why(balcony) == nil)
  }

  @Test("Whom we saw because we asked is seen no longer than we are")
  func displacedAsk() throws {
    var world = GatewayWorld(.off)
    let asked = try world.gateway.ask(
      juliet, from: romeoAtSip, reason: .media, lifetime: 3600, reveal: false, now: world.now)
    world.sending(asked.effects)
    _ = world.gateway.appeared(balcony, at: romeoAtSip, now: world.now)
    world.setPolicy(.allow)
    world.pass(1)
    for index in 0..<Limits.gatewaySessions {
      world.receive("a\(index)@d\(index / 4).example/x", at: BareAddress("+1\(index)@\(sip)"))
    }
    #expect(!world.shows(to: "\(balcony)"))
    #expect(world.gateway.peers(of: juliet, at: romeoAtSip).isEmpty)
  }

  @Test("Show and status go to those who may see all of it, capabilities to all who see us")
  func updates() throws {
    var world = GatewayWorld(.allow)
    world.receive()
    world.subscribe(romeo)
    try world.share("nurse@capulet.example", full: true)
    let romeos = GatewayEffect.decloak(romeoAtSip, .show(.bare(romeo), full: true))
    let nurses = GatewayEffect.decloak(romeoAtSip, .show(jid("nurse@capulet.example"), full: true))
    #expect(Set(world.gateway.showAgain(presence: true)) == [romeos, nurses])
    #expect(
      Set(world.gateway.showAgain(presence: false)) == [
        romeos, nurses, .decloak(romeoAtSip, .show(balcony, full: false)),
      ])
  }

  @Test("Nothing leaves for those outside, from an address that nobody sees, or without an address")
  func departures() {
    var world = GatewayWorld(.allow)
    world.receive()
    let gateway = world.gateway
    for departure in Departure.allCases where departure != .invisibility {
      #expect(gateway.verdict(departure, from: romeoAtSip, to: balcony) == .send)
      #expect(gateway.verdict(departure, from: romeoAtSip, to: nil) == .refuse)
      #expect(gateway.verdict(departure, from: romeoAtSip, to: jid("juliet@capulet.example/other")) != .send)
      #expect(gateway.verdict(departure, from: BareAddress("paris@\(sip)"), to: balcony) != .send)
      #expect(gateway.verdict(departure, from: BareAddress(sip), to: balcony) != .send)
    }
    #expect(gateway.destination(of: balcony, from: romeoAtSip) == .inside)
    #expect(gateway.destination(of: balcony, from: BareAddress("paris@\(sip)")) == .outside)
  }
}

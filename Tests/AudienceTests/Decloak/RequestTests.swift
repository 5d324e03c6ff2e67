// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("A request to decloak arrives")
struct RequestTests {
  @Test("With policy off nothing is recorded and nothing is sent")
  func off() {
    var world = World(.off)
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    #expect(world.receive("romeo@montague.example/orchard", isInRoster: true).isEmpty)
    #expect(world.decloak.pendingRequests.isEmpty)
    #expect(world.decloak.droppedRequests == 0)
    #expect(world.decloak.nextDeadline(world.audience) == nil)
  }

  @Test("Off is the policy until something else is said")
  func defaultPolicy() {
    #expect(Decloak(nonce: "boot").policy == .off)
  }

  @Test("With policy off a subscriber, too, is sent nothing")
  func offSubscriber() {
    var world = World(.off, subscribers: [romeo])
    #expect(world.receive("romeo@montague.example/orchard").isEmpty)
  }

  @Test("With policy ask a person is told, and nothing goes over the wire")
  func ask() throws {
    var world = World(.ask)
    world.pass(7)
    let effects = world.receive("tybalt@capulet.example/street", .file, isInRoster: true)
    #expect(effects.sendNothing)
    let request = try #require(effects.announced.first)
    #expect(effects == [.announce(request)])
    #expect(request.contact == tybalt)
    #expect(request.requesters == [jid("tybalt@capulet.example/street")])
    #expect(request.reason == .file)
    #expect(request.namespaces == ["urn:xmpp:decloak:0"])
    #expect(request.receivedAt == world.now)
    #expect(request.expiresAt == world.now.later(bySeconds: 120))
    #expect(request.count == 1)
    #expect(request.isInRoster)
    #expect(!request.isAutomatic)
    #expect(!request.isHiddenFrom)
    #expect(world.decloak.pendingRequests.map(\.id) == [request.id])
    #expect(!world.sees("tybalt@capulet.example/street"))
  }

  @Test("With policy allow it is announced as automatic, answered, and resolved, in this order")
  func allow() throws {
    var world = World(.allow)
    let effects = world.receive("tybalt@capulet.example/street")
    let request = try #require(effects.announced.first)
    #expect(request.isAutomatic)
    #expect(
      effects == [
        .announce(request), .show(jid("tybalt@capulet.example/street"), full: false), .resolved(request, .approved),
        .decided(DecloakDecision(request: request, outcome: .approved, judge: .policy)),
      ])
    #expect(world.sees("tybalt@capulet.example/street"))
    #expect(!world.sees("tybalt@capulet.example/hall"))
    #expect(world.session("tybalt@capulet.example/street")?.expiresAt == world.now.later(bySeconds: 3600))
    #expect(world.decloak.pendingRequests.isEmpty)
  }

  @Test("While we are invisible every allow becomes ask")
  func allowInvisible() {
    var world = World(.allow, mode: .invisible)
    let effects = world.receive("tybalt@capulet.example/street")
    #expect(effects.sendNothing)
    #expect(effects.announced.map(\.isAutomatic) == [false])
    #expect(world.decloak.pendingRequests.count == 1)
    #expect(!world.sees("tybalt@capulet.example/street"))
  }

  @Test("A subscriber that we hide from is a stranger, asked about with a note that we hide from it")
  func hiddenFrom() {
    var world = World(.ask, mode: .invisible, subscribers: [romeo])
    #expect(world.receive("romeo@montague.example/orchard").announced.map(\.isHiddenFrom) == [true])
    #expect(world.receive("tybalt@capulet.example/street").announced.map(\.isHiddenFrom) == [false])
  }

  @Test("Our own account does not ask us", arguments: [Decloak.Policy.ask, .allow])
  func ourselves(_ policy: Decloak.Policy) {
    var world = World(policy)
    #expect(world.receive("juliet@capulet.example/balcony").isEmpty)
    #expect(world.receive("juliet@capulet.example").isEmpty)
  }

  @Test("An entity without resources may ask with its bare JID")
  func bareRequester() throws {
    var world = World()
    world.receive("tybalt@capulet.example")
    #expect(try world.approve(world.pendingID(tybalt)).shown == [.bare(tybalt)])
    #expect(world.sees("tybalt@capulet.example"))
  }

  @Test(
    "The reason is one of the specification's or `other`, never the text that came",
    arguments: [
      (nil, DecloakReason.unstated), ("", .unstated), ("media", .media), ("text", .text), ("file", .file),
      ("other", .other), ("MEDIA", .other), ("<script>", .other),
    ] as [(String?, DecloakReason)])
  func reasons(_ attribute: String?, _ reason: DecloakReason) {
    #expect(DecloakReason(attribute: attribute) == reason)
  }

  // MARK: Repeats

  @Test("A repeat from the same bare JID is merged: counted, no second announcement, no new deadline")
  func merge() throws {
    var world = World()
    let first = try #require(world.receive("tybalt@capulet.example/street", .media).announced.first)
    world.pass(0.5)
    let effects = world.receive("tybalt@capulet.example/hall", .text, namespaces: ["urn:xmpp:temppres:0"])
    #expect(effects.isEmpty)
    world.receive("tybalt@capulet.example/street", namespaces: ["urn:xmpp:temppres:0"])
    let merged = try #require(world.decloak.pending[tybalt])
    #expect(merged.id == first.id)
    #expect(merged.count == 3)
    #expect(merged.requesters == [jid("tybalt@capulet.example/street"), jid("tybalt@capulet.example/hall")])
    #expect(merged.namespaces == ["urn:xmpp:decloak:0", "urn:xmpp:temppres:0"])
    #expect(merged.reason == .media)
    #expect(merged.expiresAt == first.expiresAt)
    #expect(world.decloak.pending.count == 1)
  }

  @Test("Repeats are told at most once a second, and the last of them is told in the end")
  func changedOnceASecond() {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.pass(0.4)
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    #expect(world.decloak.nextDeadline(world.audience) == Instant(nanoseconds: 1_000_000_000))
    #expect(world.wait(0.5).isEmpty)
    #expect(world.wait(0.1).changed.map(\.count) == [2])
    #expect(world.wait(1).isEmpty)
    // A second after the last signal a repeat is told at once, the one after it waits again.
    #expect(world.receive("tybalt@capulet.example/street").changed.map(\.count) == [3])
    #expect(world.receive("tybalt@capulet.example/street").isEmpty)
    #expect(world.wait(0.99).isEmpty)
    #expect(world.wait(0.01).changed.map(\.count) == [4])
    #expect(world.decloak.nextDeadline(world.audience) == Instant(nanoseconds: 120_000_000_000))
  }

  @Test("A repeat after the deadline changes nothing, even when the timer is late")
  func lateRepeat() {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.pass(120)
    #expect(world.receive("tybalt@capulet.example/hall").isEmpty)
    #expect(world.decloak.pending[tybalt]?.count == 1)
  }

  @Test("Ids are never used twice, and start with what no other run of the program uses")
  func ids() throws {
    var world = World()
    var seen: Set<String> = []
    for round in 0..<5 {
      world.receive("tybalt@capulet.example/street")
      let id = world.pendingID(tybalt)
      #expect(seen.insert(id).inserted)
      #expect(id.hasPrefix("boot-"))
      if round.isMultiple(of: 2) { world.leave("tybalt@capulet.example/street") } else { try world.approve(id) }
      world.revoke()
      #expect(seen.insert(try world.ask(romeo).id).inserted)
      world.disconnect(inOrder: true)
    }
    #expect(seen.count == 10)
  }

  // MARK: Those who may see us anyway

  @Test("Somebody who may see us is sent again what it is entitled to, without a prompt")
  func resend() throws {
    var world = World(.ask, subscribers: [romeo])
    #expect(
      world.receive("romeo@montague.example/orchard") == [.show(jid("romeo@montague.example/orchard"), full: true)])
    world.receive("tybalt@capulet.example/street")
    try world.approve(world.pendingID(tybalt))
    #expect(
      world.receive("tybalt@capulet.example/street") == [.show(jid("tybalt@capulet.example/street"), full: false)])
    #expect(world.decloak.pendingRequests.isEmpty)
  }

  @Test("A session with show and status is sent show and status again, by its bare JID too")
  func resendFull() throws {
    var world = World()
    try world.share("tybalt@capulet.example", full: true)
    #expect(world.receive("tybalt@capulet.example/street") == [.show(jid("tybalt@capulet.example/street"), full: true)])
  }

  @Test("It is sent again at most once per 10 s, to each resource on its own")
  func resendInterval() {
    var world = World(.ask, subscribers: [romeo])
    #expect(world.receive("romeo@montague.example/orchard").count == 1)
    world.pass(9.9)
    #expect(world.receive("romeo@montague.example/orchard").isEmpty)
    #expect(world.receive("romeo@montague.example/hall").count == 1)
    world.pass(0.1)
    #expect(world.receive("romeo@montague.example/orchard").count == 1)
  }

  // MARK: Leaving

  @Test("A requester that leaves is withdrawn; the request goes with the last one")
  func withdrawn() {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.receive("tybalt@capulet.example/hall")
    #expect(world.leave("tybalt@capulet.example/elsewhere").isEmpty)
    #expect(world.leave("tybalt@capulet.example/street").resolved.isEmpty)
    #expect(world.decloak.pending[tybalt]?.requesters == [jid("tybalt@capulet.example/hall")])
    let effects = world.leave("tybalt@capulet.example/hall")
    #expect(effects.resolved == [Resolution(contact: tybalt, outcome: .withdrawn)])
    #expect(effects.sendNothing)
    #expect(world.decloak.pending.isEmpty)
  }

  @Test("When some of those who asked have left, it is told which remain")
  func someLeft() {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.receive("tybalt@capulet.example/hall")
    world.wait(1)
    #expect(world.leave("tybalt@capulet.example/street").isEmpty)
    #expect(world.wait(1).changed.map(\.requesters) == [[jid("tybalt@capulet.example/hall")]])
  }

  @Test("A withdrawn request cannot be approved, and brings no silence")
  func afterWithdrawal() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    let id = world.pendingID(tybalt)
    world.leave("tybalt@capulet.example/street")
    #expect(throws: DecloakError.noSuchRequest(id: id)) { try world.approve(id) }
    #expect(world.receive("tybalt@capulet.example/street").announced.count == 1)
  }

  // MARK: Expiry

  @Test("A request that nobody answers expires after 120 s, and nothing is sent")
  func expiry() {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    #expect(world.decloak.nextDeadline(world.audience) == Instant(nanoseconds: 120_000_000_000))
    #expect(world.wait(119.999).isEmpty)
    let effects = world.wait(0.001)
    #expect(effects.resolved == [Resolution(contact: tybalt, outcome: .expired)])
    #expect(effects.sendNothing)
    #expect(world.decloak.pending.isEmpty)
    #expect(world.decloak.nextDeadline(world.audience) == nil)
  }

  @Test("Requests are listed in the order in which they came")
  func order() {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    world.pass(1)
    world.receive("romeo@montague.example/orchard")
    #expect(world.decloak.pendingRequests.map(\.contact) == [tybalt, romeo])
  }
}

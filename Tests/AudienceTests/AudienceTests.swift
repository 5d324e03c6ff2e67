// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Who may know")
struct AudienceTests {
  @Test("A new account is seen by nobody but itself")
  func nobody() {
    let audience = Audience(account: BareAddress("juliet@capulet.example"))
    #expect(audience.mode == .invisible)
    #expect(audience.members.isEmpty)
    #expect(!audience.isBroadcasting)
    #expect(!audience.contains(.bare(tybalt)))
  }

  @Test(
    "Our own account, its resources and its server always know",
    arguments: ["juliet@capulet.example", "juliet@capulet.example/balcony", "capulet.example"],
    [Mode.visible, .invisible])
  func ourselves(_ address: String, _ mode: Mode) {
    #expect(World(mode: mode).audience.why(jid(address)) == .ourselves)
  }

  @Test(
    "Others at our server, and names that only look like ours, are not ourselves",
    arguments: ["nurse@capulet.example", "juliet@montague.example", "montague.example", "sub.capulet.example"])
  func notOurselves(_ address: String) {
    #expect(World().audience.why(jid(address)) == nil)
  }

  @Test("Subscribers know while we are visible, and are strangers while we are not")
  func subscription() {
    var world = World(mode: .visible, subscribers: [romeo])
    #expect(world.audience.why(.bare(romeo)) == .subscription)
    #expect(world.audience.why(jid("romeo@montague.example/orchard")) == .subscription)
    #expect(world.audience.why(.bare(tybalt)) == nil)
    world.setMode(.invisible)
    #expect(world.audience.why(.bare(romeo)) == nil)
    #expect(world.audience.members.isEmpty)
  }

  @Test("A session with a full JID covers that resource alone")
  func fullJID() throws {
    var world = World()
    try world.share("tybalt@capulet.example/street")
    #expect(world.audience.why(jid("tybalt@capulet.example/street")) == .session)
    #expect(world.audience.why(jid("tybalt@capulet.example/hall")) == nil)
    #expect(world.audience.why(.bare(tybalt)) == nil)
    #expect(world.audience.whyAnyResource(of: tybalt) == .session)
    #expect(world.audience.whyAnyResource(of: romeo) == nil)
  }

  @Test("A session with a bare JID covers all its resources")
  func bareJID() throws {
    var world = World()
    try world.share("tybalt@capulet.example")
    #expect(world.audience.why(jid("tybalt@capulet.example/street")) == .session)
    #expect(world.audience.why(.bare(tybalt)) == .session)
    #expect(world.audience.whyAnyResource(of: tybalt) == .session)
  }

  @Test("Everybody who may know is listed, a subscriber with a session once")
  func members() throws {
    var world = World(subscribers: [romeo])
    try world.share("tybalt@capulet.example/street")
    try world.share("romeo@montague.example/orchard")
    let members = world.audience.members.sorted { $0.address < $1.address }
    #expect(members.map(\.address) == [.bare(romeo), jid("tybalt@capulet.example/street")])
    #expect(members.map(\.why) == [.subscription, .session])
    #expect(world.audience.sessions(with: tybalt).map(\.address) == [jid("tybalt@capulet.example/street")])
    world.revoke()
    #expect(world.audience.sessions(with: tybalt).isEmpty)
    #expect(world.audience.whyAnyResource(of: tybalt) == nil)
  }

  @Test("Who was sent presence is remembered until it is told that we are gone")
  func shown() {
    var audience = Audience(account: BareAddress("juliet@capulet.example"))
    audience.noteDeparture(.available, to: .bare(tybalt))
    audience.noteDeparture(.available, to: jid("tybalt@capulet.example/street"))
    audience.noteDeparture(.message, to: .bare(romeo))
    audience.noteDeparture(.iqRequest, to: nil)
    #expect(audience.shown == [.bare(tybalt), jid("tybalt@capulet.example/street")])
    #expect(!audience.isBroadcasting)
    audience.noteDeparture(.unavailable, to: .bare(tybalt))
    #expect(audience.shown == [jid("tybalt@capulet.example/street")])
  }

  @Test("Undirected unavailable tells those who got directed presence too")
  func undirected() {
    var audience = Audience(account: BareAddress("juliet@capulet.example"))
    audience.noteDeparture(.available, to: nil)
    audience.noteDeparture(.available, to: .bare(tybalt))
    #expect(audience.isBroadcasting)
    audience.noteDeparture(.unavailable, to: nil)
    #expect(!audience.isBroadcasting)
    #expect(audience.shown.isEmpty)
  }

  @Test("With the stream goes all that its resource had shown")
  func streamEnded() {
    var audience = Audience(account: BareAddress("juliet@capulet.example"))
    audience.noteDeparture(.available, to: nil)
    audience.noteDeparture(.available, to: .bare(tybalt))
    audience.streamEnded()
    #expect(!audience.isBroadcasting)
    #expect(audience.shown.isEmpty)
  }

  @Test("Of an account whose last address was removed nothing is kept")
  func emptied() {
    var addresses = AddressesByAccount()
    addresses.insert(jid("tybalt@capulet.example/street"))
    addresses.insert(.bare(tybalt))
    addresses.remove(.bare(tybalt))
    #expect(addresses[tybalt] == [jid("tybalt@capulet.example/street")])
    addresses.remove(jid("tybalt@capulet.example/street"))
    #expect(addresses == AddressesByAccount())
  }

  @Test("A point in time stays at the end of time instead of wrapping")
  func endOfTime() {
    #expect(Instant(nanoseconds: .max - 5).later(bySeconds: 1) == .never)
    #expect(Instant(nanoseconds: 7).later(bySeconds: 2) == Instant(nanoseconds: 2_000_000_007))
  }
}

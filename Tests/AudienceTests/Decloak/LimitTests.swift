// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Limits")
struct LimitTests {
  @Test("The limits are the contract's")
  func numbers() {
    #expect(Limits.pendingPerAccount == 16)
    #expect(Limits.pendingPerDomain == 8)
    #expect(Limits.keptForRoster == 4)
    #expect(Limits.requestLifetime == 120)
    #expect(Limits.askLifetime == 120)
    #expect(Limits.sessionLifetime == 3600)
    #expect(Limits.silence == 3600)
    #expect(Limits.resendInterval == 10)
    #expect(Limits.changeInterval == 1)
  }

  @Test("Of one domain 8 requests wait; the others are dropped in silence and counted")
  func perDomain() {
    var world = World()
    for index in 0..<10 { world.receive("a\(index)@evil.example/x", isInRoster: true) }
    #expect(world.decloak.pending.count == 8)
    #expect(world.decloak.droppedRequests == 2)
    #expect(world.receive("a9@evil.example/x").isEmpty)
    #expect(world.receive("a9@other.example/x").announced.count == 1)
  }

  @Test("Of 16 requests 4 are kept for contacts of the roster")
  func keptForRoster() {
    var world = World()
    for index in 0..<20 { world.receive("a\(index)@d\(index).example/x") }
    #expect(world.decloak.pending.count == 12)
    #expect(world.decloak.droppedRequests == 8)
    for index in 0..<6 { world.receive("friend\(index)@f\(index).example/x", isInRoster: true) }
    #expect(world.decloak.pending.count == 16)
    #expect(world.decloak.pending.values.count(where: \.isInRoster) == 4)
    #expect(world.decloak.droppedRequests == 10)
  }

  @Test("Requests that were answered make room")
  func room() throws {
    var world = World()
    for index in 0..<8 { world.receive("a\(index)@d.example/x") }
    #expect(world.receive("b@d.example/x").isEmpty)
    try world.deny(world.pendingID(BareAddress("a0@d.example")))
    #expect(world.receive("b@d.example/x").announced.count == 1)
  }

  @Test("Of one contact 16 resources are answered; more are counted")
  func requesters() throws {
    var world = World()
    for index in 0..<20 { world.receive("tybalt@capulet.example/r\(index)") }
    #expect(world.decloak.pending[tybalt]?.requesters.count == 16)
    #expect(world.decloak.pending[tybalt]?.count == 20)
    #expect(try world.approve(world.pendingID(tybalt)).shown.count == 16)
  }

  @Test("At the limit of sessions nothing more is shown, and the error says what to do")
  func sessions() throws {
    var world = World()
    for index in 0..<255 { try world.share("a\(index)@d.example") }
    world.receive("tybalt@capulet.example/street")
    world.receive("tybalt@capulet.example/hall")
    let id = world.pendingID(tybalt)
    #expect(throws: DecloakError.limitExceeded("sessions (256): end one with Revoke first")) { try world.approve(id) }
    #expect(world.decloak.pending[tybalt] != nil)
    world.leave("tybalt@capulet.example/hall")
    try world.approve(id)
    #expect(world.audience.sessions.count == 256)
    #expect(throws: DecloakError.limitExceeded("sessions (256): end one with Revoke first")) {
      try world.share("romeo@montague.example")
    }
    #expect(throws: (any Error).self) { try world.ask(romeo) }
    world.setPolicy(.allow)
    #expect(world.receive("romeo@montague.example/orchard").isEmpty)
    #expect(world.decloak.droppedRequests == 1)
    #expect(world.audience.sessions.count == 256)
  }

  @Test("Of our own requests 64 wait, and the error says what to do")
  func asks() throws {
    var world = World()
    for index in 0..<64 { try world.ask(BareAddress("a\(index)@d.example")) }
    #expect(throws: DecloakError.limitExceeded("requests of our own (64): end one with Revoke first")) {
      try world.ask(romeo)
    }
    world.revoke(BareAddress("a0@d.example"))
    try world.ask(romeo)
    #expect(world.decloak.asks.count == 64)
  }

  @Test("512 resources are seen in sessions at most")
  func peers() throws {
    var world = World()
    for contact in 0..<40 {
      try world.ask(BareAddress("a\(contact)@d.example"))
      for resource in 0..<15 { world.appear("a\(contact)@d.example/r\(resource)") }
    }
    #expect(world.decloak.peers.count == 512)
    // A yes is given all the same; that one is not listed as seen.
    world.receive("tybalt@capulet.example/street")
    try world.approve(world.pendingID(tybalt))
    #expect(world.sees("tybalt@capulet.example/street"))
    #expect(world.decloak.peers.count == 512)
  }

  @Test("4,096 contacts are silenced; then the silence that ends first gives way")
  func silenced() throws {
    var world = World()
    for index in 0..<4097 {
      world.receive("a\(index)@d.example/x")
      try world.deny(world.pendingID(BareAddress("a\(index)@d.example")))
      world.pass(0.001)
    }
    #expect(world.decloak.silences.count == 4096)
    #expect(world.receive("a4096@d.example/x").isEmpty)
    #expect(world.receive("a1@d.example/x").isEmpty)
    #expect(world.receive("a0@d.example/x").announced.count == 1)
  }

  @Test("Silences that are over are forgotten")
  func silenceForgotten() throws {
    var world = World()
    world.receive("tybalt@capulet.example/street")
    try world.deny(world.pendingID(tybalt))
    world.wait(3600)
    #expect(world.decloak.silences.count == 0)
  }

  @Test("The last 256 answers are remembered")
  func answers() throws {
    var world = World()
    var ids: [String] = []
    for index in 0..<257 {
      world.receive("a\(index)@d.example/x")
      ids.append(world.pendingID(BareAddress("a\(index)@d.example")))
      try world.deny(ids[index])
    }
    #expect(throws: DecloakError.noSuchRequest(id: ids[0])) { try world.deny(ids[0]) }
    #expect(throws: DecloakError.alreadyResolved(id: ids[1], .denied)) { try world.approve(ids[1]) }
  }

  @Test("Who was sent our presence again is forgotten after the interval")
  func resendForgotten() {
    var world = World(subscribers: [romeo])
    for index in 0..<10 { world.receive("romeo@montague.example/r\(index)") }
    #expect(world.decloak.resentAt.count == 10)
    world.wait(10)
    #expect(world.decloak.resentAt.isEmpty)
  }

  // MARK: What one contact can take

  @Test("A subscriber that makes up resources without end is sent 16 copies of our presence, all taken back later")
  func madeUpResources() {
    var world = World(subscribers: [tybalt, romeo])
    for index in 0..<100 {
      world.receive("tybalt@capulet.example/r\(index)")
      world.wait(60)
    }
    #expect(world.audience.shown.count == 16)
    #expect(world.receive("tybalt@capulet.example/r0").count == 1)
    #expect(world.receive("romeo@montague.example/orchard").count == 1)
    #expect(world.roster(tybalt, seesUs: false).hidden.count == 16)
  }

  @Test("Copies that were sent long ago are forgotten when there is no room, though no timer fires")
  func resendRoom() {
    let subscribers = (0..<4097).map { BareAddress("a\($0)@d.example") }
    var world = World(subscribers: Set(subscribers))
    for contact in subscribers.dropLast() { world.receive("\(contact)/x") }
    #expect(world.decloak.resentAt.count == 4096)
    #expect(world.receive("a4096@d.example/x").isEmpty)
    world.pass(10)
    #expect(world.receive("a4096@d.example/x").count == 1)
    #expect(world.decloak.resentAt.count == 1)
  }

  @Test("A stranger that asks from many resources takes 16 sessions of an automatic yes, not everybody's")
  func manyResources() {
    var world = World(.allow)
    for index in 0..<20 { world.receive("tybalt@capulet.example/r\(index)") }
    #expect(world.audience.sessions.count == 16)
    #expect(world.decloak.droppedRequests == 4)
    #expect(world.receive("romeo@montague.example/orchard").shown.count == 1)
  }

  @Test("A contact that answers from many resources counts as 16 peers, not as everybody's")
  func manyPeers() throws {
    var world = World()
    try world.ask(romeo)
    for index in 0..<20 { world.appear("romeo@montague.example/r\(index)") }
    #expect(world.decloak.peers.count == 16)
  }

  @Test("An error at a limit names the limit that was reached")
  func namedLimit() throws {
    var world = World()
    for index in 0..<256 { try world.share("a\(index)@d.example") }
    #expect(throws: DecloakError.limitExceeded("sessions (256): end one with Revoke first")) { try world.ask(romeo) }
  }
}

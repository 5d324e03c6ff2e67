// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Who sees an address of a gateway, as a person asks")
struct GatewayQuestionTests {
  private let balcony = jid("juliet@capulet.example/balcony")

  @Test("Of a session with one resource a bare JID is told as well, and another resource is not")
  func session() {
    var world = GatewayWorld(.allow)
    world.receive()
    world.receive("nurse@capulet.example/hall")
    #expect(world.gateway.why(balcony) == .session)
    #expect(world.gateway.why(.bare(juliet)) == nil && world.gateway.why(jid("juliet@capulet.example/hall")) == nil)
    #expect(world.gateway.whyAnyResource(of: juliet) == .session)
    #expect(world.gateway.whyAnyResource(of: BareAddress("tybalt@capulet.example")) == nil)
    world.leave("juliet@capulet.example/balcony")
    #expect(world.gateway.whyAnyResource(of: juliet) == nil && world.gateway.why(balcony) == nil)
  }

  @Test("Whoever is subscribed to any of them sees it, unless we hide; the gateway sees itself")
  func subscription() {
    var world = GatewayWorld(.allow)
    world.subscribe()
    #expect(world.gateway.why(balcony) == .subscription)
    #expect(world.gateway.whyAnyResource(of: juliet) == .subscription)
    #expect(world.gateway.why(.bare(romeoAtSip)) == .ourselves)
    #expect(world.gateway.whyAnyResource(of: BareAddress(sip)) == .ourselves)
    _ = world.gateway.setVisibility(.invisible, now: world.now)
    #expect(world.gateway.whyAnyResource(of: juliet) == nil)
  }
}

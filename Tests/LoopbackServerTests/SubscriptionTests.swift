// SPDX-License-Identifier: Apache-2.0

internal import LoopbackServer
internal import Testing

@Test("A subscription says who sees whom", arguments: Subscription.allCases)
func subscription(_ subscription: Subscription) {
  #expect(subscription.hasTo == (subscription == .to || subscription == .both))
  #expect(subscription.hasFrom == (subscription == .from || subscription == .both))
}

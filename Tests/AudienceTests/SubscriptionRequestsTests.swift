// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Subscription requests")
struct SubscriptionRequestsTests {
  private let start = Instant(nanoseconds: 0)

  @Test("A request is told once and its repeats are counted")
  func repeats() throws {
    var requests = SubscriptionRequests()
    #expect(requests.received(from: tybalt, now: start)?.contact == tybalt)
    #expect(requests.received(from: tybalt, now: start.later(bySeconds: 5)) == nil)
    let kept = try #require(requests.all.first)
    #expect(kept.count == 2)
    #expect(kept.receivedAt == start)
    #expect(requests.dropped == 0)
  }

  @Test("The list is in the order of arrival")
  func order() {
    var requests = SubscriptionRequests()
    _ = requests.received(from: tybalt, now: start)
    _ = requests.received(from: romeo, now: start.later(bySeconds: 1))
    #expect(requests.all.map(\.contact) == [tybalt, romeo])
  }

  @Test("Above the limit requests are dropped in silence and counted; an answer makes room")
  func limit() {
    var requests = SubscriptionRequests()
    for index in 0..<20 { _ = requests.received(from: BareAddress("a\(index)@d\(index).example"), now: start) }
    #expect(requests.all.count == 16)
    #expect(requests.dropped == 4)
    requests.remove(BareAddress("a0@d0.example"))
    #expect(requests.received(from: tybalt, now: start) != nil)
    requests.removeAll()
    #expect(requests.all.isEmpty)
  }

  @Test("Of one domain 8 wait, so that it cannot crowd out the others")
  func perDomain() {
    var requests = SubscriptionRequests()
    for index in 0..<10 { _ = requests.received(from: BareAddress("a\(index)@evil.example"), now: start) }
    #expect(requests.all.count == 8)
    #expect(requests.dropped == 2)
    #expect(requests.received(from: tybalt, now: start) != nil)
  }
}

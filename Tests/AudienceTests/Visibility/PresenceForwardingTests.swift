// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import Testing

private let stpeter = BareAddress("stpeter@foo.com")
private let pgmillard = BareAddress("pgmillard@foo.com")
private let rynok = BareAddress("rynok@foo.com")
private let roster: Set = [stpeter, pgmillard, rynok]
private let stranger = BareAddress("stranger@bar.com")

private typealias Forward = PresenceForwarding.Forward

extension [PresenceForwarding.Forward] {
  /// What a contact sees next; nil for nothing.
  fileprivate func seen(by contact: BareAddress) -> PresenceForwarding.Content? {
    let own = filter { $0.to.account == contact }
    #expect(own.count <= 1, "twice the same")
    return own.first?.content
  }
}

/// What the three contacts see, in the order stpeter, pgmillard, rynok.
private func expect(
  _ step: [PresenceForwarding.Forward], _ expected: [PresenceForwarding.Content?],
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect([stpeter, pgmillard, rynok].map(step.seen) == expected, sourceLocation: sourceLocation)
  #expect(step.count == expected.count { $0 != nil }, "nobody else", sourceLocation: sourceLocation)
}

@Suite("What a server forwards (XEP-0018 §3–4)")
struct PresenceForwardingTests {
  @Test("Joe's story: listings 5 to 15 of §4.1, for each of the three contacts")
  func listings() {
    var joe = PresenceForwarding()
    // 5: invisible as the first presence. Nobody sees anything.
    expect(joe.invisible(), [nil, nil, nil])
    // 6 and 7: visible to rynok, who sees that joe is there; joe has sent no presence that says more.
    expect(joe.visible(to: rynok, mayReceive: true), [nil, nil, .last])
    // 8 and 9: extended away. The text of 9 shows `away` and another status, where 8 sent `xa`: a server has no reason
    // to change what it forwards, and §4 says nothing of one, so rynok sees the stanza of 8 itself.
    expect(joe.available(to: roster), [nil, nil, .present])
    // 10 and 11: visible to all. Listing 11 shows an empty presence, but the prose above it says the last undirected one
    // is forwarded, and that is the `xa` of 8: an empty one would say that joe is back. Rynok has it already.
    expect(joe.visible(to: roster), [.last, .last, nil])
    // 12 and 13: invisible to pgmillard, who sees joe go.
    expect(joe.invisible(to: pgmillard), [nil, .unavailable, nil])
    // 14 and 15: free to chat. Listing 15 addresses rynok by a resource and stpeter without: broadcasts go to accounts
    // (RFC 6121 §4.4.2), and nothing in the story makes rynok another case.
    let chat = joe.available(to: roster)
    expect(chat, [.present, nil, .present])
    #expect(chat.allSatisfy { $0.to == .bare($0.to.account) })
    // Behind the story: the end is told to those who saw joe last.
    expect(joe.ended(), [.unavailable, nil, .unavailable])
  }

  @Test("Whoever was shown is told of the end once, and whoever was not is told nothing")
  func end() {
    var joe = PresenceForwarding()
    #expect(joe.unavailable().isEmpty)
    expect(joe.available(to: [rynok]), [nil, nil, .present])
    expect(joe.unavailable(), [nil, nil, .present])
    #expect(joe.ended().isEmpty)
  }

  @Test("Undirected visible and invisible clear the exceptions")
  func exceptionsAreCleared() {
    var joe = PresenceForwarding()
    _ = joe.available(to: roster)
    _ = joe.invisible(to: rynok)
    expect(joe.visible(to: roster), [nil, nil, .last])
    #expect(joe.visibility == .visible)
    _ = joe.invisible(to: rynok)
    expect(joe.invisible(), [.unavailable, .unavailable, nil])
    _ = joe.visible(to: stpeter, mayReceive: true)
    expect(joe.invisible(), [.unavailable, nil, nil])
    #expect(joe.visibility == .invisible)
    #expect(joe.available(to: roster).isEmpty)
  }

  @Test("Visible with nothing said before forwards the last presence, of which there is none; nobody gets it twice")
  func visibleFirst() {
    var joe = PresenceForwarding()
    expect(joe.visible(to: roster), [.last, .last, .last])
    #expect(joe.visible(to: roster).isEmpty)
    #expect(joe.visible(to: rynok, mayReceive: true).isEmpty)
  }

  @Test("A contact that is hidden from before the first presence never sees it")
  func hiddenBefore() {
    var joe = PresenceForwarding()
    #expect(joe.invisible(to: rynok).isEmpty)
    expect(joe.available(to: roster), [.present, .present, nil])
    #expect(joe.probed(by: rynok).isEmpty)
    #expect(joe.subscribed(rynok).isEmpty)
  }

  @Test("A contact without a subscription is shown nothing, and seen to once it has one")
  func noSubscription() {
    var joe = PresenceForwarding()
    _ = joe.invisible()
    #expect(joe.visible(to: rynok, mayReceive: false).isEmpty)
    #expect(joe.available(to: [stpeter]).isEmpty)
    expect(joe.subscribed(rynok), [nil, nil, .last])
    #expect(joe.subscribed(stpeter).isEmpty)
    expect(joe.available(to: roster), [nil, nil, .present])
    expect(joe.unsubscribed(rynok), [nil, nil, .unavailable])
  }

  @Test("A probe is answered each time by a session that shows itself to whoever asks, and by no other")
  func probes() {
    var joe = PresenceForwarding()
    #expect(joe.probed(by: rynok).isEmpty, "no presence yet")
    _ = joe.available(to: roster)
    expect(joe.probed(by: rynok), [nil, nil, .last])
    expect(joe.probed(by: rynok), [nil, nil, .last])
    _ = joe.invisible()
    #expect(joe.probed(by: rynok).isEmpty)
    _ = joe.visible(to: rynok, mayReceive: true)
    expect(joe.probed(by: rynok), [nil, nil, .last])
    _ = joe.unavailable()
    #expect(joe.probed(by: rynok).isEmpty)
  }

  @Test("Directed presence while invisible goes there once, to anybody, and is taken back at the end")
  func directed() {
    var joe = PresenceForwarding()
    _ = joe.invisible()
    #expect(joe.available(directedTo: .bare(stranger)) == [Forward(.present, to: .bare(stranger))])
    let phone = Address.full(FullAddress(rynok, resource: "phone"))
    #expect(joe.available(directedTo: phone) == [Forward(.present, to: phone)])
    #expect(joe.available(to: roster).isEmpty, "it has not made rynok one of those who see updates")
    #expect(joe.probed(by: rynok).isEmpty)
    #expect(joe.directedCount == 2)
    #expect(joe.unavailable() == [Forward(.present, to: phone), Forward(.present, to: .bare(stranger))])
    #expect(joe.directedCount == 0)
    #expect(joe.ended().isEmpty)
  }

  @Test("Whoever has directed presence sees us go when we hide from them, and from all")
  func hidingEndsDirected() {
    var joe = PresenceForwarding()
    _ = joe.available(directedTo: .bare(rynok))
    _ = joe.available(directedTo: .bare(stranger))
    expect(joe.invisible(to: rynok), [nil, nil, .unavailable])
    #expect(joe.invisible() == [Forward(.unavailable, to: .bare(stranger))])
    #expect(joe.ended().isEmpty)
  }

  @Test("Directed unavailable takes back what the address has, and no second one follows")
  func directedUnavailable() {
    var joe = PresenceForwarding()
    _ = joe.available(to: roster)
    _ = joe.available(directedTo: .bare(stranger))
    #expect(joe.unavailable(directedTo: .bare(stranger)) == [Forward(.present, to: .bare(stranger))])
    expect(joe.unavailable(directedTo: .bare(rynok)), [nil, nil, .present])
    expect(joe.ended(), [.unavailable, .unavailable, nil])
  }

  @Test("What was directed to somebody who then is shown everything is not taken back twice")
  func directedThenShown() {
    var joe = PresenceForwarding()
    _ = joe.available(directedTo: .bare(rynok))
    _ = joe.available(to: roster)
    _ = joe.available(directedTo: .bare(rynok))
    expect(joe.ended(), [.unavailable, .unavailable, .unavailable])
  }

  @Test("Whoever leaves the roster sees us go, and is no exception any more")
  func removal() {
    var joe = PresenceForwarding()
    _ = joe.available(to: roster)
    _ = joe.invisible(to: rynok)
    #expect(joe.removed(rynok).isEmpty)
    expect(joe.removed(stpeter), [.unavailable, nil, nil])
    #expect(joe.visibility == .visible)
    _ = joe.invisible()
    _ = joe.visible(to: rynok, mayReceive: true)
    expect(joe.removed(rynok), [nil, nil, .unavailable])
    #expect(joe.visibility == .invisible)
  }

  @Test("What else keeps presence from somebody makes them see us go, and see nothing more")
  func withheld() {
    var joe = PresenceForwarding()
    _ = joe.available(to: roster)
    _ = joe.available(directedTo: .bare(stranger))
    let step = joe.withhold { $0.account == rynok || $0.account == stranger }
    #expect(step == [Forward(.unavailable, to: .bare(rynok)), Forward(.unavailable, to: .bare(stranger))])
    expect(joe.available(to: roster) { $0 != rynok }, [.present, .present, nil])
    #expect(joe.visible(to: roster) { $0 != rynok }.isEmpty)
    expect(joe.ended(), [.unavailable, .unavailable, nil])
  }

  @Test("Unavailable does not end invisibility; the invisible command's opposite does, and sends nothing")
  func comingBack() {
    var joe = PresenceForwarding()
    _ = joe.invisible()
    _ = joe.unavailable()
    #expect(joe.available(to: roster).isEmpty)
    _ = joe.available(directedTo: .bare(stranger))
    joe.restart()
    #expect(joe.probed(by: rynok).isEmpty)
    expect(joe.available(to: roster), [.present, .present, .present])
    #expect(joe.ended().contains(Forward(.unavailable, to: .bare(stranger))))
  }

  @Test("What one directed change costs does not grow with the exceptions: 10,000 cost what 10 cost")
  func cost() {
    func time(_ count: Int) -> Duration {
      var joe = PresenceForwarding()
      _ = joe.invisible()
      let contacts = (0..<count).map { BareAddress("contact\($0)@foo.com") }
      for contact in contacts { _ = joe.visible(to: contact, mayReceive: true) }
      let clock = ContinuousClock()
      // The best of several: other programs only ever make it slower.
      return (0..<5).map { _ in
        clock.measure {
          for _ in 0..<200 {
            _ = joe.visible(to: rynok, mayReceive: true)
            _ = joe.invisible(to: rynok)
          }
        }
      }.min() ?? .zero
    }
    let (few, many) = (time(10), time(10_000))
    #expect(many < few * 10, "a thousand times as many: \(few) and \(many)")
  }
}

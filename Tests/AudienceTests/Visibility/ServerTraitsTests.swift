// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("What was measured of servers")
struct ServerTraitsTests {
  private func words(_ name: String?, _ mechanism: Mechanism) -> Set<Degradation> {
    ServerTraits(named: name).degradations(of: mechanism)
  }

  @Test("A server falls short by what it is and by the mechanism")
  func rows() {
    #expect(words("Prosody", .privacyList) == [.noContactPresence, .uncleanCloseShowsUnavailable])
    #expect(words("Prosody", .directed) == [.uncleanCloseShowsUnavailable])
    let ejabberd: Set<Degradation> = [
      .serverAnswersFullJID, .serverAsksStrangers, .serverTellsLastActivity, .serverListsResource,
    ]
    #expect(words("ejabberd", .privacyList) == ejabberd)
    #expect(words("ejabberd", .directed) == ejabberd)
    #expect(words("Jabber IM server", .privacyList) == [.serverAnswersFullJID])
    #expect(words("Jabber IM server", .directed) == [.serverAnswersFullJID, .uncleanCloseShowsUnavailable])
    for mechanism in Mechanism.allCases { #expect(words("nightcloak-loopback", mechanism).isEmpty) }
  }

  @Test("One that nobody has measured is taken for the worst of them all", arguments: [nil, "a server of my own"])
  func unknown(_ name: String?) {
    for mechanism in Mechanism.allCases where mechanism != .none {
      for known in ["Prosody", "ejabberd", "Jabber IM server"] {
        #expect(words(name, mechanism).isSuperset(of: words(known, mechanism)))
      }
    }
    #expect(words(name, .directed).contains(.uncleanCloseShowsUnavailable))
    #expect(words(name, .none).isEmpty)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XMPP

@testable import Gateway

@Suite("What others can make a gateway's program remember")
struct LimitTests {
  init() { EventLoop.runInBackground() }

  @Test("What was announced is remembered of so many, and forgotten of one for each more")
  func announced() throws {
    let capabilities = AnnouncedCapabilities(
      in: Presence(payload: [OwnCapabilities().element]))
    #expect(capabilities != nil)
    var book = AnnouncedBook()
    for number in 0...AnnouncedBook.most { book.note(capabilities, of: .bare(BareAddress("user\(number)@d"))) }
    #expect(book.count == AnnouncedBook.most)
    #expect(book[.bare(BareAddress("user\(AnnouncedBook.most)@d"))] == capabilities)
    book.note(nil, of: .bare(BareAddress("user\(AnnouncedBook.most)@d")))
    #expect(book.count == AnnouncedBook.most - 1)
  }

  @Test("Goodbyes are remembered for as long as a cut may not be noticed, and so many of them")
  @LoopActor func farewells() {
    let time = ManualTime()
    func shown(_ number: Int) -> Shown {
      Shown(target: BareAddress("a@d"), address: .bare(BareAddress("user\(number)@d")))
    }
    var farewells = RecentFarewells()
    farewells.add(shown(0), at: time.now)
    let later = time.now + RecentFarewells.limit
    farewells.add(shown(1), at: later)
    #expect(farewells.takeAll(at: later + .seconds(1)) == [shown(1)])
    #expect(farewells.takeAll(at: later).isEmpty)
    for number in 0..<(2 * RecentFarewells.most + 100) { farewells.add(shown(number), at: later) }
    let left = farewells.takeAll(at: later)
    #expect(left.count == RecentFarewells.most && left.last == shown(2 * RecentFarewells.most + 99))
  }

  @Test("What strangers do is counted in the log, seldom")
  @LoopActor func counts() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.account.setRule(.allow, for: .target(try TargetPattern("*%shakespeare.lit@sip.shakespeare.lit")))
    for number in 0..<3 { try house.ask("\(number)%montague.lit@sip.shakespeare.lit") }
    var counts = GatewayCounts()
    let now = house.account.now
    let line = counts.line(house.account.gateway.counts, now: now)
    #expect(line?.contains("3 (3 new) to hidden addresses") == true)
    try house.ask("4%montague.lit@sip.shakespeare.lit")
    #expect(counts.line(house.account.gateway.counts, now: now) == nil)
    let later = counts.line(house.account.gateway.counts, now: now.later(bySeconds: RequestCounts.interval))
    #expect(later?.contains("4 (1 new) to hidden addresses") == true)
  }

  @Test(
    "What a gateway says of itself has limits, and cannot be taken for something else",
    arguments: ["features", "empty feature", "long feature", "identities", "no identity", "slash", "groups"])
  func configuration(_ fault: String) throws {
    var configuration = GatewayConfiguration(
      component: ComponentConfiguration(domain: try BareJID(House.domain), secret: "s"))
    try configuration.check()
    switch fault {
    case "features": configuration.features = (0...GatewayConfiguration.mostFeatures).map { "urn:x:\($0)" }
    case "empty feature": configuration.features = [""]
    case "long feature": configuration.features = [String(repeating: "x", count: 257)]
    case "identities":
      configuration.identities = (0...GatewayConfiguration.mostIdentities).map {
        DiscoInfo.Identity(category: "gateway", type: "t\($0)")
      }
    case "no identity": configuration.identities = []
    case "slash": configuration.identities = [DiscoInfo.Identity(category: "gateway/sip", type: "x")]
    default: configuration.visibility.groups = ["Friends"]
    }
    let error = #expect(throws: AccountError.self) { try configuration.check() }
    #expect([.invalidArgument, .limitExceeded].contains(error?.code))
  }

  @Test("A stanza of our own making that would tell a stranger of an address stays, and is counted")
  @LoopActor func fault() async throws {
    let house = try await House().connect()
    var presence = Presence(to: try JID(House.juliet))
    presence.from = try JID(House.romeo)
    house.account.doorkeeper.send(.presence(presence))
    presence.type = .unavailable
    house.account.doorkeeper.send(.presence(presence))
    presence.to = nil
    house.account.doorkeeper.send(.presence(presence))
    presence.from = try JID("romeo@montague.lit")
    house.account.doorkeeper.send(.presence(presence))
    #expect(try house.taken().isEmpty)
    #expect(house.account.doorkeeper.faults == 4)
  }
}

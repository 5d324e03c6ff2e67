// SPDX-License-Identifier: Apache-2.0

import Audience
import EventLoop
import Store
import Testing
import XML
import XMPP

@testable import Account

@Suite("What others can do, asked once", .timeLimit(.minutes(1)))
struct PeerCapabilitiesTests {
  private let info = DiscoInfo(
    identities: [
      .init(category: "client", type: "pc", language: "en", name: "Ψ <&'\" 0.11"),
      .init(category: "client", type: "pc", language: "el", name: "Ψ 0.11"),
    ],
    features: ["f", "http://jabber.org/protocol/caps", "a&b"],
    forms: [
      .init(
        type: "urn:xmpp:dataforms:softwareinfo",
        [.init("os", values: ["Mac"]), .init("ip_version", type: "text-multi", values: ["ipv4", "ipv6"])])
    ])

  init() { EventLoop.runInBackground() }

  /// A contact whom we asked, and who answers with this hash.
  @LoopActor private func ask(_ home: Home, _ contact: String, ver: String? = nil, algorithm: String = "sha-1")
    async throws
  {
    _ = try await home.account.requestDecloak(
      try BareJID(contact), reason: .media, wait: .zero, lifetime: nil, reveal: false)
    let hash = ver ?? EntityCapabilities.hash(info, algorithm: algorithm) ?? ""
    try home.server.say(
      """
      <presence from='\(contact)/r'>\
      <c xmlns='http://jabber.org/protocol/caps' hash='\(algorithm)' node='n' ver='\(hash)'/></presence>
      """)
  }

  /// The features of peers by their JID, and who was asked for them.
  @LoopActor private func learned(_ home: Home, _ contacts: [String]) async throws -> [String: [String]] {
    let done = Waiter<Void>()
    var features: [String: [String]] = [:]
    home.onEvent = {
      guard case .peerDecloaked(_, let peer) = $0 else { return }
      features[peer.jid.description] = peer.capabilities.features
      if features.count == contacts.count { done.finish(()) }
    }
    for contact in contacts {
      try home.server.answers["\(contact)/r"] = answer
      try await ask(home, contact)
    }
    await done.value()
    return features
  }

  private var answer: String { info.element(node: "n#echoed").serialized() }

  @LoopActor private func questions(_ home: Home) throws -> [String] {
    try home.server.sent.filter { $0.name == "iq" && $0.child("query", DiscoInfo.namespace) != nil }
      .compactMap { $0.attribute("to") }
  }

  @LoopActor private func started(_ store: AccountStore) async throws -> Home {
    let home = try await Home(store: store)
    try await home.connect()
    return home
  }

  @Test("Of those who announce one hash the first is asked, and after a new start nobody")
  @LoopActor func once() async throws {
    let store = try await Home.emptyStore()
    let home = try await started(store)
    let contacts = ["tybalt@localhost", "nurse@localhost", "paris@localhost"]
    let features = try await learned(home, contacts)
    #expect(features == Dictionary(uniqueKeysWithValues: contacts.map { ("\($0)/r", info.features.sorted()) }))
    #expect(try questions(home) == ["tybalt@localhost/r"])
    let later = try await started(store)
    #expect(try await learned(later, Array(contacts.reversed())) == features)
    #expect(try questions(later) == [])
    // The whole of it is there, and known without asking from then on.
    let peer = try #require(later.account.decloak.peers.values.first)
    #expect(later.account.knownCapabilities(peer.address).identities == info.identities)
    #expect(later.account.knownCapabilities(peer.address).node == "n")
  }

  @Test("Each resource that a rule answers is asked, though only the first is announced")
  @LoopActor func answeredByRule() async throws {
    let home = try await started(try await Home.emptyStore())
    try home.account.setPolicy(.allow)
    for resource in ["garden", "street"] {
      try home.ask("romeo@montague.lit/\(resource)")
      await turns()
    }
    #expect(home.announced().count == 1)
    #expect(try questions(home) == ["romeo@montague.lit/garden", "romeo@montague.lit/street"])
  }

  @Test("Whom we let see us is known when we ask it in turn: nothing is sent, and what it can do is listed")
  @LoopActor func askedInTurn() async throws {
    let home = try await started(try await Home.emptyStore())
    try home.account.setPolicy(.allow)
    let romeo = "romeo@montague.lit/garden"
    try home.server.answers[romeo] = answer
    try home.ask(romeo)
    await turns()
    let peers = Waiter<[PeerInfo]>()
    spawn {
      let asked = try? await home.account.requestDecloak(
        try BareJID("romeo@montague.lit"), reason: .media, wait: .seconds(60), lifetime: nil, reveal: false)
      peers.finish(asked?.peers ?? [])
    }
    await turns()
    home.time.advance(by: .seconds(60))
    let found = await peers.value()
    #expect(found.map(\.jid.description) == [romeo])
    #expect(found.first?.capabilities.features == info.features.sorted())
    #expect(try presences(home.server.take()).count == 1)
    // It announced no hash, and yet it is no secret from the list.
    let peer = try #require(home.account.decloak.peers.values.first)
    #expect(home.account.knownCapabilities(peer.address).features == info.features.sorted())
  }

  @Test("Those who announce a hash while another is being asked for it wait for that answer")
  @LoopActor func together() async throws {
    let store = try await Home.emptyStore()
    let home = try await started(store)
    let server = try home.server
    let contacts = (0..<5).map { "contact\($0)@localhost" }
    server.holdsAnswers = true
    let asked = Waiter<Void>()
    server.onSend = { if server.sent.last?.name == "iq" { asked.finish(()) } }
    let all = Waiter<[String: [String]]>()
    spawn { all.finish((try? await learned(home, contacts)) ?? [:]) }
    await asked.value()
    // The others have looked into the store by the time that this one has.
    _ = await store.capabilities(algorithm: "sha-1", hash: "fence")
    server.releaseAnswers()
    #expect(await all.value().count == 5)
    #expect(try questions(home).count == 1)
  }

  @Test(
    "What is kept and has not this hash is not believed: somebody is asked again, and that is kept",
    arguments: [
      "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='pc'/><feature var='g'/></query>",
      "<query xmlns='http://jabber.org/protocol/disco#info'><feature/></query>", "<query", "", "\u{0}",
      "<other xmlns='urn:x'/>",
    ])
  @LoopActor func tampered(_ text: String) async throws {
    let store = try await Home.emptyStore()
    _ = try await learned(try await started(store), ["tybalt@localhost"])
    let hash = EntityCapabilities.hash(info)
    let kept = try #require(await store.capabilities(algorithm: "sha-1", hash: hash))
    store.keepCapabilities(StoredCapabilities(algorithm: "sha-1", hash: hash, info: text))
    let again = try await started(store)
    #expect(try await learned(again, ["tybalt@localhost"]) == ["tybalt@localhost/r": info.features.sorted()])
    #expect(try questions(again) == ["tybalt@localhost/r"])
    #expect(await store.capabilities(algorithm: "sha-1", hash: hash) == kept)
  }

  @Test("What is kept under a hash that it has not is dropped, also when nobody tells anything better")
  @LoopActor func dropped() async throws {
    let store = try await Home.emptyStore()
    let hash = EntityCapabilities.hash(info)
    store.keepCapabilities(StoredCapabilities(algorithm: "sha-1", hash: hash, info: "<forged/>"))
    let home = try await started(store)
    let told = Waiter<[String]>()
    home.onEvent = { if case .peerDecloaked(_, let peer) = $0 { told.finish(peer.capabilities.features) } }
    try home.server.answers["tybalt@localhost/r"] = "<query xmlns='\(DiscoInfo.namespace)'/>"
    try await ask(home, "tybalt@localhost")
    #expect(await told.value() == [])
    #expect(await store.capabilities(algorithm: "sha-1", hash: hash) == nil)
  }

  @Test("What nobody could prove is not kept", arguments: ["sha-1", "md5"])
  @LoopActor func unproved(_ algorithm: String) async throws {
    let store = try await Home.emptyStore()
    let home = try await started(store)
    let told = Waiter<[String]>()
    home.onEvent = { if case .peerDecloaked(_, let peer) = $0 { told.finish(peer.capabilities.features) } }
    try home.server.answers["tybalt@localhost/r"] = answer
    try await ask(home, "tybalt@localhost", ver: "q07IKJEyjvHSyhy//CH0CxmKi8w=", algorithm: algorithm)
    #expect(await told.value() == [])
    #expect(await store.capabilities(algorithm: algorithm, hash: "q07IKJEyjvHSyhy//CH0CxmKi8w=") == nil)
  }

  @Test("Who is outside is not asked; what the store knows of a hash counts for it as well")
  @LoopActor func stranger() async throws {
    let store = try await Home.emptyStore()
    let home = try await started(store)
    let hash = EntityCapabilities.hash(info)
    let element = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='\(hash)'/>"
    let presence = try Presence(
      try Element.parse("<presence from='romeo@montague.lit/garden'>\(element)</presence>", namespace: "jabber:client"))
    let romeo = try #require(presence.from)
    let announced = try #require(AnnouncedCapabilities(in: presence))
    try home.server.answers[romeo.description] = answer
    for announced in [announced, nil] {
      #expect(await home.account.capabilities.learn(romeo, announced) == Capabilities())
    }
    #expect(try questions(home) == [])
    store.keepCapabilities(StoredCapabilities(algorithm: "sha-1", hash: hash, info: answer))
    #expect(await home.account.capabilities.learn(romeo, announced).identities == info.identities)
    #expect(try questions(home) == [])
  }

  @Test("In memory the longest unused goes when there are too many, or too many bytes")
  func cache() {
    func hash(_ number: Int) -> AnnouncedCapabilities.Hash { .init(algorithm: "sha-1", value: "\(number)") }
    var cache = CapabilitiesCache()
    for number in 0..<1_000 { cache.insert(info, for: hash(number), bytes: 100) }
    #expect(cache.use(hash(0)) == info)
    cache.insert(info, for: hash(1), bytes: 200)
    for number in 1_000..<1_003 { cache.insert(info, for: hash(number), bytes: 100) }
    #expect(cache.count == 1_000 && cache.bytes == 100_100)
    #expect((0..<1_003).filter { cache[hash($0)] == nil } == [2, 3, 4])
    cache.insert(info, for: hash(7_000), bytes: CapabilitiesCache.mostBytes - 150)
    #expect(cache.count == 2 && cache[hash(7_000)] != nil && cache[hash(1_002)] != nil)
    cache.insert(info, for: hash(7_001), bytes: CapabilitiesCache.mostBytes + 1)
    #expect(cache[hash(7_001)] == nil && cache.count == 2)
  }
}

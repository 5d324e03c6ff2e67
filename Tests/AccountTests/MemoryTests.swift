// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Store
import Testing
import XML
import XMPP

/// What an account keeps beyond its connection, and beyond the life of the program.
@Suite("What is kept", .timeLimit(.minutes(1)))
struct MemoryTests {
  init() { EventLoop.runInBackground() }

  // MARK: Goodbyes that are owed

  @Test("Whom a hidden session was shown to is written down before it leaves, and struck out when told that it ended")
  @LoopActor func disclosures() async throws {
    let home = try await Home(mode: .invisible)
    try await home.connect()
    var known: [Disclosure] = []
    try home.server.onSend = { if known.isEmpty { known = (try? home.store.disclosures()) ?? [] } }
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    let resource = try home.server.resource
    #expect(known == [Disclosure(resource: resource, jid: "romeo@localhost/r")])
    _ = home.account.revoke(nil)
    #expect(try home.store.disclosures().isEmpty)
  }

  @Test("What cannot be written down is not done, and whoever called is told")
  @LoopActor func unwritable() async throws {
    let store = try await Store.open(directory: nil)
    let key = AccountKey(uid: 1000, jid: "juliet@localhost", protocol: "xmpp")
    let home = try await Home(mode: .invisible, store: store.account(key))
    try await home.connect()
    try home.account.setPolicy(.ask)
    try home.ask("tybalt@localhost/t")
    let id = try #require(home.announced().first?.id)
    await store.close()
    let romeo = try BareJID("romeo@localhost")
    var errors: [AccountError.Code] = []
    do throws(AccountError) { try home.account.share(JID(romeo), full: false, lifetime: nil) } catch {
      errors.append(error.code)
    }
    do throws(AccountError) { try home.account.approve(id, full: false, lifetime: nil) } catch {
      errors.append(error.code)
    }
    do throws(AccountError) {
      _ = try await home.account.requestDecloak(romeo, reason: .media, wait: .zero, lifetime: nil, reveal: true)
    } catch { errors.append(error.code) }
    #expect(errors == [.storageFailed, .storageFailed, .storageFailed])
    #expect(home.account.audience.sessions.isEmpty)
    #expect(home.account.decloak.pending.count == 1)
    #expect(try presences(home.server.take()).isEmpty)
  }

  @Test("What was written down for a decision that was not taken is struck out")
  @LoopActor func struckOut() async throws {
    let home = try await Home(mode: .invisible)
    try await home.connect()
    let romeo = try BareJID("romeo@localhost")
    await #expect(throws: AccountError.self) {
      _ = try await home.account.requestDecloak(romeo, reason: .media, wait: .zero, lifetime: nil, reveal: false)
    }
    #expect(try home.store.disclosures().isEmpty)
  }

  @Test("A visible account writes nothing down: its server says goodbye for it")
  @LoopActor func visible() async throws {
    let home = try await Home()
    try await home.connect()
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    #expect(try home.store.disclosures().isEmpty)
  }

  @Test(
    "A session that ended without its goodbyes is bound once more, says them to those alone, and is left for another")
  @LoopActor func owed() async throws {
    let store = try await Home.emptyStore()
    try store.noteDisclosures(resource: "old", jids: ["nurse@localhost/n", "romeo@localhost/r"])
    let home = try await Home(
      mode: .invisible, roster: "<item jid='nurse@localhost' subscription='both'/>", store: store)
    try await home.account.connect()
    #expect(home.servers.map(\.resource) == ["old", "r2"])
    let goodbyes = presences(home.servers[0].take())
    #expect(goodbyes.count == 2)
    for (goodbye, jid) in zip(goodbyes, ["nurse@localhost/n", "romeo@localhost/r"]) {
      #expect(goodbye.contains("type='unavailable'") && goodbye.contains(jid))
    }
    #expect(try presences(home.server.take()).isEmpty)
    #expect(try store.disclosures().isEmpty)
  }

  @Test("Each goodbye that is owed is struck out as it is said: a cut right behind it does not have it said again")
  @LoopActor func struckOutOneByOne() async throws {
    let store = try await Home.emptyStore()
    try store.noteDisclosures(resource: "old", jids: ["nurse@localhost/n", "romeo@localhost/r"])
    let home = try await Home(mode: .invisible, store: store)
    var left: [Int] = []
    home.onOpen = { server in
      guard server.resource == "old" else { return }
      server.onSend = { [unowned server] in
        guard server.sent.last?.name == "presence" else { return }
        left.append((try? store.disclosures().count) ?? -1)
      }
    }
    try await home.account.connect()
    #expect(left == [1, 0])
  }

  @Test("So does one that was lost with its session, before it comes back")
  @LoopActor func owedAfterOutage() async throws {
    let home = try await Home(mode: .invisible)
    try await home.connect()
    try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
    home.onOpen = { $0.resumes = false }
    try home.server.cut(time: home.time)
    home.time.advance(by: .seconds(2))
    await home.status(.connected)
    #expect(home.servers.map(\.resource) == ["r1", "r1", "r3"])
    #expect(presences(home.servers[1].take()).map { $0.contains("type='unavailable'") } == [true])
    #expect(try presences(home.server.take()).isEmpty)
  }

  @Test("A server that gives another resource than was asked for leaves nothing to say; the debt is dropped")
  @LoopActor func unpayable() async throws {
    let store = try await Home.emptyStore()
    try store.noteDisclosure(resource: "old", jid: "romeo@localhost/r")
    let home = try await Home(mode: .invisible, store: store)
    home.onOpen = { $0.resource = "given" }
    try await home.account.connect()
    #expect(home.servers.flatMap { presences($0.take()) }.isEmpty)
    #expect(try store.disclosures().isEmpty)
  }

  @Test("A resource that a server gives each time is taken back each time")
  @LoopActor func givenAgain() async throws {
    let home = try await Home(mode: .invisible)
    home.onOpen = {
      $0.resource = "given"
      $0.resumes = false
    }
    try await home.connect()
    for _ in 0..<2 {
      try home.account.share(JID("romeo@localhost/r"), full: false, lifetime: nil)
      let before = home.servers.count
      try home.server.cut(time: home.time)
      home.time.advance(by: .seconds(5))
      await home.status(.connected)
      #expect(presences(home.servers[before].take()).map { $0.contains("type='unavailable'") } == [true])
      #expect(try presences(home.server.take()).isEmpty)
    }
    #expect(try home.store.disclosures().isEmpty)
  }

  // MARK: The roster

  private static let versioned = StreamFeatures([Element("ver", "urn:xmpp:features:rosterver")])

  @Test("The roster is kept with its version and what is pushed, and only what has changed is asked for")
  @LoopActor func rosterVersion() async throws {
    let store = try await Home.emptyStore()
    let home = try await Home(
      roster: "<item jid='nurse@localhost' name='N' subscription='both'><group>G</group></item>", store: store)
    home.onOpen = {
      $0.features = Self.versioned
      $0.rosterVersion = "v1"
    }
    try await home.account.connect()
    #expect(try home.server.take().contains { $0.contains("ver=''") })
    try home.server.say(
      "<iq type='set' id='p'><query xmlns='jabber:iq:roster' ver='v2'><item jid='romeo@localhost' subscription='to'/></query></iq>"
    )
    await home.account.disconnect()

    let later = try await Home(roster: "<item jid='other@localhost' subscription='both'/>", store: store)
    later.onOpen = {
      $0.features = Self.versioned
      $0.rosterVersion = "v2"
    }
    try await later.account.connect()
    #expect(try later.server.take().contains { $0.contains("ver='v2'") })
    #expect(later.account.roster.items == home.account.roster.items)
    #expect(later.account.roster.items.count == 2)
    #expect(later.account.audience.subscribers == [BareAddress("nurse@localhost")])
  }

  @Test("A server without versions is asked for the whole roster, and none is kept")
  @LoopActor func unversioned() async throws {
    let home = try await Home(roster: "<item jid='nurse@localhost' subscription='both'/>")
    try await home.account.connect()
    let question = try home.server.take().first { $0.contains("jabber:iq:roster") }
    #expect(question?.contains("ver=") == false)
    #expect(await home.store.roster() == nil)
  }

  // MARK: Logging in

  @Test("The strongest way of logging in that has worked is remembered and demanded")
  @LoopActor func mechanism() async throws {
    let home = try await Home()
    home.onOpen = { $0.mechanism = "SCRAM-SHA-256" }
    try await home.connect()
    #expect(try home.store.leastMechanism() == "SCRAM-SHA-256")
    await home.account.disconnect()
    try await home.connect()
    #expect(try home.server.configuration.leastMechanism == "SCRAM-SHA-256")
  }

  @Test("A way of logging in that failed is not given up for a weaker one, until one has worked")
  @LoopActor func triedMechanism() async throws {
    let home = try await Home()
    home.onOpen = { $0.isMute = true }
    home.account.connectByItself()
    try home.server.onEvent(.step(.authenticating("SCRAM-SHA-256")))
    try home.server.cut(time: home.time)
    home.onOpen = { $0.mechanism = "SCRAM-SHA-512" }
    home.time.advance(by: .seconds(2))
    await home.status(.connected)
    #expect(try home.server.configuration.leastMechanism == "SCRAM-SHA-256")
    #expect(try home.store.leastMechanism() == "SCRAM-SHA-512")
  }
}

// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Store
import Testing
import XMPP

/// Our privacy list, kept at a scripted server that has such lists.
@Suite("Privacy lists", .timeLimit(.minutes(1)))
struct PrivacyListTests {
  init() { EventLoop.runInBackground() }

  private static let roster =
    "<item jid='nurse@localhost' subscription='both'><group>House</group></item>"
    + "<item jid='tybalt@localhost' subscription='from'/><item jid='paris@localhost' subscription='both'/>"

  @LoopActor private func home(_ lists: ScriptedLists, mode: Mode = .invisible) async throws -> Home {
    let home = try await Home(mode: mode, roster: Self.roster)
    home.onOpen = { lists.attach(to: $0) }
    try await home.account.connect()
    return home
  }

  /// As a real one, the server ends no stream while it is being closed.
  @LoopActor private static func prepare(_ server: ScriptedServer, _ lists: ScriptedLists) {
    lists.attach(to: server)
    server.isSlowToClose = true
  }

  @Test("A hidden session sets its list, makes it the active one, and then says that it is there")
  @LoopActor func start() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    let log = lists.take()
    #expect(log.dropLast() == ["get names ", "set list nightcloak: deny presence-out", "set active nightcloak"])
    #expect(log.last?.hasPrefix("<presence>") == true)
    #expect(home.account.mechanism == .privacyList)
  }

  @Test("Whoever was told by undirected unavailable is owed no goodbye any more")
  @LoopActor func toldByWithdrawal() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    try await home.account.showTo([BareJID("nurse@localhost")], groups: [])
    #expect(try home.store.disclosures().map(\.jid).contains("nurse@localhost"))
    try await home.account.setVisibility(
      VisibilityWish(showsOthers: true, contacts: [BareAddress("nurse@localhost")]))
    #expect(try !home.store.disclosures().map(\.jid).contains("nurse@localhost"))
  }

  @Test("A session behind a list that ended uncleanly is bound once more, says nothing, and is left for another")
  @LoopActor func ghost() async throws {
    let store = try await Home.emptyStore()
    let first = try await Home(mode: .invisible, roster: Self.roster, store: store)
    let lists = ScriptedLists()
    first.onOpen = { lists.attach(to: $0) }
    try await first.account.connect()
    #expect(try store.disclosures().map(\.jid) == ["juliet@localhost"])
    // The program is killed; another begins.
    let second = try await Home(mode: .invisible, roster: Self.roster, store: store)
    second.onOpen = { lists.attach(to: $0) }
    try await second.account.connect()
    #expect(second.servers.count == 2)
    #expect(second.servers.first?.configuration.resource == "r1")
    let said = try #require(second.servers.first).take()
    #expect(presences(said).isEmpty)
    #expect(try store.disclosures().map(\.resource) == ["r2"])
    await second.account.disconnect()
    #expect(try store.disclosures().isEmpty)
  }

  @Test("What the default list blocked stays blocked, and nothing that is shown gets past it")
  @LoopActor func keptRules() async throws {
    let lists = ScriptedLists()
    lists.lists["home"] = """
      <item type='group' value='House' action='deny' order='20'><presence-out/></item>\
      <item type='jid' value='spam.example' action='deny' order='3'/>
      """
    lists.standard = "home"
    let home = try await home(lists)
    _ = lists.take()
    try await home.account.setVisibility(
      VisibilityWish(showsOthers: false, contacts: [BareAddress("nurse@localhost"), BareAddress("tybalt@localhost")]))
    let edits = lists.take().filter { $0.hasPrefix("set") }
    #expect(
      edits == [
        "set list nightcloak: allow jid:tybalt@localhost presence-out, deny presence-out, deny jid:spam.example, "
          + "deny group:House presence-out"
      ])
    #expect(lists.standard == "home")
    #expect(lists.lists["home"]?.contains("order='20'") == true)
  }

  @Test("Each step of becoming visible is confirmed, and our list stays for whoever else hides behind it")
  @LoopActor func visible() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    _ = lists.take()
    try await home.account.setVisibility(.visible)
    let log = lists.take().map { $0.hasPrefix("<presence type=") ? "gone" : $0.hasPrefix("<presence") ? "there" : $0 }
    #expect(log == ["gone", "set active ", "there"])
    #expect(lists.lists["nightcloak"] != nil)
  }

  @Test("More contacts than a list can name are refused before anything is said or kept")
  @LoopActor func tooMany() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    _ = lists.take()
    let many = ContactSet((0...1000).map { BareAddress("c\($0)@localhost") })
    let error = await #expect(throws: AccountError.self) {
      try await home.account.setVisibility(VisibilityWish(showsOthers: false, contacts: many))
    }
    #expect(error?.code == .limitExceeded)
    #expect(lists.take().isEmpty)
    #expect(home.account.wanted == .invisible)
    try await home.account.setVisibility(VisibilityWish(showsOthers: false, contacts: ContactSet(many.prefix(1000))))
    #expect(home.account.audience.visibility.exceptions.count == 1000)
  }

  @Test("A list of more bytes than servers take is refused, and the account is hidden")
  @LoopActor func tooLong() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    let many = ContactSet((0..<1000).map { BareAddress("c\($0)@\(String(repeating: "a", count: 60)).example") })
    let error = await #expect(throws: AccountError.self) {
      try await home.account.setVisibility(VisibilityWish(showsOthers: false, contacts: many))
    }
    #expect(error?.code == .limitExceeded)
    #expect(home.account.audience.mode == .invisible)
  }

  @Test(
    "A default list that cannot be read cannot be kept to: the account does not come up hidden, and shows nothing",
    arguments: [
      "<item type='jid' value='@' action='deny' order='1'/>", "<item type='group' action='deny' order='1'/>",
      "<item type='subscription' value='all' action='deny' order='1'/>", "<item action='maybe' order='1'/>",
      "<item type='moon' value='x' action='deny' order='1'/>", "<item action='deny' order='first'/>",
      "<item action='deny' order='1'><dance/></item>",
    ])
  @LoopActor func unreadable(_ item: String) async throws {
    let lists = ScriptedLists()
    lists.lists["home"] = item
    lists.standard = "home"
    let home = try await Home(mode: .invisible, roster: Self.roster)
    home.onOpen = { Self.prepare($0, lists) }
    let error = await home.connecting().value()
    #expect(error?.code == .serverRefused)
    #expect(error?.text.contains("\"home\" cannot be read") == true)
    #expect(presences(try home.server.take()).isEmpty)
  }

  @Test("Our own list as the default would change for every other client, too: it is refused")
  @LoopActor func oursIsDefault() async throws {
    let lists = ScriptedLists()
    lists.lists["nightcloak"] = "<item action='deny' order='1'/>"
    lists.standard = "nightcloak"
    let home = try await Home(mode: .invisible, roster: Self.roster)
    home.onOpen = { Self.prepare($0, lists) }
    #expect(await home.connecting().value()?.code == .serverRefused)
    #expect(presences(try home.server.take()).isEmpty)
  }

  // MARK: Other clients

  /// Waits until all that was set off by what came has been done.
  @LoopActor private func settle(_ home: Home) async throws {
    try await home.account.setVisibility(home.account.wanted)
  }

  @Test("What the server tells of our own edits is acknowledged, and asks for nothing")
  @LoopActor func ownPush() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    try await home.account.setVisibility(
      VisibilityWish(showsOthers: false, contacts: [BareAddress("tybalt@localhost")]))
    #expect(!lists.take().contains { $0.hasPrefix("get list") })
    #expect(try home.server.take().contains("<iq id='push1' type='result'/>"))
  }

  @Test("An edit of our list by another client is put right, and until then nothing is broadcast")
  @LoopActor func foreignEdit() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    _ = lists.take()
    try lists.edit("nightcloak", "<item action='allow' order='1'/>")
    #expect(!home.account.audience.isCovered)
    home.account.setPresence(show: .away, status: "", priority: nil)
    #expect(lists.take().isEmpty)
    try await rightAgain(home)
    let log = lists.take()
    #expect(
      log.dropLast() == [
        "get names ", "get list nightcloak", "set list nightcloak: deny presence-out", "set active nightcloak",
      ])
    #expect(log.last?.contains("away") == true)
  }

  /// Waits until the list is known to hold.
  @LoopActor private func rightAgain(_ home: Home) async throws {
    await turns(1_000) { !home.account.audience.isCovered }
    #expect(home.account.audience.isCovered)
  }

  @Test("What another client did during an outage is known before what we do is broadcast")
  @LoopActor func foreignEditMeanwhile() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    _ = lists.take()
    try home.server.cut(time: home.time)
    home.account.setPresence(show: .away, status: "", priority: nil)
    lists.lists["nightcloak"] = "<item action='allow' order='1'/>"
    home.onOpen = {
      lists.attach(to: $0)
      $0.greeting =
        "<iq type='set' id='push1'><query xmlns='jabber:iq:privacy'><list name='nightcloak'/></query></iq>"
    }
    home.time.advance(by: .seconds(2))
    await home.status(.connected)
    #expect(home.account.audience.isCovered)
    let log = lists.take()
    #expect(log.dropLast().last == "set active nightcloak")
    #expect(log.filter { $0.hasPrefix("<presence") }.count == 1 && log.last?.contains("away") == true, "\(log)")
  }

  @Test("Who saw us in a session under several addresses is shown us under each again when the list is left")
  @LoopActor func sessionsAgain() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    try home.account.share(JID("romeo@localhost"), full: false, lifetime: nil)
    try await home.account.delivered()
    try home.account.setPolicy(.ask)
    try home.ask("romeo@localhost/garden")
    try await home.account.delivered()
    _ = lists.take()
    try await home.account.setVisibility(.visible)
    let log = lists.take()
    let end = try #require(log.firstIndex(of: "set active "))
    let shown = log[end...].filter { $0.contains("romeo") && !$0.contains("unavailable") }
    #expect(shown.count == 2, "\(log)")
  }

  @Test("What becomes of the default list is copied anew")
  @LoopActor func foreignDefault() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    _ = lists.take()
    lists.standard = "blocked"
    try lists.edit("blocked", "<item type='jid' value='paris@localhost' action='deny' order='1'/>")
    try await rightAgain(home)
    #expect(
      lists.take().contains("set list nightcloak: deny presence-out, deny jid:paris@localhost"))
  }

  @Test("A push from somebody else is nothing to us")
  @LoopActor func foreignPush() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    _ = lists.take()
    _ = try home.server.take()
    try lists.push("nightcloak", from: "localhost")
    try lists.push("nightcloak", from: "tybalt@localhost/r")
    #expect(home.account.audience.isCovered)
    #expect(try home.server.take().filter { $0.contains("type='result'") }.isEmpty)
  }

  @Test("Where another client changes it again and again the account hides, and says that this is not in force")
  @LoopActor func war() async throws {
    let lists = ScriptedLists()
    let home = try await home(lists)
    for _ in 0..<3 {
      try lists.edit("nightcloak", "<item action='allow' order='1'/>")
      try await rightAgain(home)
    }
    _ = lists.take()
    let told = Waiter<Void>()
    home.onEvent = { if case .visibilityChanged = $0 { told.finish(()) } }
    try lists.edit("nightcloak", "<item action='allow' order='1'/>")
    await told.value()
    #expect(home.account.isVisibilityPending)
    #expect(home.account.audience.mode == .invisible)
    let log = lists.take()
    // Only so that the last word, too, reaches none but those who may see us.
    #expect(
      log == [
        "get names ", "get list nightcloak", "set list nightcloak: deny presence-out", "<presence type='unavailable'/>",
      ])
    #expect(!home.account.audience.isCovered)
    // Changes that are a minute apart are borne.
    home.time.advance(by: .seconds(61))
    try await settle(home)
    #expect(!home.account.isVisibilityPending)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Store
import Testing
import XML
import XMPP

/// Calls and cuts in any order, against a model of what a server has told others.
@Suite("Outages at any moment", .timeLimit(.minutes(1)))
struct RandomOutageTests {
  init() { EventLoop.runInBackground() }

  @Test("Others see what is wanted once all has settled, and are told nothing else on the way", arguments: 0..<20)
  @LoopActor func anyOrder(_ seed: Int) async throws {
    for round in 0..<10 { try await run(UInt64(seed * 10 + round)) }
  }

  @LoopActor private func run(_ seed: UInt64) async throws {
    var chance = Chance(state: seed &* 0x9e37_79b9_7f4a_7c15 &+ 1)
    let home = try await Home(
      mode: chance.next(2) == 0 ? .visible : .invisible,
      roster: "<item jid='nurse@localhost' subscription='both'/>")
    let link = Link(home)
    link.log.append("seed \(seed) \(home.account.wanted)")
    home.onOpen = { link.open($0, resumes: true) }
    try await home.connect()
    var calls: [Task<Void, Never>] = []
    for _ in 0..<(3 + chance.next(8)) {
      let step = chance.next(10)
      link.log.append("step \(step)")
      switch step {
      case 0, 1:
        let mode = step == 0 ? Mode.visible : .invisible
        calls.append(spawn { try? await home.account.setVisibility(mode == .visible ? .visible : .invisible) })
      case 2: try? home.account.share(JID("romeo@localhost/r"), full: chance.next(2) == 0, lifetime: nil)
      case 3: try? home.account.share(JID("nurse@localhost/n"), full: false, lifetime: nil)
      case 4: _ = home.account.revoke(nil)
      case 5: home.account.setPresence(show: [.away, .dnd, .xa][chance.next(3)], status: "", priority: nil)
      case 6: link.die()
      case 7:
        let resumes = chance.next(4) > 0
        home.onOpen = { link.open($0, resumes: resumes) }
        link.cut(unconfirmed: chance.next(4))
      case 8:
        calls.append(spawn { await home.account.disconnect() })
        calls.append(spawn { try? await home.account.connect() })
      default: home.time.advance(by: .seconds(Int64(chance.next(4))))
      }
      await turns(chance.next(2) * 40)
    }
    home.onOpen = { link.open($0, resumes: true) }
    for _ in 0..<60 {
      await turns(40)
      if link.isDead { link.cut(unconfirmed: 0) }
      home.time.advance(by: .seconds(1))
    }
    for call in calls { await call.value }
    if home.account.status == .disconnected { try? await home.account.connect() }
    await turns(40)
    let account = home.account
    #expect(account.status == .connected, "\(link.log)")
    #expect(link.complaints.isEmpty, "\(link.complaints) \(link.log)")
    #expect(link.isBroadcasting == (account.wanted == .visible), "\(link.log)")
    #expect(account.audience.mode == account.wanted.mode, "\(link.log)")
    let wanted = Set(account.audience.sessions.keys.map(\.description))
    if account.wanted == .invisible {
      #expect(link.shown == wanted, "\(link.log)")
      #expect(!link.known.contains(account.fullJID?.resource ?? ""), "\(link.log)")
    }
    await account.disconnect()
  }
}

/// The connection, and what the server behind it has told others.
@LoopActor
private final class Link {
  var log: [String] = []
  var complaints: [String] = []
  /// Who sees the present session by directed presence.
  private(set) var shown: Set<String> = []
  private(set) var isBroadcasting = false
  /// Resources that contacts have seen.
  private(set) var known: Set<String> = []
  /// Who takes a session that ended without a goodbye for available.
  private var stale: [String: Set<String>] = [:]
  private var untold: Set<String> = []
  private var doubtful: Set<String> = []
  private(set) var isDead = false
  private var aliveUntil = 0
  private unowned let home: Home
  private var server: ScriptedServer?

  init(_ home: Home) { self.home = home }

  func open(_ server: ScriptedServer, resumes: Bool) {
    server.resumes = resumes
    server.lost = server.resumption == nil ? nil : lost
    isDead = false
    self.server = server
    if server.resumption == nil || !resumes {
      if let resource, !isBroadcasting { stale[resource, default: []].formUnion(shown) }
      shown = stale.removeValue(forKey: server.resource) ?? []
      // Nobody can know any more whether these were told: better one goodbye too many.
      if server.resource == resource { doubtful.formUnion(untold) } else { doubtful = [] }
      isBroadcasting = false
      log.append("bound \(server.resource)")
    } else {
      doubtful = []
      log.append("resumed \(server.resumption?.jid.resource ?? "")")
    }
    resource = resumes ? server.resumption?.jid.resource ?? server.resource : server.resource
    lost = 0
    if server.resumption == nil || server.resumption?.jid.resource == resource && resumes { untold = [] }
    var closed = false
    server.onSend = { [weak self, weak server] in
      guard let self, let server, self.server === server else { return }
      if server.isClosed, !closed {
        closed = true
        log.append("closed\(isDead ? " dead" : "")")
        if isDead {
          _ = home.time.schedule(after: .seconds(2)) { [weak self] in
            if self?.server === server { self?.cut(unconfirmed: 0) }
          }
        } else {
          if !isBroadcasting, let resource = self.resource { stale[resource, default: []].formUnion(shown) }
          shown = []
          isBroadcasting = false
        }
      } else if !isDead, let last = server.sent.last {
        arrived(last)
      } else if let last = server.sent.last, last.name == "presence" {
        if last.attribute("type") == nil, let to = last.attribute("to") { untold.insert(to) }
        log.append("lost \(last.serialized(within: "jabber:client").prefix(70))")
      }
    }
  }
  private var resource: String?
  private var lost = 0

  func die() {
    guard !isDead, let server, !server.isClosed else { return }
    isDead = true
    aliveUntil = server.sent.count
    server.holdsAnswers = true
    server.isSlowToClose = true
    log.append("dead")
  }

  func cut(unconfirmed: Int) {
    guard let server, home.account.status == .connected || isDead else { return }
    let count = server.sent.count
    lost = isDead ? count - aliveUntil : 0
    log.append("cut, \(lost) lost")
    isDead = false
    self.server = nil
    for stanza in server.sent.suffix(lost + unconfirmed) where stanza.attribute("type") == "unavailable" {
      if let to = stanza.attribute("to") { untold.insert(to) }
    }
    server.cut(unacknowledged: min(count, lost + unconfirmed), time: home.time)
  }

  private func arrived(_ stanza: Element) {
    guard stanza.name == "presence" else { return }
    log.append(String(stanza.serialized(within: "jabber:client").prefix(70)))
    let (type, to) = (stanza.attribute("type"), stanza.attribute("to"))
    switch (type, to) {
    case (nil, nil):
      if home.account.wanted == .invisible { complaints.append("broadcast while invisible is wanted") }
      isBroadcasting = true
      if let resource { known.insert(resource) }
    case (nil, let to?): shown.insert(to)
    case ("unavailable", nil):
      if !isBroadcasting { complaints.append("withdrew what was never broadcast") }
      isBroadcasting = false
      shown = []
    case ("unavailable", let to?):
      if shown.remove(to) == nil, doubtful.remove(to) == nil {
        complaints.append("unavailable to \(to), who saw nothing")
      }
    default: break
    }
  }
}

/// Numbers that look like chance and are the same each time.
private struct Chance {
  var state: UInt64
  mutating func next(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(bound))
  }
}

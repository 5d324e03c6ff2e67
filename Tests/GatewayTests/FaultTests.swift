// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XML
import XMPP

@testable import Gateway
@testable import Store

@Suite("What may happen to a gateway's connection")
struct FaultTests {
  init() { EventLoop.runInBackground() }

  @Test("A wrong secret is told as such, and not tried again", arguments: [true, false])
  @LoopActor func wrongSecret(_ byItself: Bool) async throws {
    let house = try await House(byItself: byItself)
    house.onOpen = { $0.refusal = StreamEnd(.authentication, "The password is wrong.") }
    if byItself {
      house.account.connectByItself()
    } else {
      let error = await #expect(throws: AccountError.self) { try await house.account.connect() }
      #expect(error?.code == .authenticationFailed)
    }
    #expect(house.account.status == .disconnected && house.account.statusReason == "The password is wrong.")
    house.time.advance(by: .seconds(3600))
    #expect(house.servers.count == 1)
  }

  @Test("A secret that was changed meanwhile is tried once, and who saw an address is told when the new one is there")
  @LoopActor func changedSecret() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.ask()
    _ = try house.taken()
    house.onOpen = { $0.refusal = StreamEnd(.authentication, "The password is wrong.") }
    try house.server.cut()
    house.time.advance(by: .seconds(3600))
    #expect(house.servers.count == 2)
    #expect(house.account.status == .disconnected && house.account.statusReason == "The password is wrong.")
    house.onOpen = { _ in }
    try await house.account.connect()
    #expect(try house.taken() == [gone()])
  }

  @Test("A lost connection is tried again ever more seldom, at once when a person says so, and soon after a good one")
  @LoopActor func waits() async throws {
    let house = try await House().connect()
    var tries = [house.time.now]
    house.onOpen = {
      $0.refusal = StreamEnd(.network, "Nobody is there.")
      tries.append(house.time.now)
    }
    func waits() -> [Duration] { zip(tries, tries.dropFirst()).map { $1 - $0 } }
    try house.server.cut()
    house.time.advance(by: .seconds(3600))
    for (wait, most) in zip(waits(), [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]) {
      #expect((Duration.seconds(most) / 2...Duration.seconds(most)).contains(wait), "\(waits())")
    }
    #expect((15...35).contains(waits().count))
    tries = []
    _ = await #expect(throws: AccountError.self) { try await house.account.connect() }
    house.time.advance(by: .seconds(1))
    #expect(tries.count >= 2, "a try at once, and the next a second later")
    house.onOpen = { _ in }
    try await house.account.connect()
    house.time.advance(by: Reconnection.stable)
    try house.server.cut()
    house.time.advance(by: .seconds(1))
    #expect(house.account.status == .connected)
  }

  @Test("On a full disk nobody is shown an address or granted a subscription; with room again both go on")
  @LoopActor func fullDisk() async throws {
    let store = try await Store.open(directory: nil)
    let house = try await House(store: store.account(House.key)).connect()
    try house.account.setPolicy(.ask)
    try house.ask(from: "tybalt@shakespeare.lit/library")
    let id = try #require(house.announced().first?.id)
    try house.account.setPolicy(.allow)
    _ = try house.taken()
    try store.state.database.query("PRAGMA query_only = ON")
    try house.ask()
    try house.presence("subscribe", from: "nurse@shakespeare.lit")
    #expect(try house.taken().isEmpty)
    #expect(throws: AccountError.self) { try house.account.approve(id, full: false, lifetime: nil) }
    #expect(try house.taken().isEmpty)
    #expect(Array(house.account.gateway.subscriptions.all).isEmpty)
    try store.state.database.query("PRAGMA query_only = OFF")
    house.time.advance(by: .seconds(11))
    try house.ask()
    try house.presence("subscribe", from: "nurse@shakespeare.lit")
    try house.account.approve(id, full: false, lifetime: nil)
    let sent = try house.taken()
    for jid in [House.juliet, "nurse@shakespeare.lit", "tybalt@shakespeare.lit/library"] {
      #expect(sent.contains { isShown($0, to: jid) }, "\(jid): \(sent)")
    }
    #expect(sent.count == 4)
    #expect(try house.store.disclosures().count == 3)
  }

  @Test("When another program has the domain it is told, and tried again slowly")
  @LoopActor func conflict() async throws {
    let house = try await House().connect()
    house.onOpen = { $0.refusal = StreamEnd(.streamError(.conflict), "Taken.", isFinal: false) }
    try house.server.onEvent(.ended(StreamEnd(.streamError(.conflict), "Taken.", isFinal: false)))
    #expect(house.account.status == .waiting && house.account.statusReason.hasPrefix("Taken. The next try is in 1"))
    var tries = [house.time.now]
    house.onOpen = {
      $0.refusal = StreamEnd(.streamError(.conflict), "Taken.", isFinal: false)
      tries.append(house.time.now)
    }
    house.time.advance(by: .seconds(140))
    let waits = zip(tries, tries.dropFirst()).map { $1 - $0 }
    #expect(waits.count >= 3)
    for (wait, most) in zip(waits, [20, 40, 80]) {
      #expect((Duration.seconds(most / 2)...Duration.seconds(most)).contains(wait))
    }
  }

  @Test("A first connection that finds the domain taken fails, and leaves it at that")
  @LoopActor func conflictAtFirst() async throws {
    let house = try await House()
    house.onOpen = { $0.refusal = StreamEnd(.streamError(.conflict), "Taken.", isFinal: false) }
    let error = await #expect(throws: AccountError.self) { try await house.account.connect() }
    #expect(error?.code == .serverRefused && error?.text == "Taken.")
    #expect(house.account.status == .disconnected)
  }

  @Test("A server that does not answer is given up in time for the caller")
  @LoopActor func silentHandshake() async throws {
    let house = try await House()
    house.onOpen = { $0.isMute = true }
    house.onEvent = { event in
      guard case .statusChanged = event, house.account.status == .connecting else { return }
      house.time.advance(by: .seconds(19))
    }
    let failure = Failure()
    let call = spawn {
      do throws(AccountError) { try await house.account.connect() } catch { failure.error = error }
    }
    // The call has to be waiting before its time can pass.
    while house.account.status == .disconnected, failure.error == nil { await Self.turn() }
    house.time.advance(by: .seconds(20))
    await call.value
    #expect(failure.error?.code == .timedOut)
    #expect(house.account.status == .disconnected)
    #expect(house.servers.first?.isClosed == true)
  }

  @LoopActor private final class Failure {
    var error: AccountError?
  }

  /// Lets others run.
  @LoopActor private static func turn() async { await spawn {}.value }

  @Test(
    "After a cut those who were shown an address are told that it is gone, and those who are subscribed see it again")
  @LoopActor func cut() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.ask()
    try house.presence("subscribe", from: "nurse@shakespeare.lit")
    _ = try house.taken()
    try house.server.cut()
    #expect(house.account.status == .waiting)
    #expect(house.account.gateway.sessionCount == 0)
    house.time.advance(by: .seconds(1))
    #expect(house.account.status == .connected && house.servers.count == 2)
    let sent = try house.taken()
    #expect(sent.contains(gone()))
    #expect(sent.contains { isShown($0, to: "nurse@shakespeare.lit") })
    #expect(sent.count == 2)
    #expect(house.sessionEnds().contains("\(House.romeo) juliet@shakespeare.lit they-see-me disconnected"))
    house.account.doorkeeper.flush()
    #expect(try house.store.disclosures().map(\.jid) == ["nurse@shakespeare.lit"])
  }

  @Test("A goodbye that a cut may have swallowed is said again; one that was never said is not")
  @LoopActor func lostGoodbye() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.ask()
    _ = try house.taken()
    _ = house.account.revoke(nil)
    #expect(try house.taken() == [gone()])
    // Decided in the turn in which the connection breaks: nobody has seen it.
    try house.ask(from: "tybalt@shakespeare.lit/library")
    try house.server.cut()
    house.time.advance(by: .seconds(1))
    #expect(try house.taken() == [gone()])
    house.account.doorkeeper.flush()
    #expect(try house.store.disclosures().isEmpty)
  }

  @Test("A kill leaves nobody uninformed: the next run says goodbye, or shows again to those who are subscribed")
  @LoopActor func kill() async throws {
    let store = try await House.emptyStore()
    let first = try await House(store: store).connect()
    try first.account.setPolicy(.allow)
    try first.ask()
    try first.presence("subscribe", from: "nurse@shakespeare.lit")
    _ = try first.taken()
    // Whatever the first one would still do, it does not do.
    first.account.onEvent = { _ in }
    let second = try await House(nonce: "later", store: store)
    #expect(second.account.gateway.policy == .allow)
    try await second.account.connect()
    let sent = try second.taken()
    #expect(sent.contains(gone()))
    #expect(sent.contains { isShown($0, to: "nurse@shakespeare.lit") })
    #expect(sent.count == 2)
    second.account.doorkeeper.flush()
    #expect(try store.disclosures().map(\.jid) == ["nurse@shakespeare.lit"])
    #expect(try store.subscriptions().map(\.contact) == ["nurse@shakespeare.lit"])
  }

  @Test("What is kept and cannot be read keeps the gateway offline and silent")
  @LoopActor func unreadable() async throws {
    let kept = try await Store.open(directory: nil)
    let store = kept.account(House.key)
    await kept.close()
    let house = try await House(store: store)
    let error = await #expect(throws: AccountError.self) { try await house.account.connect() }
    #expect(error?.code == .storageFailed)
    #expect(house.servers.isEmpty)
    #expect(throws: AccountError.self) { try house.account.setPolicy(.allow) }
  }

  @Test(
    "A rule about addresses that cannot be read keeps the gateway offline: without it those would be shown that it hides"
  )
  @LoopActor func unreadableRule() async throws {
    let store = try await Store.open(directory: nil).account(House.key)
    try store.setPolicy("allow")
    try store.setRule(StoredRule(subject: "to:romeo", decision: "allow", madeAt: 0, madeBy: 0, madeWith: "SetRule"))
    let house = try await House(store: store)
    let error = await #expect(throws: AccountError.self) { try await house.account.connect() }
    #expect(error?.code == .storageFailed && house.servers.isEmpty)
  }

  @Test("Nobody is shown an address while goodbyes leave; whoever may see it by then does with the next stream")
  @LoopActor func shownWhileLeaving() async throws {
    let house = try await House().connect()
    let nurse = "nurse@shakespeare.lit"
    try house.account.setPolicy(.allow)
    try house.presence("subscribe", from: nurse)
    try await house.account.hideFrom([try BareJID(nurse)])
    for number in 0..<1_500 { try house.ask(from: "user\(number)@shakespeare.lit/r") }
    _ = try house.taken()
    let leaving = spawn { await house.account.disconnect() }
    await turns { !house.account.isClosing }
    #expect(house.account.status == .connected, "there are more to be told than leave at once")
    let showing = spawn { try? await house.account.setVisibility(.visible) }
    await turns { house.account.wanted != .visible }
    try house.account.setRule(.allow, for: .contact(BareAddress(nurse)))
    house.time.advance(by: .seconds(1))
    for task in [leaving, showing] { await task.value }
    let sent = try house.taken()
    #expect(sent.count == 1_500 && sent.allSatisfy { $0.hasSuffix(" type='unavailable'/>") })
    try await house.account.connect()
    let shown = try house.taken()
    #expect(shown.count == 1 && shown.allSatisfy { isShown($0, to: nurse) })
  }

  @Test("While it says goodbye nothing that arrives is answered, and whoever is left out is told the next time")
  @LoopActor func leaving() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    for number in 0..<300 { try house.ask(from: "user\(number)@shakespeare.lit/r") }
    #expect(try house.taken().count == 300)
    let server = try house.server
    server.onSend = { stanza in
      if stanza.attribute("type") == "unavailable" {
        server.say(
          "<presence from='\(House.juliet)' to='\(House.romeo)'><decloak xmlns='urn:xmpp:decloak:0'/></presence>")
      }
      return nil
    }
    await house.account.disconnect()
    let sent = try house.taken()
    #expect(sent.count == 300 && sent.allSatisfy { $0.hasSuffix(" type='unavailable'/>") })
    #expect(house.account.status == .disconnected)
    house.account.doorkeeper.flush()
    #expect(try house.store.disclosures().isEmpty)
  }
}

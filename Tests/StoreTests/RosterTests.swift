// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing

@testable import Store

@Suite("The roster of an account")
struct RosterTests {
  init() { EventLoop.runInBackground() }

  private let everything = StoredContact(
    jid: "r\u{f6}meo@example.net", name: "R\u{0}o'm\u{1F339}", groups: ["", "3:a", "Friends\u{0}", "B:ü", "Friends"],
    subscription: "from", isPending: true, isApproved: true)

  @Test("A roster comes back as it was kept, also after a new start, sorted by JID")
  @LoopActor func roundTrip() async throws {
    let home = try Home()
    let store = try await home.open()
    let account = store.account(juliet)
    #expect(await account.roster() == nil)
    let roster = StoredRoster(version: "v'1\u{0}", contacts: [everything, contact(2), contact(1, name: "One")])
    let sorted = StoredRoster(version: roster.version, contacts: roster.contacts.sorted { $0.jid < $1.jid })
    account.replaceRoster(roster)
    #expect(await account.roster() == sorted)
    await store.close()
    #expect(try await home.open().account(juliet).roster() == sorted)
  }

  @Test("An empty roster with an empty version is a roster")
  @LoopActor func empty() async throws {
    let account = try await Store.open(directory: nil).account(juliet)
    account.replaceRoster(StoredRoster(version: "", contacts: []))
    #expect(await account.roster() == StoredRoster(version: "", contacts: []))
    account.forgetRoster()
    #expect(await account.roster() == nil)
  }

  @Test("Changes without a roster are not kept: they are no roster")
  @LoopActor func withoutRoster() async throws {
    let account = try await Store.open(directory: nil).account(juliet)
    try account.setLeastMechanism("PLAIN")
    account.updateRoster(version: "2", contact: contact(1))
    #expect(await account.roster() == nil)
    account.replaceRoster(StoredRoster(version: "3", contacts: []))
    account.forgetRoster()
    account.updateRoster(version: "4", contact: contact(1))
    #expect(await account.roster() == nil)
    account.removeFromRoster(version: "5", jid: contact(1).jid)
    #expect(await account.roster() == nil)
  }

  @Test(
    "Whatever is changed in whatever order, what is kept is what a list would be", arguments: 0..<8 as Range<UInt64>)
  @LoopActor func anyOrder(seed: UInt64) async throws {
    let home = try Home()
    var random = Seeded(state: seed)
    var store = try await home.open()
    var accounts = [juliet, AccountKey(uid: 7, jid: "x@y", protocol: "xmpp")].map { store.account($0) }
    var models: [StoredRoster?] = [nil, nil]
    for step in 0..<400 {
      let which = Int.random(in: 0...1, using: &random)
      let (version, number) = ("\(step)", Int.random(in: 0..<12, using: &random))
      switch Int.random(in: 0..<40, using: &random) {
      case 0:
        let contacts = (0..<number).map { contact($0, name: version) }
        accounts[which].replaceRoster(StoredRoster(version: version, contacts: contacts))
        models[which] = StoredRoster(version: version, contacts: contacts)
      case 1:
        accounts[which].forgetRoster()
        models[which] = nil
      case 2:
        await store.close()
        store = try await home.open()
        accounts = accounts.map { store.account($0.key) }
      case 3...5: #expect(await accounts[which].roster() == models[which])
      case 6..<24:
        let new = contact(number, name: version)
        accounts[which].updateRoster(version: version, contact: new)
        models[which]?.version = version
        models[which]?.contacts.removeAll { $0.jid == new.jid }
        models[which]?.contacts.append(new)
        models[which]?.contacts.sort { $0.jid < $1.jid }
      default:
        accounts[which].removeFromRoster(version: version, jid: contact(number).jid)
        models[which]?.version = version
        models[which]?.contacts.removeAll { $0.jid == contact(number).jid }
      }
    }
    for (account, model) in zip(accounts, models) { #expect(await account.roster() == model) }
  }

  @Test("A contact that a server names twice is there once, as it was named last")
  @LoopActor func twice() async throws {
    let account = try await Store.open(directory: nil).account(juliet)
    account.replaceRoster(StoredRoster(version: "1", contacts: [contact(1, name: "A"), contact(1, name: "B")]))
    #expect(await account.roster()?.contacts == [contact(1, name: "B")])
  }

  @Test("100,000 contacts are kept, and a change of one of them writes one of them", .timeLimit(.minutes(1)))
  @LoopActor func large() async throws {
    let home = try Home()
    let store = try await home.open()
    let account = store.account(juliet)
    account.replaceRoster(StoredRoster(version: "1", contacts: await contacts(100_000)))
    #expect(await account.roster()?.contacts.count == 100_000)
    await store.close()

    let again = try await home.open()
    // The log is new: what it holds is what the change has written.
    again.account(juliet).updateRoster(version: "2", contact: contact(50_000, name: "Rosaline"))
    await again.cache.settle()
    let written = home.bytes("cache.db-wal")?.count ?? 0
    #expect(written > 0 && written <= 8 * (4_096 + 24) + 32, "\(written) bytes")
    let roster = await again.account(juliet).roster()
    #expect(roster?.version == "2")
    #expect(roster?.contacts[50_000].name == "Rosaline")
    #expect(roster?.contacts.count == 100_000)
  }

  @Test("Above 100,000 contacts or 64 MiB the roster stays what it was, and that is told")
  @LoopActor func tooLarge() async throws {
    let store = try await Store.open(directory: nil)
    var faults: [StoreError.Code] = []
    store.onFault = { faults.append($0.code) }
    let account = store.account(juliet)
    let small = StoredRoster(version: "1", contacts: [contact(1)])
    let mebibyte = String(repeating: "x", count: 1 << 20)
    let tooMany = await contacts(100_001)
    let tooLong = (0..<64).map { StoredContact(jid: "\($0)@x", name: mebibyte) }
    account.replaceRoster(small)
    #expect(await account.roster() == small)
    for contacts in [tooMany, tooLong] {
      account.replaceRoster(StoredRoster(version: "2", contacts: contacts))
      // A change of what was not kept must not become one of what was, before or after that is known.
      account.updateRoster(version: "3", contact: contact(3))
      await store.cache.settle()
      account.updateRoster(version: "4", contact: contact(4))
      #expect(await account.roster() == small)
    }
    // Who has read what is kept goes on from there.
    account.updateRoster(version: "1+", contact: contact(5))
    #expect(await account.roster() == StoredRoster(version: "1+", contacts: [contact(1), contact(5)]))
    #expect(faults == [.limit, .limit])

    account.replaceRoster(StoredRoster(version: "5", contacts: Array(tooLong.prefix(63))))
    account.updateRoster(version: "6", contact: StoredContact(jid: "62@x", name: mebibyte))
    #expect(await account.roster()?.version == "6")
    account.updateRoster(version: "7", contact: tooLong[63])
    #expect(await account.roster()?.version == "6")
    #expect(faults == [.limit, .limit, .limit])
    account.replaceRoster(small)
    account.updateRoster(version: "8", contact: contact(2))
    #expect(await account.roster() == StoredRoster(version: "8", contacts: [contact(1), contact(2)]))
  }

  @Test("Pushes faster than the disk do not pile up: each contact waits once, and 16 MiB of them at most")
  func pileUp() {
    var changes = RosterChanges()
    var fits: [Bool] = []
    for round in 0..<10_000 {
      let new = contact(round % 10, name: "\(round)")
      fits.append(changes.add(.updated(new), new.jid, version: "\(round)"))
    }
    #expect(!fits.contains(false))
    #expect(changes.changes.count == 10)
    #expect(changes.version == "9999")
    #expect(changes.changes[contact(9).jid] == .updated(contact(9, name: "9999")))
    _ = changes.add(.removed, contact(9).jid, version: "10000")
    #expect(changes.changes[contact(9).jid] == .removed)

    let mebibyte = String(repeating: "x", count: 1 << 20)
    var fitted = 0
    while changes.add(.updated(contact(fitted, name: mebibyte)), contact(fitted).jid, version: "x") { fitted += 1 }
    #expect(fitted == 15)
    #expect(changes.forgets)
    #expect(changes.changes.isEmpty)
    _ = changes.add(.removed, "a@x", version: "y")
    #expect(changes.forgets)
    changes.replace(StoredRoster(version: "z", contacts: []))
    #expect(!changes.forgets)
  }

  @Test("A roster that changes too fast is forgotten, not kept wrong, until there is a whole one")
  @LoopActor func tooFast() async throws {
    let store = try await Store.open(directory: nil)
    var faults: [StoreError.Code] = []
    store.onFault = { faults.append($0.code) }
    let account = store.account(juliet)
    account.replaceRoster(StoredRoster(version: "1", contacts: []))
    let mebibyte = String(repeating: "x", count: 1 << 20)
    for number in 0..<40 { account.updateRoster(version: "2", contact: contact(number, name: mebibyte)) }
    #expect(await account.roster() == nil)
    account.updateRoster(version: "3", contact: contact(1))
    #expect(await account.roster() == nil)
    #expect(faults == [.limit])
    account.replaceRoster(StoredRoster(version: "4", contacts: []))
    #expect(await account.roster()?.version == "4")
  }

  @Test("Groups are read again as they were; nothing else is taken for groups")
  func groups() {
    for list in [[], [""], ["", ""], ["a:b", "1:", "\u{0}", "ü"]] {
      #expect(Groups.decode(Groups.encode(list)) == list)
    }
    for text in ["1", ":", "1:", "2:a", "-1:a", "a:a", "9223372036854775807:a", "99999999999999999999:a", "1:ab", "+:"]
    {
      #expect(Groups.decode(Array(text.utf8)) == nil, "\(text)")
    }
  }
}

/// Numbers that are the same in each run (SplitMix64).
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

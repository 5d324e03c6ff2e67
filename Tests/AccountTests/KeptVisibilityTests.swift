// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Testing
import XMPP

@testable import Store

/// Who may see an account, beyond the life of the program.
@Suite("The visibility that is kept", .timeLimit(.minutes(1)))
struct KeptVisibilityTests {
  init() { EventLoop.runInBackground() }

  private let key = AccountKey(uid: 1000, jid: "juliet@localhost", protocol: "xmpp")

  private func jids(_ numbers: Range<Int>) throws -> [BareJID] { try numbers.map { try BareJID("c\($0)@localhost") } }

  @LoopActor
  private func refusal(_ work: @LoopActor () async throws -> Void) async -> AccountError? {
    await #expect(throws: AccountError.self) { try await work() }
  }

  @Test("Whatever a person says is what is kept, step by step")
  @LoopActor func steps() async throws {
    let home = try await Home()
    let account = home.account
    #expect(try VisibilityWish.kept(in: home.store) == nil)
    let (romeo, tybalt) = (try BareJID("romeo@localhost"), try BareJID("tybalt@localhost"))
    let steps: [@LoopActor () async throws -> Void] = [
      { try await account.setVisibility(.invisible) },
      { try await account.showTo([romeo, tybalt], groups: ["Friends"]) },
      { try await account.hideFrom([tybalt], groups: []) },
      { try await account.hideFrom([], groups: ["Friends"]) },
      {
        try await account.setVisibility(
          VisibilityWish(showsOthers: true, contacts: [BareAddress(tybalt)], probes: false, acceptsLess: true))
      },
      { try await account.setVisibility(.visible) },
    ]
    for step in steps {
      let before = account.wanted
      try await step()
      #expect(account.wanted != before)
      #expect(try VisibilityWish.kept(in: home.store) == account.wanted)
    }
  }

  @Test("It is written down before the server hears of it")
  @LoopActor func first() async throws {
    let home = try await Home(mode: .invisible)
    try await home.connect()
    var kept: [VisibilityWish?] = []
    try home.server.onSend = { kept.append(try? VisibilityWish.kept(in: home.store)) }
    try await home.account.setVisibility(.visible)
    #expect(!kept.isEmpty && kept.allSatisfy { $0 == .visible })
  }

  @Test("What cannot be written down is not done, and whoever called is told")
  @LoopActor func unwritable() async throws {
    let store = try await Store.open(directory: nil)
    let home = try await Home(mode: .invisible, store: store.account(key))
    try await home.connect()
    _ = try home.server.take()
    await store.close()
    let error = await refusal { try await home.account.setVisibility(.visible) }
    #expect(error?.code == .storageFailed)
    #expect(home.account.wanted == .invisible && home.account.audience.mode == .invisible)
    #expect(!home.account.isVisibilityPending)
    #expect(try home.server.take().isEmpty)
    #expect(throws: AccountError.self) { try VisibilityWish.kept(in: home.store) }
  }

  @Test("A full disk keeps nobody from hiding: it is done, told that it will be forgotten, and kept when there is room")
  @LoopActor func hidingOnAFullDisk() async throws {
    let store = try await Store.open(directory: nil)
    let kept = store.account(key)
    try VisibilityWish.visible.keep(in: kept)
    let home = try await Home(mode: .visible, store: kept)
    try await home.connect()
    try home.account.setPolicy(.allow)
    try store.state.database.query("PRAGMA query_only = ON")
    let account = home.account
    let onlyRomeo = VisibilityWish(showsOthers: false, contacts: [BareAddress("romeo@montague.lit")])
    for _ in 0..<2 {
      let error = await refusal { try await account.setVisibility(onlyRomeo) }
      #expect(error?.code == .storageFailed && error?.text.contains("holds now") == true, "\(error?.text ?? "")")
      #expect(account.audience.mode == .only && !account.isVisibilityPending)
    }
    let error = await refusal { try await account.setVisibility(.invisible) }
    #expect(error?.text.contains("holds now") == true)
    #expect(account.wanted == .invisible && account.audience.mode == .invisible)
    #expect(await refusal { try await account.setVisibility(.visible) }?.text.contains("holds now") == false)
    #expect(account.audience.mode == .invisible)
    let policy = await refusal { try account.setPolicy(.off) }
    #expect(policy?.text.contains("holds now") == true && account.decloak.policy == .off)
    #expect(try VisibilityWish.kept(in: kept) == .visible && kept.policy() == "allow")
    try store.state.database.query("PRAGMA query_only = OFF")
    try await account.setVisibility(.invisible)
    try account.setPolicy(.off)
    #expect(try VisibilityWish.kept(in: kept) == .invisible && kept.policy() == "off")
  }

  @Test("More contacts or groups than are kept are refused, in one call or little by little")
  @LoopActor func limits() async throws {
    let home = try await Home()
    let account = home.account
    let most = StoredVisibility.mostContacts
    try await account.hideFrom(try jids(0..<most), groups: [])
    let full = account.wanted
    let all = try jids(0..<most + 1)
    let whole = VisibilityWish(showsOthers: true, contacts: ContactSet(all.map { BareAddress($0) }))
    let groups = (0...StoredVisibility.mostGroups).map { "\($0)" }
    for work: @LoopActor () async throws -> Void in [
      { try await account.hideFrom([all[most]], groups: []) },
      { try await account.setVisibility(whole) },
      { try await account.hideFrom([], groups: groups) },
      { try whole.keep(in: home.store) },
    ] {
      #expect(await refusal(work)?.code == .limitExceeded)
      let isUnchanged = try account.wanted == full && VisibilityWish.kept(in: home.store) == full
      #expect(isUnchanged)
    }
  }

  @Test("An account that was removed keeps nothing any more: what was forgotten stays so")
  @LoopActor func retired() async throws {
    let home = try await Home()
    try await home.account.setVisibility(.invisible)
    await home.account.retire()
    try await home.account.forget()
    let error = await refusal { try await home.account.setVisibility(.visible) }
    #expect(error?.code == .cancelled)
    #expect(try VisibilityWish.kept(in: home.store) == nil)
  }
}

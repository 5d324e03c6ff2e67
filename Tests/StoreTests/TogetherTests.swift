// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Store
import Testing

@Suite("What is written together", .timeLimit(.minutes(1)))
struct TogetherTests {
  init() { EventLoop.runInBackground() }

  private func rule(_ subject: String) -> StoredRule {
    StoredRule(subject: subject, decision: "deny", madeAt: 1, madeBy: 1000, madeWith: "SetRule")
  }

  @Test("All of it is there or, where one part fails, nothing; and counts are right afterwards")
  @LoopActor func together() async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(AccountKey(uid: 1000, jid: "juliet@localhost", protocol: "xmpp"))
    try account.setRule(rule("a@b"))
    let error = #expect(throws: StoreError.self) {
      try account.together { () throws(StoreError) in
        try account.setPolicy("allow")
        try account.removeRule("a@b")
        for number in 0..<StoredRule.most { try account.setRule(rule("c\(number)@d")) }
        try account.setRule(rule("one@more"))
      }
    }
    #expect(error?.code == .limit)
    #expect(try account.policy() == nil)
    #expect(try account.rules() == [rule("a@b")])
    try account.together { () throws(StoreError) in
      try account.setPolicy("rules")
      for number in 1..<StoredRule.most { try account.setRule(rule("c\(number)@d")) }
    }
    #expect(try account.policy() == "rules")
    #expect(try account.rules().count == StoredRule.most)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Whoever guesses the full JID of a session that is hidden sees what he would see of one that is not there.
@Suite("Absence", .serialized, .timeLimit(.minutes(6)))
struct AbsenceTests {
  private func compare(_ expected: [String: [String]], _ got: [String: [String]], _ when: String) {
    #expect(expected.values.contains { !$0.isEmpty }, "an absent resource answers nothing: nothing was compared")
    for question in expected.keys.sorted() where expected[question] != got[question] {
      let (present, missing) = (got[question] ?? [], expected[question] ?? [])
      Issue.record("leak: \(question), \(when):\n  absent: \(missing)\n  hidden: \(present)")
    }
  }

  @Test(
    "A stranger cannot tell a hidden session from a resource that is not there, whatever he sends",
    arguments: XMPPServer.Family.allCases)
  func everyKind(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let account = try witness.account("juliet", parameters: ["visibility": .string("invisible")])
      let stranger = try witness.client("stranger")
      try stranger.send("<presence/>")
      try witness.step("the account connects") { try account.connect() }
      let full = try account.fullJID()
      let absent = "\(account.jid)/\(String(full.dropFirst(account.jid.count + 1).reversed()))"
      let expected = try witness.answers(StrangerQuestion.everyKind, to: stranger, bare: nil, full: absent)
      try witness.step("the stranger asks everything") {
        let got = try witness.answers(
          StrangerQuestion.everyKind, to: stranger, bare: nil, full: full, expected: expected)
        compare(expected, got, "on \(family)")
      }
    }
  }
}

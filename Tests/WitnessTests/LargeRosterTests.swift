// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// A roster as large as they may be.
@Suite("A large roster", .serialized, .timeLimit(.minutes(15)))
struct LargeRosterTests {
  private static let size = 100_000

  private func contacts(_ count: Int, named name: String) -> [String] {
    let rest = "{ [\"subscription\"] = \"both\"; [\"name\"] = \"\(name)\"; [\"groups\"] = {}; }"
    return (0..<count).map { "[\"c\($0)@example.org\"] = \(rest)" }
  }

  @Test("100,000 contacts are read page by page, and not transferred again; others are served meanwhile")
  func large() async throws {
    try await Witness.run { witness in
      let user = try witness.user("juliet")
      try witness.server.setRoster(of: user, version: 1, contacts(Self.size, named: "then"))
      let account = try BusAccount(
        "\(user)@localhost", on: witness.owner,
        [
          "password": .string("pass-\(user)"), "server": .string("127.0.0.1"),
          "port": .uint16(witness.server.clientPort), "ca-file": .string(witness.server.certificate),
          "visibility": .string("invisible"),
        ])
      let other = try witness.bus.connect()
      /// Connects, while somebody else asks and asks.
      func connect() throws -> Int {
        let connecting = try account.begin("Connect")
        var answers = 0
        while try !witness.owner.isAnswered(connecting) {
          _ = try account.get("Status", by: other)
          answers += 1
        }
        _ = try witness.owner.finish(connecting)
        return answers
      }
      func page(after contact: String) throws -> [BusValue] {
        try account.call("ListRoster", [.options(["after": .string(contact), "limit": .uint32(5000)])])[0].list
      }

      #expect(try connect() > 10)
      let sorted = (0..<Self.size).map { "c\($0)@example.org" }.sorted()
      for first in [0, 5000, 55_000, 97_000] {
        let shown = try page(after: first == 0 ? "" : sorted[first - 1]).map { $0["Contact"]?.text }
        let isRight = shown == sorted[first..<min(first + 5000, Self.size)].map { $0 }
        #expect(isRight, "the page from \(first), of \(shown.count)")
      }
      try account.call("Disconnect")

      // The server has other contacts now and says that nothing has changed: whoever shows the old ones was told none.
      try witness.server.setRoster(of: user, version: 1, contacts(1, named: "now"))
      #expect(try connect() > 10)
      let kept = try page(after: sorted[Self.size - 2])
      #expect(kept.map { $0["Name"]?.text } == ["then"] && kept.first?["Contact"]?.text == sorted.last)
      try account.call("Disconnect")

      try witness.server.setRoster(of: user, version: 2, contacts(1, named: "now"))
      _ = try connect()
      #expect(try page(after: "").map { $0["Name"]?.text } == ["now"])
    }
  }
}

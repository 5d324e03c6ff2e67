// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Strangers without end, of domains without end: what the whole minute of them costs is for `make bench`.
@Suite("A flood of requests", .serialized, .timeLimit(.minutes(15)))
struct FloodTests {
  private static let (people, domains, rounds) = (2000, 200, 3)

  /// Everybody asks, in each round.
  private func flood(_ gateway: RawClient, _ jid: String) throws {
    for first in stride(from: 0, to: Self.rounds * Self.people, by: 100) {
      let stanzas = (first..<first + 100).map { number in
        let person = number % Self.people
        return "<presence from='u\(person)@d\(person % Self.domains).example/r' to='\(jid)'>"
          + StrangerQuestion.dialects[number % 3] + "</presence>"
      }
      try gateway.send(stanzas.joined())
    }
    try gateway.ping()
  }

  @Test("Few of them are listed, and told of once; the rest is counted, in the log too, and held by nothing")
  func flood() async throws {
    try await Witness.run(logLevel: nil) { witness in
      let server = try XMPPServer(settings: ["FOREIGN": "yes", "ACCOUNTS": "tybalt:pass-tybalt"])
      let daemon = try #require(witness.daemon)
      try witness.takeInterest()
      let tybalt = try witness.account("tybalt", user: "tybalt", on: server)
      try witness.step("Tybalt connects") {
        try tybalt.connect()
        try tybalt.set(.Decloak, "Policy", .string("ask"))
      }
      let full = try tybalt.fullJID()
      let gateway = try RawClient.component(
        name: "everybody", port: server.componentPort, domain: XMPPServer.componentDomain,
        secret: XMPPServer.componentSecret)
      // The first few thousand make the program as large as it gets.
      try witness.step("everybody asks") { try flood(gateway, full) }
      let requests = try tybalt.requests()
      let domains = Dictionary(grouping: requests) { $0["Domain"]?.text ?? "" }
      #expect(requests.count == 12, "four places are kept for the roster")
      #expect(domains.values.allSatisfy { $0.count <= 8 })
      #expect(Set(requests.map { $0["Count"]?.number }) == [Self.rounds])
      #expect(try tybalt.get(.Decloak, "PendingRequests") == .uint32(12))
      let memory = proportionalMemory(of: daemon.process.pid)
      try witness.step("and again") { try flood(gateway, full) }
      let growth = proportionalMemory(of: daemon.process.pid) - memory
      #expect(growth < 1024, "\(growth) KiB")
      #expect(gateway.received.isEmpty, "\(gateway.received.first?.raw ?? "")")
      let signals = Dictionary(grouping: witness.owner.received, by: \.member).mapValues(\.count)
      #expect(signals["DecloakRequested"] == 12, "\(signals)")
      // What changes is told at most once a second.
      #expect(signals.values.reduce(0, +) < Self.people / 2, "\(signals)")
      let lines = daemon.log.split(separator: "\n").filter { $0.contains("requests to decloak that were not listed") }
      #expect((1...3).contains(lines.count), "\(daemon.log)")
      #expect(!daemon.log.contains("example"), "nobody is named")
      try witness.step("somebody who asks no more than others is heard again once there is room") {
        let id = BusValue.string(requests.first?["Id"]?.text ?? "")
        try tybalt.call(.Decloak, "Deny", [id, .string("once"), .options()])
        try gateway.send(
          "<presence from='romeo@montague.example/r' to='\(full)'>\(StrangerQuestion.dialects[0])</presence>")
        try gateway.ping()
      }
      #expect(try tybalt.requests().contains { $0["Contact"]?.text == "romeo@montague.example" })
      try tybalt.disconnect()
      try gateway.close()
      try server.stop()
    }
  }
}

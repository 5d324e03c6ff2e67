// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Our own server holds what a test of many clients needs.
@Suite("Many sessions", .serialized, .timeLimit(.minutes(5)))
struct ManySessionsTests {
  private static let count = 1000

  @Test("A thousand clients stand in a ring, and each hears of its two neighbours and of nobody else")
  func ring() async throws {
    try await Witness.run(on: .loopback, withDaemon: false) { _ in
      try allowManyDescriptors(3 * Self.count)
      let users = (0..<Self.count).map { "u\($0)" }
      let accounts = users.map { "\($0):secret" }.joined(separator: " ")
      let server = try XMPPServer(.loopback, settings: ["ACCOUNTS": accounts, "MECHANISMS": "invisible-presence"])
      let empty = proportionalMemory(of: server.pid)
      let clock = ContinuousClock()
      let begin = clock.now
      let clients = try users.map {
        try RawClient.login(name: $0, port: server.clientPort, user: $0, password: "secret", resource: "pc")
      }
      let loggedIn = clock.now
      func all(_ say: (Int) -> String) throws {
        for (index, client) in clients.enumerated() { try client.send(say(index)) }
        // The first makes sure that all of it has been dealt with, the second that what came of it was received.
        for _ in 0..<2 { for client in clients { try client.ping() } }
      }
      func neighbours(_ index: Int) -> [Int] { [index + Self.count - 1, index + 1].map { $0 % Self.count } }
      func directed(_ type: String) -> (Int) -> String {
        { neighbours($0).map { "<presence to='u\($0)@localhost' type='\(type)'/>" }.joined() }
      }
      try all { _ in "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>" }
      try all(directed("subscribe"))
      try all(directed("subscribed"))
      for client in clients { client.passAll() }
      let subscribed = clock.now
      try all { "<presence><show>away</show><status>\($0)</status></presence>" }
      let told = clock.now
      for (index, client) in clients.enumerated() {
        let heard = client.unexpected.filter { !client.isOwn($0.node) }
        let statuses = heard.compactMap { $0.node.child("status")?.text }
        try #require(
          heard.count == 2 && Set(statuses) == Set(neighbours(index).map(String.init)), "u\(index): \(heard)")
      }
      // One of them hides, which is nobody's business but its neighbours'.
      for client in clients { client.passAll() }
      try all { $0 == 7 ? "<presence type='invisible'/>" : "" }
      for (index, client) in clients.enumerated() {
        let types = client.unexpected.filter { !client.isOwn($0.node) }.map { $0.node["type"] }
        try #require(types == (neighbours(7).contains(index) ? ["unavailable"] : []), "u\(index): \(types)")
      }
      let memory = proportionalMemory(of: server.pid) - empty
      print(
        "\(Self.count) sessions: \(loggedIn - begin) to log in, \(subscribed - loggedIn) for the subscriptions,",
        "\(told - subscribed) for a broadcast of each; \(memory) KiB more than none (\(empty) KiB)")
      #expect(memory < 100 * Self.count, "\(memory) KiB")
      for client in clients { try client.close() }
      try server.stop()
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// The proxy itself: a fault that does not happen would make every test pass.
@Suite("The proxy of the fault tests", .serialized, .timeLimit(.minutes(15)))
struct FaultProxyTests {
  @Test("It lets a client through, and breaks the connection when told to", arguments: FaultProxy.Manner.allCases)
  func relays(manner: FaultProxy.Manner) async throws {
    try await Witness.run(withDaemon: false) { witness in
      let proxy = try FaultProxy(to: witness.server.clientPort)
      defer { proxy.stop() }
      let user = try witness.user("raw")
      func login() throws -> RawClient {
        try RawClient.login(name: user, port: proxy.port, user: user, password: "pass-\(user)")
      }
      let client = try login()
      try client.ping()
      #expect(proxy.connections == 1)
      proxy.cut(manner)
      #expect(throws: WitnessError.self) { try client.ping() }
      try proxy.wait(for: "the end of the connection") { $0.open == 0 }
      proxy.refuse(true)
      #expect(throws: WitnessError.self) { try login() }
      #expect(proxy.connections == 1)
      proxy.refuse(false)
      try login().close()
      proxy.setFault(.cut(after: 100, .toClient, manner))
      #expect(throws: WitnessError.self) { try login() }
      #expect(proxy.passed(.toClient) == 100)
      proxy.setFault(.cut(after: 77, .toServer, manner))
      #expect(throws: WitnessError.self) { try login() }
      #expect(proxy.passed(.toServer) == 77)
      proxy.setFault(.trickle)
      try login().close()
      try proxy.wait(for: "the end of the connection") { $0.open == 0 }
    }
  }
}

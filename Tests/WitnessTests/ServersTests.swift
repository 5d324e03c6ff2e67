// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// The servers that scenarios run on.
@Suite("Servers for tests", .serialized, .timeLimit(.minutes(15)))
struct ServersTests {
  @Test("A server that is started again has its ports and its accounts", arguments: XMPPServer.Family.allCases)
  func restart(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family, withDaemon: false) { _ in
      let server = try XMPPServer(family, settings: ["ACCOUNTS": "juliet:secret"])
      try server.addAccount("romeo", password: "secret")
      let ports = [server.clientPort, server.directTLSPort, server.componentPort]
      try server.stop()
      try server.startAgain()
      #expect([server.clientPort, server.directTLSPort, server.componentPort] == ports)
      for user in ["juliet", "romeo"] {
        let client = try RawClient.login(name: user, port: server.clientPort, user: user, password: "secret")
        try client.close()
      }
      try server.stop()
      #expect(throws: WitnessError.self) {
        try RawClient.login(name: "romeo", port: server.clientPort, user: "romeo", password: "secret")
      }
    }
  }

  @Test("A gateway is reached through its domain", arguments: XMPPServer.Family.allCases)
  func component(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family, withDaemon: false) { witness in
      let gateway = try witness.component()
      let stranger = try witness.client("stranger")
      try stranger.send("<message to='someone@\(XMPPServer.componentDomain)'><body>hello</body></message>")
      try gateway.expect("the message") { $0.name == "message" && $0["to"]?.hasPrefix("someone@") == true }
    }
  }
}

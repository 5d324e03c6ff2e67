// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Ways of logging in, against servers.
@Suite("Logging in", .serialized, .timeLimit(.minutes(15)))
struct LoginTests {
  @Test("An account's own certificate does for a password where the server takes it (SASL EXTERNAL)")
  func external() async throws {
    try await Witness.run { witness in
      let directory = try TemporaryDirectory()
      defer { withExtendedLifetime(directory) {} }
      let (key, file) = (directory.file("key"), directory.file("juliet.pem"))
      let made = try run([
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=juliet", "-addext",
        "subjectAltName=otherName:1.3.6.1.5.5.7.8.5;UTF8:juliet@localhost", "-keyout", key, "-out", file,
      ])
      try #require(made.ending == .status(0), "\(made.errors)")
      try writeFile(file, readFile(file) + readFile(key))
      let server = try XMPPServer(.ejabberd, settings: ["ACCOUNTS": "juliet:secret romeo:secret", "CLIENTS": file])
      func connect(_ jid: String) throws -> (refusal: RawBus.Refusal?, account: BusAccount) {
        let account = try BusAccount(
          jid, on: witness.owner,
          [
            "client-certificate": .string(file), "server": .string("127.0.0.1"), "port": .uint16(server.clientPort),
            "ca-file": .string(server.certificate),
          ])
        return (try account.refusal(), account)
      }
      let (refusal, account) = try connect("juliet@localhost")
      #expect(refusal == nil, "\(refusal?.text ?? "")")
      #expect(try account.get("Security")?["Mechanism"]?.text == "EXTERNAL")
      #expect(try account.get("Jid")?.text.hasPrefix("juliet@localhost/") == true)
      // It is Juliet's and nobody else's.
      #expect(try connect("romeo@localhost").refusal?.name == "org.nightcloak.Presence1.Error.AuthenticationFailed")
    }
  }

  @Test("Who has logged in by SCRAM does not send the password later, restart or not, unless a person says so")
  func weaker() async throws {
    try await Witness.run(withDaemon: false) { witness in
      let state = try TemporaryDirectory()
      defer { withExtendedLifetime(state) {} }
      let user = try witness.user("juliet")
      let password = "pass-\(user)"
      let mechanisms = ["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]
      let weak = try XMPPServer(
        settings: ["ACCOUNTS": "\(user):\(password)", "WITHOUT": mechanisms.joined(separator: " ")])
      func add(_ server: XMPPServer, _ more: [String: BusValue] = [:]) throws -> BusAccount {
        let parameters: [String: BusValue] = [
          "password": .string(password), "server": .string("127.0.0.1"), "port": .uint16(server.clientPort),
          "ca-file": .string(server.certificate),
        ]
        return try BusAccount("\(user)@localhost", on: witness.owner, parameters.merging(more) { $1 })
      }
      func runDaemon(_ body: () throws -> Void) throws {
        let daemon = try DaemonProcess(on: witness.bus, stateDirectory: state.file("state"))
        defer { _ = try? daemon.terminate() }
        try body()
      }

      try runDaemon {
        let account = try add(witness.server)
        #expect(try account.refusal() == nil)
        #expect(try account.get("Security")?["Mechanism"]?.text.hasPrefix("SCRAM-") == true)
      }
      try runDaemon {
        let account = try add(weak)
        let refusal = try account.refusal()
        #expect(refusal?.name == "org.nightcloak.Presence1.Error.AuthenticationFailed")
        for part in ["SCRAM-SHA-", "PLAIN", "accept-weaker-login"] {
          #expect(refusal?.text.contains(part) == true, "\(part): \(refusal?.text ?? "")")
        }
        #expect(try account.get("Status")?.text == "disconnected")
        try account.remove()
        let accepting = try add(weak, ["accept-weaker-login": .bool(true)])
        #expect(try accepting.refusal() == nil)
        #expect(try accepting.get("Security")?["Mechanism"]?.text == "PLAIN")
      }
    }
  }
}

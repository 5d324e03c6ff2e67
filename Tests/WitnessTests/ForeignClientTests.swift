// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Clients that others have written find our own server to be a server.
@Suite("Foreign clients", .serialized, .timeLimit(.minutes(5)))
struct ForeignClientTests {
  private static let program =
    String(#filePath.dropLast("WitnessTests/ForeignClientTests.swift".count))
    + "Servers/loopback/slixmpp-client"

  @Test("slixmpp logs in over TLS by SCRAM, has its roster, sees a contact, and is written to")
  func slixmpp() async throws {
    try await Witness.run(on: .loopback) { witness in
      let romeo = try witness.account("romeo")
      let nurse = try witness.user("nurse")
      try witness.subscribe(nurse, to: romeo.user, both: true)
      let directory = try TemporaryDirectory()
      let client = try ChildProcess(
        [Self.program, "\(nurse)@localhost", "\(witness.server.clientPort)", witness.server.certificate],
        errors: directory.file("errors"))
      func expect(_ line: String) throws {
        let line = line.replacing("NURSE", with: "\(nurse)@localhost").replacing("ROMEO", with: romeo.jid)
        guard let said = try client.line(within: .seconds(20)), said == line else {
          throw WitnessError("slixmpp did not say \"\(line)\": \(readFile(directory.file("errors")))")
        }
      }
      client.write("pass-\(nurse)\n")
      for line in ["session NURSE", "tls TLSv1.3", "sasl SCRAM-SHA-512", "contact ROMEO both", "pong yes"] {
        try expect(line)
      }
      witness.model.accounts[romeo.jid]?.isVisible = true
      try witness.step("the account connects") { try romeo.connect() }
      try expect("presence ROMEO available")
      let juliet = try witness.client("juliet")
      try juliet.send("<message to='\(nurse)@localhost' type='chat'><body>Go, girl</body></message>")
      try expect("message \(juliet.bare) Go, girl")
      try juliet.expect("its answer") { $0.name == "message" && $0.child("body")?.text == "GO, GIRL" }
      try witness.step("the account becomes invisible") {
        try romeo.call(.Visibility, "SetInvisible")
        witness.model.accounts[romeo.jid]?.isVisible = false
      }
      try expect("presence ROMEO unavailable")
      try juliet.send("<message to='\(nurse)@localhost' type='chat'><body>quit</body></message>")
      try expect("message \(juliet.bare) quit")
      try expect("end")
      #expect(try client.wait(within: .seconds(10)) == .status(0))
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// The program as a process: what it writes down, how it ends.
@Suite("The daemon's process", .serialized, .timeLimit(.minutes(15)))
struct ProcessTests {
  /// Connected, with somebody who sees Tybalt.
  private func shown(_ witness: Witness) throws -> (tybalt: OurAccount, juliet: RawClient) {
    let tybalt = try witness.account("tybalt")
    let juliet = try witness.client("juliet")
    try juliet.send("<presence/>")
    try witness.step("Juliet sees Tybalt") {
      witness.model.accounts[tybalt.jid]?.isVisible = true
      witness.model.accounts[tybalt.jid]?.sessions = [juliet.jid]
      try tybalt.connect()
      try tybalt.set(.Decloak, "Policy", .string("allow"))
      try juliet.send("<presence to='\(tybalt.fullJID())'>\(StrangerQuestion.dialects[0])</presence>")
      try juliet.expect("his presence") { $0["from"]?.hasPrefix(tybalt.jid) == true }
    }
    return (tybalt, juliet)
  }

  @Test("By default the log and the command line hold no password, no JID, and nothing of a message")
  func discreet() async throws {
    try await Witness.run(logLevel: nil) { witness in
      let (tybalt, juliet) = try shown(witness)
      let daemon = try #require(witness.daemon)
      try witness.step("Juliet writes and asks") {
        try juliet.send("<message to='\(tybalt.fullJID())'><body>wherefore art thou</body></message>")
        try juliet.send("<iq type='set' id='1' to='\(tybalt.fullJID())'><odd xmlns='urn:odd'>wherefore</odd></iq>")
        try juliet.send("<presence to='\(tybalt.fullJID())' type='error'><wherefore xmlns='urn:odd'/></presence>")
      }
      let wrong = try witness.user("mercutio")
      let account = try witness.account("mercutio", user: wrong, parameters: ["tls": .string("starttls")])
      try witness.server.addAccount(wrong, password: "another")
      #expect(throws: RawBus.Refusal.self) { try account.call(.Connection, "Connect") }
      let commandLine = readFile("/proc/\(daemon.process.pid)/cmdline")
      let secrets = [tybalt.user, juliet.jid, "pass-", "wherefore", wrong, "@localhost"]
      for secret in secrets {
        #expect(!daemon.log.contains(secret), "\(daemon.log)")
        #expect(!commandLine.contains(secret))
      }
      _ = try daemon.terminate()
      tybalt.isGone()
      for secret in secrets { #expect(!daemon.log.contains(secret), "\(daemon.log)") }
    }
  }

  @Test("SIGTERM says farewell to those who see us, closes the stream, and ends it with status 0 within 5 seconds")
  func terminates() async throws {
    try await Witness.run { witness in
      let (tybalt, juliet) = try shown(witness)
      let full = try tybalt.fullJID()
      let daemon = try #require(witness.daemon)
      try witness.step("SIGTERM") {
        witness.model.accounts[tybalt.jid]?.sessions = []
        #expect(try daemon.terminate(within: .seconds(5)) == .status(0))
        tybalt.isGone()
        try juliet.expect("his unavailable") { $0["from"] == full && $0["type"] == "unavailable" }
      }
      #expect(try witness.owner.callBus("NameHasOwner", [.string(DaemonProcess.busName)]) == [.bool(false)])
    }
  }

  @Test("A bus that goes away ends it with a status that is not 0 and says so; those who see us are told")
  func busDies() async throws {
    try await Witness.run { witness in
      let (tybalt, juliet) = try shown(witness)
      let full = try tybalt.fullJID()
      let daemon = try #require(witness.daemon)
      try witness.bus.kill()
      try witness.owner.waitForEnd(within: .seconds(5))
      try witness.step("the bus is gone") {
        witness.model.accounts[tybalt.jid]?.sessions = []
        tybalt.isGone()
        guard case .status(let status) = try daemon.process.wait(within: .seconds(10)) else {
          throw WitnessError("it ended by a signal: \(daemon.log)")
        }
        #expect(status != 0)
        #expect(daemon.log.contains("the bus went away"), "\(daemon.log)")
        try juliet.expect("his unavailable") { $0["from"] == full && $0["type"] == "unavailable" }
      }
    }
  }

  @Test("A second one on the same bus says whose place is taken, and ends")
  func second() async throws {
    try await Witness.run { witness in
      let outcome = try run([DaemonProcess.program, "--address", witness.bus.address])
      guard case .status(let status) = outcome.ending else { throw WitnessError("ended by a signal") }
      #expect(status != 0)
      #expect(outcome.errors.contains(DaemonProcess.busName), "\(outcome.errors)")
    }
  }

  @Test("A server that goes away is noticed, and why it went can be read")
  func serverDies() async throws {
    try await Witness.run { witness in
      let server = try XMPPServer()
      try server.addAccount("romeo", password: "pass-romeo")
      let account = try witness.account("romeo", user: "romeo", on: server)
      try account.call(.Connection, "Connect")
      try witness.owner.call(
        DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddClientInterest",
        [.strings(["*"])])
      try server.stop()
      let signal = try witness.owner.expect("a change of Status") {
        $0.member == "PropertiesChanged" && $0.arguments.dropFirst().first?["Status"]?.text == "waiting"
      }
      let reason = signal.arguments.dropFirst().first?["StatusReason"]?.text
      #expect(reason?.contains("server") == true && reason?.contains("The next try is in") == true)
      #expect(try account.get(.Connection, "Jid").text == "")
      try account.call(.Connection, "Disconnect")
      #expect(try account.get(.Connection, "Status").text == "disconnected")
    }
  }
}

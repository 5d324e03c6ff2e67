// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// What goes wrong while an account is connected.
@Suite("Faults of a session", .serialized, .timeLimit(.minutes(15)))
struct SessionFaultTests {
  @Test("Each has the right Status and reason, shows nothing that was not meant, and leaves nothing behind")
  func faults() async throws {
    try await Witness.run { witness in
      try happen(SessionFault.slow + SessionFault.all, beside: LoginFault.slow, witness)
    }
  }

  @Test("Where it depends on the server, the other one is no better")
  func ejabberd() async throws {
    let faults = isThorough ? SessionFault.slow + SessionFault.all : SessionFault.depending
    try await Witness.run(on: .ejabberd) { try happen(faults, beside: [], $0) }
  }

  /// All happen at once: what has to wait waits together.
  private func happen(_ faults: [SessionFault], beside logins: [LoginFault], _ witness: Witness) throws {
    let scene = try Scene(witness, users: faults.count)
    let connecting = try logins.enumerated().map { number, fault in
      let proxy = try fault.proxy(scene)
      let account = try scene.account(through: proxy, user: witness.user("slow\(number)of"), tls: fault.tls)
      return (fault, account, proxy, try account.begin(.Connection, "Connect"))
    }
    let subjects = try zip(scene.users, faults).map { user, fault in
      let proxy = try scene.proxy()
      let account = try scene.account(through: proxy, user: user, isVisible: fault.isVisible)
      witness.model.accounts[account.jid]?.isVisible = fault.isVisible
      try account.call(.Connection, "Connect")
      return try SessionFault.Subject(account, proxy, on: witness.owner)
    }
    defer { for subject in subjects { subject.proxy.stop() } }
    try witness.step("all are connected") {}
    let before = scene.footprint
    try witness.step("everything happens") {
      for (fault, subject) in zip(faults, subjects) { try fault.strike(scene, subject) }
      for (fault, subject) in zip(faults, subjects).reversed() { try fault.judge(scene, subject) }
    }
    for (fault, account, proxy, connecting) in connecting { try fault.judge(scene, account, proxy, connecting) }
    let grown = scene.footprint.memory - before.memory
    #expect(grown < 64 * 1024, "it holds \(grown) KiB more than before")
    try witness.step("all are removed") { for subject in subjects { try scene.remove(subject.account) } }
    try scene.awaitDescriptors(of: Footprint(memory: 0, descriptors: before.descriptors - faults.count - logins.count))
  }

  @Test("A server that is started again is found again", arguments: [XMPPServer.Family.prosody, .ejabberd])
  func restart(family: XMPPServer.Family) async throws {
    try await Witness.run { witness in
      let server = try XMPPServer(family, settings: ["ACCOUNTS": "romeo:pass-romeo"])
      let account = try witness.account("romeo", user: "romeo", on: server)
      try witness.owner.call(
        DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddClientInterest",
        [.strings(["*"])])
      try account.call(.Connection, "Connect")
      let proxy = try FaultProxy(to: server.clientPort)
      defer { proxy.stop() }
      let subject = try SessionFault.Subject(account, proxy, on: witness.owner)
      try server.stop()
      try witness.owner.wait(for: "the end of the connection", within: .seconds(20)) {
        subject.statuses.last?.status == "waiting"
      }
      #expect(try account.get(.Connection, "Jid").text == "")
      try server.startAgain()
      // A person who knows that it is back does not wait for the next try.
      try account.call(.Connection, "Connect")
      #expect(try account.get(.Connection, "Status").text == "connected")
      #expect(try account.fullJID() != subject.fullJID)
      try server.stop()
      try witness.owner.wait(for: "the end of the connection", within: .seconds(20)) {
        subject.statuses.last?.status == "waiting"
      }
      try account.call(.Connection, "Disconnect")
      #expect(try account.get(.Connection, "Status").text == "disconnected")
    }
  }
}

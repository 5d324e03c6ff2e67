// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// What goes wrong while an account is connected.
@Suite("Faults of a session", .serialized, .timeLimit(.minutes(4)))
struct SessionFaultTests {
  @Test(
    "Each has the right Status and reason, shows nothing that was not meant, and leaves nothing behind",
    arguments: [XMPPServer.Family.prosody, .ejabberd])
  func faults(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let scene = try Scene(witness, users: SessionFault.all.count)
      // All happen at once: what has to wait waits together.
      var subjects: [(SessionFault, SessionFault.Subject)] = []
      for (user, fault) in zip(scene.users, SessionFault.all) {
        let proxy = try scene.proxy()
        let account = try scene.account(through: proxy, user: user, isVisible: fault.isVisible)
        witness.model.accounts[account.jid]?.isVisible = fault.isVisible
        try account.call(.Connection, "Connect")
        subjects.append((fault, try SessionFault.Subject(account, proxy, on: witness.owner)))
      }
      defer { for (_, subject) in subjects { subject.proxy.stop() } }
      try witness.step("all are connected") {}
      let before = scene.footprint
      try witness.step("everything happens") {
        for (fault, subject) in subjects { try fault.strike(scene, subject) }
        for (fault, subject) in subjects { try judge(fault, scene, subject) }
      }
      let grown = scene.footprint.memory - before.memory
      #expect(grown < 64 * 1024, "it holds \(grown) KiB more than before")
      #expect(scene.footprint.descriptors <= before.descriptors)
      try witness.step("all are removed") { for (_, subject) in subjects { try scene.remove(subject.account) } }
      try scene.awaitDescriptors(of: Footprint(memory: 0, descriptors: before.descriptors - subjects.count))
    }
  }

  private func judge(_ fault: SessionFault, _ scene: Scene, _ subject: SessionFault.Subject) throws {
    func settle(_ final: String) throws {
      try subject.bus.wait(for: "\(fault.name) to end \(final)", within: .seconds(45)) {
        subject.statuses.last?.status == final
      }
    }
    func says(_ words: [String], when status: String) {
      let reason = subject.statuses.first { $0.status == status }?.reason ?? ""
      #expect(!reason.isEmpty && words.contains { $0.isEmpty || reason.contains($0) }, "\(fault.name): \"\(reason)\"")
    }
    switch fault.outcome {
    case .goesOn:
      // What was said before this question has been read when it is answered.
      try ask(scene, subject)
      #expect(subject.statuses.isEmpty, "\(fault.name): \(subject.statuses)")
      #expect(try subject.account.fullJID() == subject.fullJID, "\(fault.name)")
    case .comesBack(let words):
      try settle("connected")
      let statuses = subject.statuses.map(\.status).reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
      #expect(
        statuses.count % 3 == 0 || statuses.dropLast().last == "connecting", "\(fault.name): \(statuses)")
      #expect(statuses.first == "waiting", "\(fault.name): \(statuses)")
      says(words, when: "waiting")
      try ask(scene, subject)
    case .ends(let words):
      try settle("disconnected")
      says(words, when: "disconnected")
      #expect(try subject.account.get(.Connection, "Jid").text == "")
    }
    do {
      try fault.check(scene, subject)
    } catch let error as WitnessError {
      Issue.record("\(fault.name): \(error)")
    }
  }

  /// A second resource of the same person asks, and is answered through the proxy.
  private func ask(_ scene: Scene, _ subject: SessionFault.Subject) throws {
    let second = try RawClient.login(
      name: "second device", port: scene.witness.server.clientPort, user: subject.account.user,
      password: "pass-\(subject.account.user)")
    let answer = try second.iq("get", to: subject.account.fullJID(), "<ping xmlns='urn:xmpp:ping'/>")
    #expect(answer["type"] == "result", "\(answer.canonical)")
    try second.close()
  }
}

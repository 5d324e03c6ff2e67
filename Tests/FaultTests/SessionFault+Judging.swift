// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

extension SessionFault {
  /// Waits for what comes of it, and says what is wrong with that.
  func judge(_ scene: Scene, _ subject: Subject) throws {
    func settle(_ final: String) throws {
      try subject.bus.wait(for: "\(name) to end \(final)", within: .seconds(45)) {
        subject.statuses.last?.status == final
      }
    }
    func says(_ words: [String], when status: String) {
      let reason = subject.statuses.first { $0.status == status }?.reason ?? ""
      #expect(!reason.isEmpty && words.contains { $0.isEmpty || reason.contains($0) }, "\(name): \"\(reason)\"")
    }
    switch outcome {
    case .goesOn:
      // What was said before this question has been read when it is answered.
      try ask(scene, subject)
      #expect(subject.statuses.isEmpty, "\(name): \(subject.statuses)")
      #expect(try subject.account.fullJID() == subject.fullJID, "\(name)")
    case .comesBack(let words):
      try settle("connected")
      let statuses = subject.statuses.map(\.status).reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
      #expect(
        statuses.count % 3 == 0 || statuses.dropLast().last == "connecting", "\(name): \(statuses)")
      #expect(statuses.first == "waiting", "\(name): \(statuses)")
      says(words, when: "waiting")
      try ask(scene, subject)
    case .ends(let words):
      try settle("disconnected")
      says(words, when: "disconnected")
      #expect(try subject.account.get(.Connection, "Jid").text == "")
    }
    do {
      try check(scene, subject)
    } catch let error as WitnessError {
      Issue.record("\(name): \(error)")
    }
  }

  /// A second resource of the same person asks, and is answered through the proxy.
  private func ask(_ scene: Scene, _ subject: Subject) throws {
    let second = try RawClient.login(
      name: "second device", port: scene.witness.server.clientPort, user: subject.account.user,
      password: "pass-\(subject.account.user)")
    let answer = try second.iq("get", to: subject.account.fullJID(), "<ping xmlns='urn:xmpp:ping'/>")
    #expect(answer["type"] == "result", "\(answer.canonical)")
    try second.close()
  }
}

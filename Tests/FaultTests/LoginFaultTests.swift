// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// What goes wrong before an account is connected.
@Suite("Faults on the way in", .serialized, .timeLimit(.minutes(4)))
struct LoginFaultTests {
  @Test(
    "Each ends Connect with the right error and reason, shows nothing to anybody, and leaves nothing behind")
  func faults() async throws {
    try await Witness.run { witness in
      let scene = try Scene(witness)
      // What is made once is made.
      try attempt(LoginFault.fast[0], in: scene)
      let before = scene.footprint
      // All that wait for a time-out wait together, and the others are tried meanwhile.
      let waiting = try LoginFault.slow.enumerated().map { index, fault in
        let proxy = try fault.proxy(scene)
        let account = try scene.account(through: proxy, user: witness.user("slow\(index)of"), tls: fault.tls)
        return (fault, proxy, account, try account.begin(.Connection, "Connect"))
      }
      for fault in LoginFault.fast { try attempt(fault, in: scene) }
      for (fault, proxy, account, connecting) in waiting {
        try judge(fault, scene, account, proxy, connecting)
      }
      try scene.awaitDescriptors(of: before)
      let grown = scene.footprint.memory - before.memory
      #expect(grown < 24 * 1024, "it holds \(grown) KiB more than before")
    }
  }

  @Test("It does not matter which server it is")
  func ejabberd() async throws {
    try await Witness.run(on: .ejabberd) { witness in
      let scene = try Scene(witness)
      for fault in LoginFault.fast { try attempt(fault, in: scene) }
    }
  }

  private func attempt(_ fault: LoginFault, in scene: Scene) throws {
    let proxy = try fault.proxy(scene)
    let account = try scene.account(through: proxy, tls: fault.tls)
    try scene.witness.step(fault.name) {
      try judge(fault, scene, account, proxy, account.begin(.Connection, "Connect"))
    }
  }

  private func judge(
    _ fault: LoginFault, _ scene: Scene, _ account: OurAccount, _ proxy: FaultProxy, _ connecting: RawBus.Pending
  ) throws {
    defer { proxy.stop() }
    var refusal: RawBus.Refusal?
    do {
      _ = try scene.witness.owner.finish(connecting)
    } catch let error as RawBus.Refusal {
      refusal = error
    }
    let status = try account.get(.Connection, "Status").text
    let reason = try account.get(.Connection, "StatusReason").text
    switch fault.outcome {
    case .connects:
      #expect(refusal == nil, "\(fault.name): \(refusal.map(String.init(describing:)) ?? "")")
      #expect(status == "connected", "\(fault.name): \(status) (\(reason))")
      let roster = try account.call(.Connection, "ListRoster", [.options()]).first?.list ?? []
      #expect(roster.map { $0["Contact"]?.text } == [scene.contact.bare], "\(fault.name): the roster is \(roster)")
    case .fails(let error, let words):
      #expect(refusal?.name == ours(error), "\(fault.name): \(refusal.map(String.init(describing:)) ?? "it connects")")
      let text = refusal?.text ?? ""
      #expect(words.isEmpty || words.contains { $0.isEmpty || text.contains($0) }, "\(fault.name): \"\(text)\"")
      #expect(text.count < 1500, "\(fault.name): \(text.count) characters")
      #expect(status == "disconnected", "\(fault.name)")
      #expect(reason == text, "\(fault.name): \(reason)")
      #expect(try account.get(.Connection, "Jid").text == "", "\(fault.name)")
    }
    if let objection = fault.objection(proxy) { Issue.record("\(fault.name): \(objection)") }
    try scene.remove(account)
  }
}

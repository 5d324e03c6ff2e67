// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

extension LoginFault {
  /// Waits for what comes of it, and says what is wrong with that.
  func judge(
    _ scene: Scene, _ account: OurAccount, _ proxy: FaultProxy, _ connecting: RawBus.Pending
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
    switch outcome {
    case .connects:
      #expect(refusal == nil, "\(name): \(refusal.map(String.init(describing:)) ?? "")")
      #expect(status == "connected", "\(name): \(status) (\(reason))")
      let roster = try account.call(.Connection, "ListRoster", [.options()]).first?.list ?? []
      #expect(roster.map { $0["Contact"]?.text } == [scene.contact.bare], "\(name): the roster is \(roster)")
    case .fails(let error, let words):
      #expect(refusal?.name == ours(error), "\(name): \(refusal.map(String.init(describing:)) ?? "it connects")")
      let text = refusal?.text ?? ""
      #expect(words.isEmpty || words.contains { $0.isEmpty || text.contains($0) }, "\(name): \"\(text)\"")
      #expect(text.count < 1500, "\(name): \(text.count) characters")
      #expect(status == "disconnected", "\(name)")
      #expect(reason == text, "\(name): \(reason)")
      #expect(try account.get(.Connection, "Jid").text == "", "\(name)")
    }
    if let objection = objection(proxy) { Issue.record("\(name): \(objection)") }
    try scene.remove(account)
  }
}

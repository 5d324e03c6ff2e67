// SPDX-License-Identifier: Apache-2.0

import Support

// A program of the person's that takes calls.

extension OutsideRun {
  /// What it handles.
  static let handled = ["urn:xmpp:jingle-message:0", "urn:nightcloak:talk"]

  func changeHandler() throws {
    note(isHandling ? "RemoveHandler" : "AddHandler")
    let namespaces = BusValue.strings(Self.handled)
    try account.call(
      .Stanzas, isHandling ? "RemoveHandler" : "AddHandler", isHandling ? [namespaces] : [namespaces, .options()])
    isHandling.toggle()
  }

  func mustBeHanded(_ call: String, of asker: Recorder) {
    if isHandling, isDelivered(from: asker) { unhanded.insert(call) }
  }

  /// Looks at what the program was handed, and answers its questions: nothing may be of anybody who does not see us, but for
  /// messages that ask nothing.
  func takeHanded() throws {
    for signal in account.owner.unexpected where signal.member == "IQReceived" || signal.member == "MessageReceived" {
      let (id, from, payload) = (signal.arguments[0].text, signal.arguments[1].text, signal.arguments[3].text)
      guard let asker = cast.recorders.first(where: { $0.full == from }) else { continue }
      let isQuestion = signal.member == "IQReceived"
      guard isHandling else { throw WitnessError("\(asker.role)'s \(payload) was handed to nobody's handler") }
      guard permitted[from] ?? .nothing > .nothing || !(isQuestion || payload.contains("<propose")) else {
        throw WitnessError("leak: \(asker.role), who does not see us, had handed over: \(payload)")
      }
      unhanded.remove(id)
      if isQuestion { try account.call(.Stanzas, "AnswerIQ", [.string(id), .string("result"), .string("")]) }
    }
    account.owner.passAll()
  }
}

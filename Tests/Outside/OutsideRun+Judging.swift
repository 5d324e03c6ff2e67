// SPDX-License-Identifier: Apache-2.0

import Support

// What nobody may receive whom the model never allowed it.

extension OutsideRun {
  /// Takes what a recorder received, and complains of what must not have come.
  func judge(_ received: [RawClient.Received], at recorder: Recorder) throws {
    var objections: [String] = []
    for stanza in received {
      let node = stanza.node
      if node["from"].map({ bareJID($0) }) == account.jid { note(stanza, at: recorder) }
      let answer = questions.firstIndex { $0.recorder === recorder && $0.id == node["id"] }
      if let answer, node.name == "iq", node["from"]?.contains("/") == true, node["type"] == "result" {
        questions[answer].isAnswered = true
      }
      if let text = objection(to: stanza, at: recorder, answering: answer.map { questions[$0] }) {
        objections.append("leak: \(recorder.role) got \(stanza.raw)\n    \(text)")
      }
    }
    guard objections.isEmpty else { throw WitnessError(objections.joined(separator: "\n  ")) }
  }

  private func note(_ stanza: RawClient.Received, at recorder: Recorder) {
    recorder.note(stanza)
    guard stanza.node.name == "presence", stanza.node["type"] == nil, let from = stanza.node["from"],
      model.roster[recorder.bare]?.seesUs != true
    else { return }
    shownAsStrangers.insert([recorder.bare, from])
  }

  private func objection(
    to stanza: RawClient.Received, at recorder: Recorder, answering question: Question?
  ) -> String? {
    let node = stanza.node
    let permitted = self.permitted[recorder.full] ?? .nothing
    let from = node["from"] ?? ""
    if bareJID(from) == account.jid, from.contains("/") {
      return objection(toOurs: node, at: recorder, permitted, answering: question)
    }
    if from == account.jid, let text = objection(toServers: node, at: recorder, permitted) {
      return text
    }
    // A resource that somebody was not shown is in no byte that they get.
    guard permitted == .nothing, account.resources.contains(where: stanza.raw.contains) else { return nil }
    return question.map { excuse(.resources, if: $0.kind == .items) } ?? "it names our resource"
  }

  /// What comes from our full JID.
  private func objection(
    toOurs node: Node, at recorder: Recorder, _ permitted: OutsideModel.Sight, answering question: Question?
  ) -> String? {
    guard permitted == .nothing else {
      let told = ["show", "status", "priority"].filter { node.child($0) != nil }
      let isTooMuch = node.name == "presence" && node["type"] == nil && permitted == .bare && !told.isEmpty
      return isTooMuch ? "who sees capabilities alone is told \(told)" : nil
    }
    // As from a resource that is not there.
    if question != nil, node["type"] == "error", node.name != "presence" { return nil }
    // What crosses the end of our stream Prosody sends back as well, however orderly that was.
    if node["type"] == "error", wasLost || plan.server.isProsody { return excuse(.bounce, if: true) }
    let isFarewell = node.name == "presence" && node["type"] == "unavailable"
    let isFormer = formerSubscribers.contains([recorder.bare, node["from"] ?? ""])
    let wasStranger = shownAsStrangers.contains([recorder.bare, node["from"] ?? ""])
    // It may be for one reason or for another.
    let reasons: [(ServerLeak.What, Bool)] = [
      (.lostConnection, wasLost), (.formerStranger, wasStranger),
      (.endOfSubscription, isFormer || subscriptionTalk.contains(recorder.bare)),
    ]
    var objection: String?
    for (what, applies) in reasons {
      objection = excuse(what, if: isFarewell && applies)
      if objection == nil { return nil }
    }
    return objection
  }

  /// What comes from our bare JID: the server says most of it for itself.
  private func objection(
    toServers node: Node, at recorder: Recorder, _ permitted: OutsideModel.Sight
  ) -> String? {
    switch (node.name, node["type"]) {
    case ("presence", "subscribe"), ("presence", "subscribed"), ("presence", "unsubscribe"),
      ("presence", "unsubscribed"):
      subscriptionTalk.contains(recorder.bare) ? nil : "nobody spoke of a subscription"
    case ("presence", .some): nil
    case ("iq", "result"), ("iq", "error"), ("message", "error"): nil
    default: permitted == .nothing ? "it is sent to nobody who does not see us" : nil
    }
  }

  /// Whether a server is known to tell this by itself, and the person has been told.
  private func excuse(_ what: ServerLeak.What, if applies: Bool) -> String? {
    guard applies, let leak = ServerLeak.find(plan.server, model.mechanism, what) else {
      return "it was never allowed"
    }
    // Who hides from nobody has no shortcoming to be told of, though a list of his own may keep somebody away.
    return degraded.contains(leak.word) || !model.hides
      ? nil
      : "the server tells \(what.rawValue) by itself, but Degraded does not have \(leak.word): \(degraded.sorted())"
  }
}

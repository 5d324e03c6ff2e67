// SPDX-License-Identifier: Apache-2.0

import Support

// What the owner decides beforehand.

extension GatewayRun {
  func setPolicy() throws {
    let new =
      ["off", "rules", "rules", "ask", "ask", "allow", "allow", "allow"].randomElement(using: &numbers) ?? "ask"
    note("Policy \(new)")
    preparePolicy(new)
    try gateway.set(.Decloak, "Policy", .string(new))
    finishPolicy(new)
  }

  /// What a policy may bring about while it is being set.
  func preparePolicy(_ new: String) {
    var next = model
    next.setPolicy(new)
    permit(next)
  }

  func finishPolicy(_ new: String) {
    if new == "off" { for pair in model.asking { unheard[pair.bare] = "person" } }
    if new != model.policy { unheard = unheard.filter { $0.value != "policy" } }
    model.setPolicy(new)
  }

  // MARK: Rules

  func randomRule(ofTargets: Bool) -> (written: String, listed: String, decision: String) {
    let decision = ["allow", "allow", "allow", "deny", "ask", "", ""].randomElement(using: &numbers) ?? ""
    if ofTargets {
      let one = AskedAddress.patterns.randomElement(using: &numbers) ?? AskedAddress.patterns[0]
      // Rules about addresses hide the others: they go as often as they come.
      let old = model.rules.keys.filter { $0.hasPrefix("to:") }.sorted().randomElement(using: &numbers)
      if let old, Int.random(in: 0..<3, using: &numbers) > 0 { return (old, old, "") }
      return ("to:" + one.0, "to:" + one.1, decision)
    }
    let domain = Bool.random(using: &numbers) ? "localhost" : GatewayCast.house
    let waiting = Set(model.asking.union(model.applying).map(\.bare.who)).sorted()
    let contact = waiting.randomElement(using: &numbers) ?? randomContact()
    let subject = Int.random(in: 0..<3, using: &numbers) == 0 ? "@\(domain)" : contact
    return (subject, subject, decision)
  }

  func setRule(ofTargets: Bool) throws {
    let rule = randomRule(ofTargets: ofTargets)
    note("SetRule \(rule.written) \"\(rule.decision)\"")
    prepareRule(rule.decision, rule.listed)
    try gateway.call(.Decloak, "SetRule", [.string(rule.written), .string(rule.decision)])
    finishRule(rule.decision, rule.listed)
  }

  /// A rule may answer whoever waits.
  func prepareRule(_ decision: String, _ subject: String) {
    var next = model
    next.setRule(decision, subject)
    permit(next)
    for pair in model.asking where next.verdict(on: pair) == "allow" {
      maybeSessions[pair] = GatewayModel.Session(isFull: false)
      next.sessions[pair] = GatewayModel.Session(isFull: false)
    }
    for pair in model.applying where next.verdict(on: pair) == "allow" {
      maybeSubscribed.insert(pair)
      mayHearOfGrant.insert(pair)
      next.subscriptions.insert(pair)
    }
    permit(next)
  }

  func finishRule(_ decision: String, _ subject: String) {
    let asking = model.asking
    model.setRule(decision, subject)
    for pair in asking.subtracting(model.asking) { unheard[pair.bare] = subject }
    // Whom a person refused, or nobody heard, is heard again when it is spoken of by name.
    if decision == "allow" || decision == "ask" { unheard = unheard.filter { $0.key.who != subject } }
  }
}

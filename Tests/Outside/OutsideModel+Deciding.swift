// SPDX-License-Identifier: Apache-2.0

import Support

// What is decided about those who ask.

extension OutsideModel {
  /// The subject of the rule that decides about a contact.
  func rule(for contact: String) -> String? {
    [contact, "@\(OutsideRun.domain)"].first { rules[$0] != nil }
  }

  /// What becomes of the request of somebody who does not see us: "allow", "ask", "deny", or, with nothing recorded, "off".
  func verdict(on contact: String) -> String {
    guard policy != "off" else { return "off" }
    let said = rule(for: contact).flatMap { rules[$0] } ?? (policy == "rules" ? "deny" : policy)
    return said == "allow" && !canBeShownUnasked(contact) ? "ask" : said
  }

  /// Whether what was decided beforehand may show us to somebody: in "except" a person is asked about the exceptions, in the
  /// modes that hide about all.
  func canBeShownUnasked(_ contact: String) -> Bool {
    var shown = self
    shown.roster[contact, default: Contact()].seesUs = true
    return showsOthers && shown.isShown(contact)
  }

  /// A rule is made or, with "", removed. Whoever waits may be answered by a yes; a no takes back what was answered.
  mutating func made(_ decision: String, for subject: String) {
    rules[subject] = decision.isEmpty ? nil : decision
    guard policy != "off" else { return }
    let covered = asking.filter { rule(for: bareJID($0)) == subject }
    switch decision {
    case "allow":
      for asker in covered where sight(of: asker) == .nothing && canBeShownUnasked(bareJID(asker)) {
        sessions[asker] = Session(isFull: false)
      }
    case "deny":
      asking.subtract(covered)
      sessions = sessions.filter { $0.value.isShared || rule(for: bareJID($0.key)) != subject }
    default: break
    }
  }
}

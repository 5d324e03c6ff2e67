// SPDX-License-Identifier: Apache-2.0

import Support

/// Who may see which address of a gateway, and who must: written from the interface's description alone, and kept apart
/// from the program's own idea of it.
struct GatewayModel {
  typealias Sight = OutsideModel.Sight

  /// Somebody, by full or bare JID, and an address of the gateway's.
  struct Pair: Hashable {
    let who: String
    let address: String

    /// The same with the asker's account.
    var bare: Pair { Pair(who: bareJID(who), address: address) }
  }

  /// What somebody was shown for a while.
  struct Session {
    /// With show and status.
    var isFull: Bool
    /// Of the owner's own accord, and not as the answer to a request.
    var isShared = false
    /// It is to be answered: then it ends when the last of those has left who did.
    var isQuestion = false
    /// When it may end by itself.
    var mayEnd = ContinuousClock.now + .seconds(3000)
  }

  /// Whether a stream is up, or, while a connection is broken, may be.
  var isOnline = false
  var show = "available"
  var status = ""
  var policy = "off"
  /// By bare JID, `@domain` or `to:pattern`, as the program lists them.
  var rules: [String: String] = [:]
  /// Those who are no exceptions may see us.
  var showsOthers = true
  var exceptions: Set<String> = []
  /// Bare JIDs and the addresses that they are subscribed to.
  var subscriptions: Set<Pair> = []
  /// By full or bare JID.
  var sessions: [Pair: Session] = [:]
  /// Full JIDs that asked, and that nobody has answered.
  var asking: Set<Pair> = []
  /// Bare JIDs that asked for a subscription, and that nobody has answered.
  var applying: Set<Pair> = []

  /// The mode's name on the bus.
  var mode: String {
    exceptions.isEmpty ? (showsOthers ? "visible" : "invisible") : (showsOthers ? "except" : "only")
  }

  /// Whether those who are subscribed are shown us.
  func isVisible(to contact: String) -> Bool { showsOthers != exceptions.contains(contact) }

  // MARK: Decided beforehand

  /// What the rules about addresses say of one: "hidden", "open" where there are none, or the rule that counts.
  func gate(_ address: String) -> String {
    guard let meant = AskedAddress.all.first(where: { $0.jid == address })?.meant else { return "hidden" }
    let patterns = rules.filter { $0.key.hasPrefix("to:") }.map { (text: String($0.key.dropFirst(3)), says: $0.value) }
    guard !patterns.isEmpty else { return "open" }
    let matching = patterns.filter { Self.matches(Array($0.text.utf8), Array(meant.utf8)) }
    // The longest text counts, and of equal ones the most careful.
    let careful = ["allow", "ask", "deny"]
    let best = matching.max { one, other in
      let (left, right) = (one.text.utf8.count { $0 != 42 }, other.text.utf8.count { $0 != 42 })
      let (less, more) = (careful.firstIndex(of: one.says) ?? 0, careful.firstIndex(of: other.says) ?? 0)
      return (left, less) < (right, more)
    }
    guard let best, best.says != "deny" else { return "hidden" }
    return best.says
  }

  private static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    if first == UInt8(ascii: "*") {
      return (0...text.count).contains { matches(Array(pattern.dropFirst()), Array(text.dropFirst($0))) }
    }
    return text.first == first && matches(Array(pattern.dropFirst()), Array(text.dropFirst()))
  }

  /// The subject of the rule about an asker that decides.
  func rule(for contact: String) -> String? {
    [contact, "@\(contact.drop { $0 != "@" }.dropFirst())"].first { rules[$0] != nil }
  }

  /// What becomes of the request of somebody who does not see an address: "allow", "ask", "deny", or, with nothing
  /// recorded, "off".
  func verdict(on pair: Pair) -> String {
    let (contact, gate) = (bareJID(pair.who), gate(pair.address))
    guard policy != "off", gate != "hidden" else { return "off" }
    let unsaid = policy != "rules" ? policy : gate == "open" ? "deny" : gate
    let said = rule(for: contact).flatMap { rules[$0] } ?? unsaid
    return said == "allow" && (gate == "ask" || !showsOthers || exceptions.contains(contact)) ? "ask" : said
  }

  // MARK: What is seen

  /// Whether somebody sees an address by its subscription.
  func isSubscribed(_ pair: Pair) -> Bool {
    let bare = pair.bare
    return subscriptions.contains(bare) && policy != "off" && gate(pair.address) != "hidden"
      && rule(for: bare.who).flatMap { rules[$0] } != "deny" && isVisible(to: bare.who)
  }

  /// What somebody, by full JID, sees of an address.
  func sight(_ pair: Pair) -> Sight {
    guard isOnline else { return .nothing }
    if isSubscribed(pair) { return .all }
    return max(session(pair), session(pair.bare))
  }

  func session(_ pair: Pair) -> Sight { sessions[pair].map { $0.isFull ? .all : .bare } ?? .nothing }

  // MARK: Changes

  mutating func setPolicy(_ new: String) {
    if new == "off", policy != "off" {
      sessions = sessions.filter(\.value.isShared)
      asking = []
      applying = []
    }
    policy = new
  }

  /// Makes a rule or, with "", removes it: a no takes back what was answered, and an address that is hidden then is shown
  /// to nobody.
  mutating func setRule(_ decision: String, _ subject: String) {
    rules[subject] = decision.isEmpty ? nil : decision
    guard policy != "off" else { return endHidden() }
    if decision == "deny" {
      sessions = sessions.filter { $0.value.isShared || rule(for: bareJID($0.key.who)) != subject }
      asking = asking.filter { rule(for: bareJID($0.who)) != subject }
      applying = applying.filter { rule(for: $0.who) != subject }
    }
    endHidden()
  }

  private mutating func endHidden() {
    sessions = sessions.filter { gate($0.key.address) != "hidden" }
    asking = asking.filter { gate($0.address) != "hidden" }
    applying = applying.filter { gate($0.address) != "hidden" }
  }

  /// Says who may see us: whoever is hidden from by it sees nothing any more in sessions either.
  mutating func setVisibility(showsOthers new: Bool, _ contacts: Set<String>) {
    let (old, oldContacts) = (showsOthers, exceptions)
    guard (old, oldContacts) != (new, contacts) else { return }
    (showsOthers, exceptions) = (new, contacts)
    if mode == "invisible" || old && !new { return sessions = [:] }
    let named = old == new ? oldContacts.symmetricDifference(contacts) : contacts
    let hidden = named.filter { !isVisible(to: $0) }
    sessions = sessions.filter { !hidden.contains(bareJID($0.key.who)) }
  }

  /// Everything ends that does not outlive a stream.
  mutating func streamEnded() {
    isOnline = false
    sessions = [:]
    asking = []
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Contacts that are not heard for a while, because somebody said no or nobody said anything, and what they ask meanwhile.
struct Silences: Sendable {
  /// One contact's.
  struct Silence: Hashable, Sendable {
    /// The request that was answered so.
    let id: String
    /// Who answered.
    let judge: DecloakDecision.Judge
    /// When it is over.
    let until: Instant
    /// How often the request was asked in all.
    var count: UInt32
    /// The count that was told last.
    var told: UInt32
  }

  private var byContact: [BareAddress: Silence] = [:]
  private var contacts: [String: BareAddress] = [:]

  /// How many there are.
  var count: Int { byContact.count }

  /// A contact's, over or not.
  subscript(contact: BareAddress) -> Silence? { byContact[contact] }

  /// The one that followed a request.
  subscript(id id: String) -> Silence? { contacts[id].flatMap { byContact[$0] } }

  /// Begins one. Where there are too many, the one that ends first gives way.
  mutating func begin(
    _ request: DecloakRequest, _ judge: DecloakDecision.Judge, until: Instant, most: Int
  ) -> [DecloakEffect] {
    var effects = end(request.contact)
    if byContact.count >= most, let first = byContact.min(by: { $0.value.until < $1.value.until }) {
      effects += end(first.key)
    }
    byContact[request.contact] = Silence(
      id: request.id, judge: judge, until: until, count: request.count, told: request.count)
    contacts[request.id] = request.contact
    return effects
  }

  /// Counts a repeat.
  mutating func heard(_ contact: BareAddress) { byContact[contact]?.count &+= 1 }

  /// Ends one.
  mutating func end(_ contact: BareAddress) -> [DecloakEffect] {
    let effects = recount(contact)
    if let silence = byContact.removeValue(forKey: contact) { contacts[silence.id] = nil }
    return effects
  }

  /// Ends those of which something is true.
  /// - Parameter contact: the one whose it ends at most; `nil` for all.
  mutating func end(
    of contact: BareAddress? = nil, where isOver: (BareAddress, Silence) -> Bool
  ) -> [DecloakEffect] {
    if let contact { return byContact[contact].map { isOver(contact, $0) } == true ? end(contact) : [] }
    return byContact.filter { isOver($0.key, $0.value) }.keys.sorted().flatMap { end($0) }
  }

  /// Tells of all whose count has grown since it was told.
  mutating func recountAll() -> [DecloakEffect] { byContact.keys.sorted().flatMap { recount($0) } }

  private mutating func recount(_ contact: BareAddress) -> [DecloakEffect] {
    guard let silence = byContact[contact], silence.count != silence.told else { return [] }
    byContact[contact]?.told = silence.count
    return [.recounted(id: silence.id, count: silence.count)]
  }
}

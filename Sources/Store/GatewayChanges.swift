// SPDX-License-Identifier: Apache-2.0

/// That somebody is subscribed to one of a gateway's addresses.
public struct StoredSubscription: Hashable, Sendable {
  /// Who, a bare JID.
  public let contact: String
  /// To which address of ours, a bare JID.
  public let target: String

  /// Names both.
  public init(contact: String, target: String) {
    self.contact = contact
    self.target = target
  }
}

/// What becomes of a gateway within one turn of the loop, to be written in one go: what one turn decides may be much.
public struct GatewayChanges: Sendable {
  /// How many disclosures are kept for one gateway.
  public static let mostDisclosures = 300_000

  /// Who is about to be shown an address of ours. The address stands in the place of the resource.
  public var shown: [Disclosure] = []
  /// Who has been told that it is gone.
  public var hidden: [Disclosure] = []
  /// Subscriptions from now on.
  public var subscribed: [StoredSubscription] = []
  /// Subscriptions that are none any more, and of which nobody is to be told.
  public var unsubscribed: [StoredSubscription] = []
  /// Subscriptions that are none any more, as the subscribers are to be told.
  public var ended: [StoredSubscription] = []
  /// Of these, those of whom the subscribers have been told.
  public var told: [StoredSubscription] = []
  /// What became of requests.
  public var decisions: [StoredDecision] = []
  /// How often requests came that had been decided before.
  public var recounts: [(id: String, count: UInt32)] = []

  /// Nothing.
  public init() {}

  /// Whether there is nothing to be written.
  public var isEmpty: Bool {
    shown.isEmpty && hidden.isEmpty && subscribed.isEmpty && unsubscribed.isEmpty && ended.isEmpty
      && told.isEmpty && decisions.isEmpty && recounts.isEmpty
  }
}

extension AccountStore {
  /// Who is subscribed to which address of a gateway, sorted.
  /// - Throws: ``StoreError``.
  public func subscriptions() throws(StoreError) -> [StoredSubscription] {
    guard let id = try id() else { return [] }
    return try store.state.subscriptions(id, areOver: false)
  }

  /// Subscriptions of which somebody is to be told that they are over, sorted.
  /// - Throws: ``StoreError``.
  public func endedSubscriptions() throws(StoreError) -> [StoredSubscription] {
    guard let id = try id() else { return [] }
    return try store.state.subscriptions(id, areOver: true)
  }

  /// Writes all of it, or nothing.
  /// - Throws: ``StoreError``; then nobody may be shown anything of it, since nothing would clean up after us.
  public func write(_ changes: GatewayChanges) throws(StoreError) {
    guard !changes.isEmpty else { return }
    try together { () throws(StoreError) in
      for disclosure in changes.hidden { try removeDisclosure(resource: disclosure.resource, jid: disclosure.jid) }
      for (target, disclosures) in Dictionary(grouping: changes.shown, by: \.resource) {
        try noteDisclosures(resource: target, jids: disclosures.map(\.jid), most: GatewayChanges.mostDisclosures)
      }
      let id = try begin()
      for subscription in changes.unsubscribed { try store.state.removeSubscription(subscription, id) }
      // One that has begun again meanwhile stays.
      for subscription in changes.told { try store.state.removeSubscription(subscription, ifOver: true, id) }
      for subscription in changes.ended { try store.state.setSubscription(subscription, isOver: true, id) }
      for subscription in changes.subscribed { try store.state.setSubscription(subscription, isOver: false, id) }
      for decision in changes.decisions { try addDecision(decision) }
      for (request, count) in changes.recounts { try recount(id: request, count: count) }
    }
    store.changed()
  }
}

extension StateDatabase {
  func subscriptions(_ id: Int64, areOver: Bool) throws(StoreError) -> [StoredSubscription] {
    var found: [StoredSubscription] = []
    try database.query(
      "SELECT contact, target FROM subscription WHERE account = ? AND is_over = ? ORDER BY contact, target",
      [.integer(id), .integer(areOver ? 1 : 0)]
    ) { found.append(StoredSubscription(contact: $0.text(0), target: $0.text(1))) }
    return found
  }

  func setSubscription(_ subscription: StoredSubscription, isOver: Bool, _ id: Int64) throws(StoreError) {
    try check([subscription.contact, subscription.target])
    try database.query(
      """
      INSERT INTO subscription (account, contact, target, is_over) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET is_over = excluded.is_over
      """,
      [.integer(id), .text(subscription.contact), .text(subscription.target), .integer(isOver ? 1 : 0)])
  }

  func removeSubscription(
    _ subscription: StoredSubscription, ifOver: Bool = false, _ id: Int64
  ) throws(StoreError) {
    try check([subscription.contact, subscription.target])
    try database.query(
      "DELETE FROM subscription WHERE account = ? AND contact = ? AND target = ? AND is_over >= ?",
      [.integer(id), .text(subscription.contact), .text(subscription.target), .integer(ifOver ? 1 : 0)])
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Who is subscribed to which address of a gateway, and who asks to be.
public struct GatewaySubscriptions: Sendable {
  /// A request that waits for a person.
  public struct Request: Hashable, Sendable {
    /// Who asks, and for which of our addresses.
    public let subscription: GatewaySubscription
    /// When it first did.
    public let receivedAt: Instant
    /// How often it did.
    public internal(set) var count: UInt32 = 1
  }

  private var targets: [BareAddress: Set<BareAddress>] = [:]
  private var domains = CountedDomains()
  /// How many subscriptions there are.
  public private(set) var count = 0
  private var waiting: [GatewaySubscription: Request] = [:]
  /// Who took a request back lately: its place stays taken, or whoever watches would be told of as many as come and go.
  private var withdrawn: [(contact: BareAddress, until: Instant)] = []

  /// All subscriptions, in no particular order.
  public var all: some Sequence<GatewaySubscription> {
    targets.lazy.flatMap { contact, targets in
      targets.lazy.map { GatewaySubscription(contact: contact, target: $0) }
    }
  }

  /// The requests that wait, oldest first.
  public var requests: [Request] {
    waiting.values.sorted { ($0.receivedAt, $0.subscription) < ($1.receivedAt, $1.subscription) }
  }

  /// Whether somebody is subscribed.
  public func contains(_ subscription: GatewaySubscription) -> Bool {
    targets[subscription.contact]?.contains(subscription.target) == true
  }

  /// Our addresses that somebody is subscribed to.
  public func targets(of contact: BareAddress) -> Set<BareAddress> { targets[contact] ?? [] }

  /// All of one contact.
  func subscriptions(of contact: BareAddress) -> [GatewaySubscription] {
    targets(of: contact).sorted().map { GatewaySubscription(contact: contact, target: $0) }
  }

  /// Whether there is room for one more of a contact's.
  func hasRoom(for contact: BareAddress) -> Bool {
    count < Limits.gatewaySubscriptions
      && (targets[contact]?.count ?? 0) < Limits.gatewaySubscriptionsPerAsker
      && domains[contact] < Limits.gatewaySubscriptionsPerDomain
  }

  /// - Returns: whether it is new.
  mutating func insert(_ subscription: GatewaySubscription) -> Bool {
    waiting[subscription] = nil
    guard targets[subscription.contact, default: []].insert(subscription.target).inserted else { return false }
    count += 1
    domains.add(subscription.contact)
    return true
  }

  /// - Returns: whether there was one.
  mutating func remove(_ subscription: GatewaySubscription) -> Bool {
    guard targets[subscription.contact]?.remove(subscription.target) != nil else { return false }
    if targets[subscription.contact]?.isEmpty == true { targets[subscription.contact] = nil }
    count -= 1
    domains.remove(subscription.contact)
    return true
  }

  // MARK: Requests

  /// Keeps a request.
  /// - Returns: the request if it is new and a person should be told; `nil` for a repeat or one above the limit.
  mutating func received(_ subscription: GatewaySubscription, now: Instant) -> Request? {
    if waiting[subscription] != nil {
      waiting[subscription]?.count &+= 1
      return nil
    }
    let contact = subscription.contact
    withdrawn.removeAll { $0.until <= now }
    let taken = waiting.keys.map(\.contact) + withdrawn.map(\.contact)
    guard taken.count < Limits.gatewayPending,
      taken.count(where: { $0.domain == contact.domain }) < Limits.gatewayPendingPerDomain,
      taken.count(where: { $0 == contact }) < Limits.gatewayPendingPerAsker
    else { return nil }
    let request = Request(subscription: subscription, receivedAt: now)
    waiting[subscription] = request
    return request
  }

  /// Forgets a request that was answered.
  mutating func forget(_ subscription: GatewaySubscription) { waiting[subscription] = nil }

  /// Forgets a request that was taken back.
  mutating func withdraw(_ subscription: GatewaySubscription, now: Instant) {
    guard waiting.removeValue(forKey: subscription) != nil else { return }
    withdrawn.append((subscription.contact, now.later(bySeconds: Limits.requestLifetime)))
  }

  /// Forgets all requests.
  mutating func forgetRequests() {
    waiting.removeAll()
    withdrawn.removeAll()
  }

  /// Forgets what has waited too long.
  mutating func timePassed(_ now: Instant) {
    guard let deadline = nextDeadline, deadline <= now else { return }
    waiting = waiting.filter { $0.value.expiresAt > now }
  }

  /// When the first request has waited too long.
  var nextDeadline: Instant? { waiting.values.map(\.expiresAt).min() }
}

extension GatewaySubscriptions.Request {
  var expiresAt: Instant { receivedAt.later(bySeconds: Limits.gatewaySubscriptionRequestLifetime) }
}

/// How many of something there are of each domain.
struct CountedDomains: Sendable {
  private var counts: [String: Int] = [:]

  subscript(contact: BareAddress) -> Int { counts[String(contact.domain)] ?? 0 }

  mutating func add(_ contact: BareAddress) { counts[String(contact.domain), default: 0] += 1 }

  mutating func remove(_ contact: BareAddress) {
    let domain = String(contact.domain)
    counts[domain] = counts[domain].flatMap { $0 > 1 ? $0 - 1 : nil }
  }
}

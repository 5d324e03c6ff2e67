// SPDX-License-Identifier: Apache-2.0

/// Requests for a presence subscription that wait for a person (RFC 6121 §3.1.3). Nothing answers them by itself.
public struct SubscriptionRequests: Sendable {
  /// One contact's request.
  public struct Request: Hashable, Sendable {
    /// Who asks.
    public let contact: BareAddress
    /// When it first did.
    public let receivedAt: Instant
    /// How often it did.
    public internal(set) var count: UInt32 = 1
  }

  private var requests: [BareAddress: Request] = [:]
  /// How many were dropped because too many waited.
  public private(set) var dropped: UInt64 = 0

  /// None.
  public init() {}

  /// The requests that wait, oldest first.
  public var all: [Request] {
    requests.values.sorted { ($0.receivedAt, $0.contact) < ($1.receivedAt, $1.contact) }
  }

  /// Keeps a request.
  /// - Returns: the request if it is new and a person should be told; `nil` for a repeat or one above the limit.
  public mutating func received(from contact: BareAddress, now: Instant) -> Request? {
    if requests[contact] != nil {
      requests[contact]?.count &+= 1
      return nil
    }
    guard requests.count < Limits.subscriptionRequests,
      requests.keys.count(where: { $0.domain == contact.domain }) < Limits.subscriptionRequestsPerDomain
    else {
      dropped += 1
      return nil
    }
    let request = Request(contact: contact, receivedAt: now)
    requests[contact] = request
    return request
  }

  /// Forgets a request that was answered or taken back.
  public mutating func remove(_ contact: BareAddress) { requests[contact] = nil }

  /// Forgets all: the server sends again what still waits when we come back.
  public mutating func removeAll() { requests.removeAll() }
}

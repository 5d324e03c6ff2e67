// SPDX-License-Identifier: Apache-2.0

/// Presence Decloaking (XEP-0276), both sides: who asked to see us, whom we asked, and the sessions that came of it.
///
/// A value without I/O or clock. Each event changes this value and the ``Audience`` and returns what is to be done.
/// Requests: `Decloak+Requests.swift`; our own: `Decloak+Asking.swift`; sessions: `Decloak+Sessions.swift`.
public struct Decloak: Sendable {
  /// What becomes of a request when nothing more particular decides.
  public enum Policy: String, Hashable, Sendable {
    /// Nothing is recorded and nothing is sent. The default (XEP-0276 §8).
    case off
    /// A person is asked.
    case ask
    /// The answer is yes, unless we are invisible: then a person is asked.
    case allow
  }

  /// A request of our own.
  public struct Ask: Hashable, Sendable {
    /// Names it towards clients.
    public let id: String
    /// What for.
    public let reason: DecloakReason
    /// Seconds that the session lasts once the contact has answered.
    public let lifetime: UInt32
    /// When it is over unless the contact has answered. Its session may last longer: it may have begun before.
    let until: Instant
    var isAnswered = false

    func isOpen(_ now: Instant) -> Bool { isAnswered || until > now }
  }

  /// Somebody whom we see in a session.
  public struct Peer: Hashable, Sendable {
    /// Who.
    public let address: Address
    /// The request of ours that it answered; `nil` for somebody who asked us.
    public let askID: String?
    /// When it showed itself.
    public let since: Instant
    /// When we forget it.
    public let expiresAt: Instant
  }

  /// What becomes of requests.
  public internal(set) var policy = Policy.off
  /// Requests that wait for an answer, by contact.
  public internal(set) var pending: [BareAddress: DecloakRequest] = [:]
  /// Our own requests, as long as the session in which we showed ourselves.
  public internal(set) var asks: [BareAddress: Ask] = [:]
  /// Whom we see in sessions.
  public internal(set) var peers: [Address: Peer] = [:]
  /// How many requests were dropped because of a limit.
  public internal(set) var droppedRequests: UInt64 = 0
  /// How many repeats came in the silence after a no.
  public internal(set) var silencedRequests: UInt64 = 0

  var answers = RecentAnswers()
  var silenced: [BareAddress: Instant] = [:]
  var resentAt: [Address: Instant] = [:]
  private let nonce: String
  private var serial: UInt64 = 0

  /// A machine with policy `off`.
  /// - Parameter nonce: starts each id; never the same twice, also across restarts.
  public init(nonce: String) { self.nonce = nonce }

  mutating func nextID() -> String {
    serial += 1
    return "\(nonce)-\(serial)"
  }

  /// The requests that wait, oldest first.
  public var pendingRequests: [DecloakRequest] {
    pending.values.sorted { ($0.receivedAt, $0.contact) < ($1.receivedAt, $1.contact) }
  }

  // MARK: Time

  /// When ``timePassed(audience:now:)`` has something to do next.
  public func nextDeadline(_ audience: Audience) -> Instant? {
    let requests = pending.values.map { request in
      request.hasUnreportedChange
        ? min(request.expiresAt, request.reportedAt.later(bySeconds: Limits.changeInterval)) : request.expiresAt
    }
    return (requests + audience.sessions.values.map(\.expiresAt) + peers.values.map(\.expiresAt)).min()
  }

  /// Ends what is over.
  public mutating func timePassed(audience: inout Audience, now: Instant) -> [DecloakEffect] {
    var effects: [DecloakEffect] = []
    for request in pendingRequests {
      if request.expiresAt <= now {
        effects += resolve(request, .expired)
        silence(request.contact, now: now)
      } else if request.hasUnreportedChange,
        request.reportedAt.later(bySeconds: Limits.changeInterval) <= now
      {
        effects.append(.changed(report(request.contact, now: now) ?? request))
      }
    }
    let over = audience.sessions.values.filter { $0.expiresAt <= now }
    effects += endSessions(over.map(\.address), .expired, audience: &audience)
    for peer in peers.values.sorted(by: { $0.address < $1.address }) where peer.expiresAt <= now {
      effects += endPeer(peer.address, .expired)
    }
    asks = asks.filter { $0.value.isOpen(now) }
    silenced = silenced.filter { $0.value > now }
    forgetResent(now: now)
    return effects
  }

  // MARK: Policy

  /// Sets the policy. Going `off` is a no to everybody who waits and takes back every yes given to a request.
  public mutating func setPolicy(_ new: Policy, audience: inout Audience) -> [DecloakEffect] {
    guard new != policy else { return [] }
    policy = new
    guard new == .off else { return [] }
    var effects: [DecloakEffect] = []
    for request in pendingRequests { effects += resolve(request, .denied) }
    let approved = audience.sessions.values.filter { $0.origin == .approved }.map(\.address).sorted()
    effects += endSessions(approved, .revoked, audience: &audience)
    effects += approved.flatMap { endPeer($0, .revoked) }
    silenced.removeAll()
    return effects
  }
}

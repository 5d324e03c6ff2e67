// SPDX-License-Identifier: Apache-2.0

/// Presence Decloaking (XEP-0276), both sides: who asked to see us, whom we asked, and the sessions that came of it.
///
/// A value without I/O or clock. Each event changes this value and the ``Audience`` and returns what is to be done.
/// A request that arrives: `Decloak+Judging.swift`; what people say: `Decloak+Answers.swift`; our own requests:
/// `Decloak+Asking.swift`; sessions: `Decloak+Sessions.swift`.
public struct Decloak: Sendable {
  /// What becomes of a request when nothing more particular decides.
  public enum Policy: String, CaseIterable, Hashable, Sendable {
    /// Nothing is recorded and nothing is sent. The default (XEP-0276 §8).
    case off
    /// Rules alone decide; without one the answer is silence.
    case rules
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
  public internal(set) var policy: Policy
  /// What people decided beforehand.
  public internal(set) var rules: DecloakRules
  /// Requests that wait for an answer, by contact.
  public internal(set) var pending: [BareAddress: DecloakRequest] = [:]
  /// Our own requests, as long as the session in which we showed ourselves.
  public internal(set) var asks: [BareAddress: Ask] = [:]
  /// Whom we see in sessions.
  public internal(set) var peers: [Address: Peer] = [:]
  // By account, so that a question about one contact never walks through all.
  var peersByAccount = AddressesByAccount()
  /// How many requests were dropped because of a limit.
  public internal(set) var droppedRequests: UInt64 = 0
  /// How many repeats came in the silence after a no.
  public internal(set) var silencedRequests: UInt64 = 0
  /// How many automatic answers nobody was told of.
  public internal(set) var untoldAnswers: UInt64 = 0

  /// What there is room for at this moment, where many addresses share their limits (``Gateway``). Without it the limits
  /// of one account hold.
  var room: SharedRoom?
  /// What a rule about the address that is asked says, at a gateway.
  var target: TargetRule?

  var answers = RecentAnswers()
  var silences = Silences()
  var places = HeldPlaces()
  var resentAt = ResentTimes()
  private let nonce: String
  private var serial: UInt64 = 0

  /// A machine that nobody has asked anything.
  /// - Parameters:
  ///   - nonce: starts each id; never the same twice, also across restarts.
  ///   - policy: what becomes of requests.
  ///   - rules: what people decided beforehand.
  public init(nonce: String, policy: Policy = .off, rules: DecloakRules = DecloakRules()) {
    self.nonce = nonce
    self.policy = policy
    self.rules = rules
  }

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
    (pending.values.map(\.deadline) + audience.sessions.values.map(\.expiresAt) + peers.values.map(\.expiresAt)).min()
  }

  /// Ends what is over.
  public mutating func timePassed(audience: inout Audience, now: Instant) -> [DecloakEffect] {
    var effects = pendingRequests.flatMap { timePassed(for: $0, now: now) }
    let over = audience.sessions.values.filter { $0.expiresAt <= now }
    effects += endSessions(over.map(\.address), .expired, audience: &audience)
    for peer in peers.values.sorted(by: { $0.address < $1.address }) where peer.expiresAt <= now {
      effects += endPeer(peer.address, .expired)
    }
    asks = asks.filter { $0.value.isOpen(now) }
    effects += silences.end { _, silence in
      silence.until <= now
    }
    places.timePassed(now)
    resentAt.timePassed(now)
    return effects
  }

  mutating func timePassed(for request: DecloakRequest, now: Instant) -> [DecloakEffect] {
    if request.expiresAt <= now {
      return resolve(request, .expired, .nobody) + silence(request, .nobody, now: now)
    }
    guard request.hasUnreportedChange, request.reportedAt.later(bySeconds: Limits.changeInterval) <= now else {
      return []
    }
    return [.changed(report(request.contact, now: now) ?? request)]
  }
}

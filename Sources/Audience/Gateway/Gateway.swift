// SPDX-License-Identifier: Apache-2.0

/// Presence Decloaking at a gateway (XEP-0276 §5), where every address of a domain is ours: who may know of which.
///
/// Each address that somebody has to do with is a host: an ``Audience`` and a ``Decloak`` of its own, which judge as
/// they do for a person's account. This value keeps the hosts, says which addresses can be seen at all, and holds all
/// of them together to the limits of one service. Like its parts it knows neither I/O nor clock: each event changes
/// it and returns what is to be done.
///
/// What arrives: `Gateway+Arrivals.swift`; what people say: `Gateway+Answers.swift`, `Gateway+Rules.swift`;
/// subscriptions: `Gateway+Subscriptions.swift`; the stream, time and visibility: `Gateway+Streams.swift`,
/// `Gateway+Time.swift`, `Gateway+Visibility.swift`.
public struct Gateway: Sendable {
  /// What was not told, by reason.
  public struct Counts: Hashable, Sendable {
    /// Requests that were dropped because of a limit.
    public internal(set) var dropped: UInt64 = 0
    /// Repeats in the silence after a no.
    public internal(set) var silenced: UInt64 = 0
    /// Automatic answers that nobody was told of.
    public internal(set) var untold: UInt64 = 0
    /// Requests to addresses that are hidden, or stand for nobody.
    public internal(set) var hidden: UInt64 = 0
    /// Sessions that gave way to others.
    public internal(set) var displaced: UInt64 = 0
  }

  /// An answer that was given, and to whom it was said on whose behalf.
  struct Remembered: Hashable, Sendable {
    let target: BareAddress
    let id: String
  }

  /// The domain whose addresses are ours.
  public let domain: String
  /// What becomes of requests.
  public internal(set) var policy: Decloak.Policy
  /// What people decided beforehand.
  public internal(set) var rules: DecloakRules
  /// Which contacts may see any of our addresses.
  public internal(set) var visibility: Visibility
  /// Whether other services share the domain with this one. Who is subscribed to what would have to be known to all of
  /// them, so none of them takes subscriptions.
  public let isBalanced: Bool
  /// Who is subscribed to which address.
  public internal(set) var subscriptions = GatewaySubscriptions()
  /// What was not told.
  public internal(set) var counts = Counts()

  var hosts: [BareAddress: GatewayHost] = [:]
  var hostsBySerial: [UInt64: BareAddress] = [:]
  /// Who has to do with which of our addresses.
  var pairs: [BareAddress: [BareAddress: PairState]] = [:]
  var pairCount = 0
  /// How many of our addresses somebody sees in sessions.
  var seenInSessions: [BareAddress: Int] = [:]
  var deadlines = Deadlines()
  var order = SessionOrder()
  var silenced = RecencyList<GatewayPair>()
  var remembered: [Remembered] = []
  var places = AskedPlaces()
  var bucket = AnnouncementBucket()
  /// How many addresses of others have copies of our presence.
  var shownCount = 0
  /// The same, by their domains.
  var shownDomains = CountedDomains()
  /// What was decided about subscriptions, and has not left yet.
  var owedAnswers: [GatewaySubscription: OwedAnswer] = [:]
  private let nonce: String
  private var serial: UInt64 = 0

  /// A gateway that nobody has asked anything.
  /// - Parameters:
  ///   - domain: whose addresses are ours; prepared.
  ///   - nonce: starts each id; never the same twice, also across restarts.
  ///   - policy: what becomes of requests.
  ///   - rules: what people decided beforehand.
  ///   - visibility: which contacts may see us.
  ///   - subscriptions: those that were kept. Nobody is sent anything before ``connected()``.
  ///   - isBalanced: whether other services share the domain.
  public init(
    domain: String, nonce: String, policy: Decloak.Policy = .off, rules: DecloakRules = DecloakRules(),
    visibility: Visibility = .visible, subscriptions: some Sequence<GatewaySubscription> = [], isBalanced: Bool = false
  ) {
    self.domain = domain
    self.nonce = nonce
    self.policy = policy
    self.rules = rules
    self.visibility = visibility
    self.isBalanced = isBalanced
    for subscription in subscriptions { restore(subscription) }
  }

  // MARK: Questions

  /// Who may know of one of our addresses. A copy: let go of it before the next event, or that copies what it changes.
  public func audience(of target: BareAddress) -> Audience { hosts[target]?.audience ?? makeHost(target).audience }

  /// Whether `address` may know that one of ours is there.
  public func shows(_ target: BareAddress, to address: Address) -> Bool {
    hosts[target]?.audience.contains(address) == true
  }

  /// Whether an address of ours is one that does not exist, whoever asks: that of the domain itself, one that stands
  /// for nobody, one that no rule shows while there are rules about addresses.
  public func isHidden(_ target: BareAddress) -> Bool { verdict(on: target) == .hidden }

  /// Our addresses that somebody has to do with, in no particular order.
  public var targets: some Collection<BareAddress> { hosts.keys }

  /// Our addresses that one contact has to do with, in their order. Who sees them is another question.
  public func targets(of contact: BareAddress) -> [BareAddress] { (pairs[contact] ?? [:]).keys.sorted() }

  /// The requests that wait, oldest first, each with the address that is asked.
  public var pendingRequests: [(target: BareAddress, request: DecloakRequest)] {
    places.waiting.compactMap { id, contact in
      guard let target = target(of: id), let request = hosts[target]?.decloak.pending[contact] else { return nil }
      return (target, request)
    }.sorted {
      ($0.request.receivedAt, $0.request.contact, $0.target) < ($1.request.receivedAt, $1.request.contact, $1.target)
    }
  }

  /// How many requests wait.
  public var pendingCount: Int { places.waiting.count }

  /// How many sessions there are in which somebody sees one of our addresses.
  public var sessionCount: Int { order.count }

  /// The sessions in which somebody sees one of our addresses, in no particular order.
  public var sessions: [(target: BareAddress, session: Session)] {
    hosts.flatMap { target, host in host.audience.sessions.values.map { (target, $0) } }
  }

  /// Whom one of our addresses sees in sessions, in no particular order.
  public var peers: [(target: BareAddress, peer: Decloak.Peer)] {
    hosts.flatMap { target, host in host.decloak.peers.values.map { (target, $0) } }
  }

  /// Everybody who may know of one of our addresses, with the reason; in no particular order.
  public var members: [(target: BareAddress, address: Address, why: Audience.Why)] {
    hosts.flatMap { target, host in host.audience.members.map { (target, $0.address, $0.why) } }
  }

  // MARK: Hosts

  func verdict(on target: BareAddress) -> TargetRules.Verdict {
    if let known = hosts[target]?.verdict { return known }
    return verdict(onCanonical: Self.canonical(target, in: domain))
  }

  private func verdict(onCanonical text: String?) -> TargetRules.Verdict { text.map(rules.targets.verdict) ?? .hidden }

  /// The one form of an address at a gateway's domain.
  /// - Returns: `nil` for one that stands for nobody.
  static func canonical(_ target: BareAddress, in domain: String) -> String? {
    guard target.domain == domain, let at = target.text.utf8.firstIndex(of: UInt8(ascii: "@")),
      let address = GatewayAddress(localpart: target.text[..<at])
    else { return nil }
    return "\(address.canonical)@\(domain)"
  }

  func makeHost(_ target: BareAddress, _ verdict: TargetRules.Verdict? = nil, serial: UInt64 = 0) -> GatewayHost {
    let canonical = Self.canonical(target, in: domain)
    var host = GatewayHost(
      serial: serial, canonical: canonical, audience: Audience(account: target),
      decloak: Decloak(nonce: "\(nonce).\(serial)", policy: policy), verdict: .hidden)
    host.obey(verdict ?? self.verdict(onCanonical: canonical))
    host.audience.visibility = visibility
    host.decloak.room = SharedRoom(forQuestions: false, forAnswers: false)
    return host
  }

  /// - Parameter verdict: what the rules say about the address, where that is known.
  mutating func addHost(_ target: BareAddress, _ verdict: TargetRules.Verdict? = nil) {
    guard hosts[target] == nil else { return }
    serial += 1
    hosts[target] = makeHost(target, verdict, serial: serial)
    hostsBySerial[serial] = target
  }

  mutating func removeHostIfIdle(_ target: BareAddress) {
    guard hosts[target]?.isIdle == true, let serial = hosts[target]?.serial else { return }
    hostsBySerial[serial] = nil
    hosts[target] = nil
  }

  /// The address whose request has an id.
  func target(of id: String) -> BareAddress? {
    guard id.hasPrefix("\(nonce)."), let end = id.lastIndex(of: "-"),
      let serial = UInt64(id[..<end].dropFirst(nonce.count + 1))
    else { return nil }
    return hostsBySerial[serial]
  }
}

// SPDX-License-Identifier: Apache-2.0

public import Audience
public import EventLoop
public import Logging
public import Store
internal import XML
public import XMPP

/// One XMPP account joined to one ``Audience``.
///
/// A call or a stanza comes in, the pure core says what is to be done, and this carries it out through the
/// ``Doorkeeper``. The connection: `Account+Connecting.swift`, `Account+Streams.swift`, `Account+Outages.swift`; what
/// arrives: `Account+Arrivals.swift`, `Account+Roster.swift`, `Account+Absence.swift`; what people ask for:
/// `Account+Answers.swift`, `Account+Decloak.swift`, `Account+Visibility.swift`, `Account+Subscriptions.swift`; what their
/// programs say to others: `Account+Stanzas.swift`, `Account+Handing.swift`.
///
/// Every function that awaits looks its stream, session or request up again afterwards: much can happen meanwhile.
@LoopActor
public final class Account {
  /// Makes the stream of a connection; tests pass one without a network.
  public typealias StreamMaker = @LoopActor (ClientConfiguration, Resumption?) -> any StanzaStream

  /// What the account was given when it was added.
  public let configuration: AccountConfiguration
  /// Our bare JID.
  public var jid: BareJID { configuration.client.account }
  /// Called with each thing that others may want to know.
  public var onEvent: @LoopActor (AccountEvent) -> Void = { _ in }

  /// Where the connection stands.
  public package(set) var status = AccountStatus.disconnected
  /// Why it stands there, for a person; empty when there is nothing to say.
  public package(set) var statusReason = ""
  /// Our full JID while connected.
  public internal(set) var fullJID: FullJID?
  /// How the stream is protected, while connected.
  public internal(set) var security: Security?
  /// Our own presence.
  public internal(set) var presence: OwnPresence
  /// The roster.
  public internal(set) var roster = Roster()
  /// The presence of contacts and peers.
  public internal(set) var presences = ContactPresences()
  /// Subscription requests that wait for a person.
  public internal(set) var subscriptionRequests = SubscriptionRequests()
  /// Who is wanted to see us. What is in force is `audience.visibility`.
  public internal(set) var wanted: VisibilityWish
  /// Whether what is wanted is not yet confirmed by the server.
  public internal(set) var isVisibilityPending = true

  /// Requests to decloak, ours and others'.
  public internal(set) var decloak: Decloak
  /// Who may know that we are online.
  public var audience: Audience { doorkeeper.audience }

  var keptWish: KeptWish
  /// Whether the policy is "off" and another one is written down.
  var isPolicyUnkept = false
  package let store: AccountStore
  let faults: StoreFaults
  /// Why it is not known what was decided about those who ask. Then nobody is answered.
  let unreadable: AccountError?
  var loginMemory: LoginMemory
  let disclosures: Disclosures
  let doorkeeper: Doorkeeper
  let requests: IQRequests
  let capabilities: PeerCapabilities
  let makeStream: StreamMaker
  package let time: any TimeSource
  let logger: Logger
  let lists: PrivacyLists
  let ferry: Ferry
  let updates: PresenceUpdates
  let watch: ContactWatch
  /// Lets one change of visibility at a time through, and closing the stream between them.
  package let gate = SerialGate()
  /// What programs of the person's handle, and what of it waits.
  var handlers = StanzaHandlers()
  let handedIQs: HandedIQs
  /// How many questions of theirs wait for an answer.
  var outstandingIQs = 0
  var calls = JingleCalls()
  var proposals = HeldProposals<Message>()
  var rateOfStrangers = StrangersRate()
  var ownCapabilities = OwnCapabilities()
  /// The priority that a person chose; nil for the usual one.
  var chosenPriority: Int8?
  /// Whether what we can do has changed since those who see us heard of it.
  var hasNewCapabilities = false
  var showings = ShowingTimes()
  /// What our server says of itself; nil until it has been asked.
  var knownSurroundings: Surroundings?
  var surroundings: Surroundings { knownSurroundings ?? Surroundings() }
  /// Whether a change of visibility broke off, so that what the server makes of our presence cannot be known.
  var isServerStateUnknown = false
  /// Whether somebody who may not see us any more knows the present full JID.
  var isResourceKnown = false
  /// Contacts about whom the server was told by presence of type invisible and visible in the present change.
  var namedToServer: Set<BareAddress> = []
  /// Why presence of ours was sent back during a change of visibility.
  var refusedPresence: String?
  let rosterPushes: RosterPushes
  package let connectWaiters: Waiters<AccountError?>
  let streamEnd: Waiters<Void>
  var askWaiters: [BareAddress: Waiters<Void>] = [:]
  var answeredPeers: [Address: PeerInfo] = [:]
  /// A question about a resource of ours that is not there, while it waits for its bounce.
  var absentProbe: AbsentProbe?
  /// Counts streams, so that what belongs to an earlier one is known after an await.
  package var streamSerial: UInt64 = 0
  /// Counts sessions, each of which may have several streams.
  var sessionSerial: UInt64 = 0
  /// The stream that we are closing.
  package var closingSerial: UInt64?
  /// Whether the account was removed: it never connects again.
  package var isRetired = false
  /// Whether a connection that is lost is to come back: one was up, or is to be without anybody asking for it.
  package var isEstablished = false
  /// Whether the present session knows all that it has to before anything may be shown.
  var isSettled = false
  /// Whether what was wanted has been taken up in the present session.
  var hasBegun = false
  /// Whether the present session is to be left for one with another resource: others know this one.
  var isSpent = false
  /// The resource that was asked for when the present session began.
  var askedResource: String?
  /// The session that the server keeps while there is no stream.
  var suspended: SuspendedSession?
  package var reconnection = Reconnection()
  /// Why the last stream did not come up, or was lost.
  package var lastFailure: AccountError?
  /// The next try.
  package var retry: TimerToken?
  /// Whether our presence has changed since it was last sent to those who see all of it.
  var hasNewPresence = false
  /// Whether somebody is looking (XEP-0352).
  var isActive = true
  var rosterIsVersioned = false
  /// Whether the server keeps a permission for somebody who has not asked yet (RFC 6121 §3.4).
  var keepsPreApprovals = false
  private var deadline: (at: Instant, timer: TimerToken)?
  private var requestCounts = RequestCounts()

  /// An account that is not connected.
  /// - Parameters:
  ///   - configuration: how to log in, and what to show.
  ///   - nonce: starts the ids of requests; never the same twice, also across restarts.
  ///   - store: what is kept of it.
  ///   - time: the clock.
  ///   - logger: where to write. JIDs at debug level only.
  ///   - makeStream: makes the stream of each connection.
  public init(
    _ configuration: AccountConfiguration, nonce: String, store: AccountStore, time: any TimeSource, logger: Logger,
    makeStream: @escaping StreamMaker
  ) {
    self.configuration = configuration
    self.time = time
    self.logger = logger
    self.makeStream = makeStream
    wanted = configuration.visibility
    keptWish = KeptWish(configuration.visibility)
    chosenPriority = configuration.priority
    presence = OwnPresence(priority: configuration.priority ?? -1, capabilities: OwnCapabilities().element)
    handedIQs = HandedIQs(time: time)
    self.store = store
    let faults = StoreFaults(logger)
    self.faults = faults
    do throws(StoreError) {
      decloak = try Decloak.kept(in: store, nonce: nonce)
      unreadable = nil
    } catch {
      // Without the rules somebody might be let in whom one of them keeps out.
      decloak = Decloak(nonce: nonce)
      unreadable = AccountError(error)
      faults.tell(error)
    }
    loginMemory = LoginMemory(store, acceptsWeaker: configuration.client.acceptsWeakerLogin, faults: faults)
    disclosures = Disclosures(store, account: configuration.client.account, faults: faults)
    let doorkeeper = Doorkeeper(
      account: configuration.client.account, disclosures: disclosures, time: time, logger: logger)
    let requests = IQRequests(time: time, account: configuration.client.account) {
      stanza, reveal throws(AccountError) in
      try doorkeeper.send(stanza, reveal: reveal)
    }
    self.doorkeeper = doorkeeper
    self.requests = requests
    let lists = PrivacyLists(requests: requests, time: time)
    self.lists = lists
    let ferry = Ferry(lists, requests: requests, server: configuration.client.account.server)
    self.ferry = ferry
    doorkeeper.ferry = ferry
    updates = PresenceUpdates(doorkeeper, time: time)
    watch = ContactWatch(configuration.client.account, doorkeeper, requests: requests, time: time)
    capabilities = PeerCapabilities(store: store, time: time) { jid, _, query in
      guard doorkeeper.audience.contains(Address(jid)) else { return nil }
      return try? await requests.send(.get, to: jid, payload: query, limit: PeerCapabilities.limit)
    }
    rosterPushes = RosterPushes(time: time)
    connectWaiters = Waiters(time: time)
    streamEnd = Waiters(time: time)
    updates.make = { [weak self] address in self?.presence(for: address) }
    lists.contact = { [weak self] in self?.privacyContact($0) ?? PrivacyContact() }
    lists.onDoubt = { [weak self] in self?.privacyListsDoubted() }
    ferry.onFailure = { [weak self] in self?.privacyListsFailed($0) }
    followWatch()
    handedIQs.onUnanswered = { [weak self] in self?.unanswered($0) }
    doorkeeper.imitator.learn = { [weak self] lesson in await self?.learn(lesson) }
    doorkeeper.admit = { [weak self] stanza, raw, verdict in self?.admitted(stanza, raw, verdict) }
  }

  // MARK: Time

  var now: Instant { Instant(nanoseconds: time.now.nanoseconds) }

  /// The time of day at which `instant` is or was, in microseconds since 1970-01-01 UTC.
  public func microsecondsSinceEpoch(_ instant: Instant) -> UInt64 { time.microsecondsSinceEpoch(at: instant) }

  // MARK: The core's effects

  /// Runs an event of Decloak's on the audience and carries out what comes of it.
  @discardableResult
  func decide<Failure: Error>(
    _ event: (inout Decloak, inout Audience) throws(Failure) -> [DecloakEffect]
  ) throws(Failure) -> [DecloakEffect] {
    let waiting = decloak.pending.count
    let effects = try event(&decloak, &doorkeeper.audience)
    for effect in effects { carryOut(effect) }
    if decloak.pending.count != waiting { onEvent(.pendingChanged) }
    armDeadline()
    tellCounts()
    return effects
  }

  private func carryOut(_ effect: DecloakEffect) {
    switch effect {
    case .show(let address, let full):
      guard let jid = address.jid else { return }
      doorkeeper.send(.presence(full ? presence.full(to: jid) : presence.bare(to: jid)))
    case .request(let contact, let reason):
      guard let jid = contact.jid else { return }
      doorkeeper.send(.presence(presence.bare(to: jid, extra: DecloakElements.elements(reason))))
    case .hide(let address):
      // What was to be shown may have been lost with a stream: then there is nothing to take back.
      let isSeen = [.inside, .shown].contains(audience.destination(address))
      guard let jid = address.jid, isSeen else { return }
      isResourceKnown = true
      doorkeeper.send(.presence(Presence(to: jid, type: .unavailable)))
    case .subscribeBothWays(let contact):
      guard let jid = contact.jid else { return }
      // The session may be with one resource alone; the call that asks for a subscription means the whole account.
      for type in [Presence.Kind.subscribed, .subscribe] {
        try? doorkeeper.send(.presence(Presence(to: jid, type: type)), reveal: true)
      }
    case .peerAppeared(let address, let id):
      spawn { await self.introduce(address, id: id) }
    case .announce(let request): onEvent(.requestAnnounced(request))
    case .changed(let request): onEvent(.requestChanged(request))
    case .resolved(let request, let outcome):
      if outcome == .approved { getToKnow(request.requesters) }
      if let jid = request.contact.jid { forgetUnlessSeen(jid.bare) }
      onEvent(.requestResolved(request, outcome))
      settleProposals(request)
    case .decided(let decision): record(decision)
    case .recounted(let id, let count): recount(id, count)
    case .sessionEnded(let contact, let direction, let cause):
      answeredPeers = answeredPeers.filter { decloak.peers[$0.key] != nil }
      if let jid = contact.jid { forgetUnlessSeen(jid.bare) }
      calls.forgetOutside(contact, audience)
      onEvent(.sessionEnded(contact, direction, cause))
    }
  }

  /// The presence that somebody is entitled to; `nil` for whoever may not see us.
  private func presence(for address: Address) -> Presence? {
    guard let jid = address.jid, let why = audience.why(address), why == .session || !lists.blocks(address.account)
    else { return nil }
    return audience.seesAll(address) ? presence.full(to: jid) : presence.bare(to: jid)
  }

  /// Keeps one timer at the core's next deadline.
  private func armDeadline() {
    let next = decloak.nextDeadline(audience)
    guard next != deadline?.at else { return }
    if let deadline { time.cancel(deadline.timer) }
    deadline = next.map { next in
      let delay = Duration.nanoseconds(max(0, next.nanoseconds - now.nanoseconds))
      return (next, time.schedule(after: delay) { [weak self] in self?.deadlinePassed() })
    }
  }

  /// Those that are dropped leave no other trace.
  private func tellCounts() {
    let line = requestCounts.line(
      dropped: decloak.droppedRequests, silenced: decloak.silencedRequests, now: now)
    if let line { logger.notice("\(line)") }
  }

  private func deadlinePassed() {
    deadline = nil
    let now = now
    decide { decloak, audience in decloak.timePassed(audience: &audience, now: now) }
  }
}

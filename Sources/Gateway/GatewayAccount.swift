// SPDX-License-Identifier: Apache-2.0

public import Account
public import Audience
public import EventLoop
public import Logging
public import Store
public import XMPP

/// A gateway joined to one ``Gateway``: a domain whose every address is ours (XEP-0276 §5), on the stream of a component.
///
/// It answers to the same calls as an ``Account``, and sounds the same. Where a call is about one of our addresses, `target`
/// is which, or `from` on whose behalf something is said. A call or a stanza comes in, the pure core says what is to be
/// done, and this carries it out through the ``GatewayDoorkeeper``. The connection: `GatewayAccount+Connecting.swift`,
/// `GatewayAccount+Streams.swift`; what arrives: `GatewayAccount+Arrivals.swift`, `GatewayAccount+Handing.swift`; what
/// people ask for: `GatewayAccount+Answers.swift`, `GatewayAccount+Decloak.swift`, `GatewayAccount+Visibility.swift`,
/// `GatewayAccount+Subscriptions.swift`; what their programs say to others: `GatewayAccount+Stanzas.swift`.
///
/// Every function that awaits looks its stream, session or request up again afterwards: much can happen meanwhile.
@LoopActor
public final class GatewayAccount {
  /// Makes the stream of a connection; tests pass one without a network.
  public typealias StreamMaker = @LoopActor (ComponentConfiguration) -> any ComponentStanzaStream

  /// What the gateway was given when it was added.
  public let configuration: GatewayConfiguration
  /// Our domain.
  public var jid: BareJID { configuration.component.jid }
  /// Called with each thing that others may want to know.
  public var onEvent: @LoopActor (GatewayEvent) -> Void = { _ in }

  /// Where the connection stands.
  public package(set) var status = AccountStatus.disconnected
  /// Why it stands there, for a person; empty when there is nothing to say.
  public package(set) var statusReason = ""
  /// How the stream is protected, while connected.
  public internal(set) var security: Security?
  /// What we say of all our addresses.
  public internal(set) var presence: OwnPresence
  /// Who is wanted to see us. It holds at once: nobody but us decides.
  public internal(set) var wanted: VisibilityWish
  /// Who may know of which of our addresses: policy, rules, requests, sessions, peers, subscriptions.
  public var gateway: Gateway { doorkeeper.gateway }
  /// What cannot be kept, for the property `Degraded`: `no-subscriptions` where others serve the domain, too.
  public var degradations: [String] { configuration.component.isBalanced ? ["no-subscriptions"] : [] }

  var keptWish: KeptWish
  /// Whether the policy is "off" and another one is written down.
  var isPolicyUnkept = false
  package let store: AccountStore
  let faults: StoreFaults
  /// Why it is not known what was decided about those who ask, or who was shown what. Then nobody is answered.
  let unreadable: AccountError?
  let ledger: GatewayLedger
  let doorkeeper: GatewayDoorkeeper
  let requests: IQRequests
  let capabilities: PeerCapabilities
  let makeStream: StreamMaker
  package let time: any TimeSource
  let logger: Logger
  /// Those who are sent our presence, or told that it is over, one after the other.
  let updates: PacedQueue<Shown>
  /// Questions that wait for a program of ours: a gateway has many callers at once.
  static let mostHandedIQs = 1024
  /// What programs of the person's handle, and what of it waits.
  var handlers = StanzaHandlers()
  let handedIQs: HandedIQs
  /// How many questions of theirs wait for an answer.
  var outstandingIQs = 0
  var proposals: [BareAddress: HeldProposals<HeldMessage>] = [:]
  var ownCapabilities: OwnCapabilities
  /// What was announced by those who ask, and by those whom we asked.
  var announced = AnnouncedBook()
  var answeredPeers: [Shown: PeerInfo] = [:]
  var askWaiters: [GatewaySubscription: Waiters<Void>] = [:]
  var showings = ShowingTimes()
  /// What of all that others do is told.
  var news = GatewayNews()
  /// The ids of requests that wait for a person.
  var waiting: Set<String> = []
  package let connectWaiters: Waiters<AccountError?>
  let streamEnd: Waiters<Bool>
  package let gate = SerialGate()
  /// Counts streams, so that what belongs to an earlier one is known after an await.
  package var streamSerial: UInt64 = 0
  /// The stream that we are closing.
  package var closingSerial: UInt64?
  /// Whether the gateway was removed: it never connects again.
  package var isRetired = false
  /// Whether a connection that is lost is to come back: one was up, or is to be without anybody asking for it.
  package var isEstablished = false
  package var reconnection = Reconnection()
  /// Why the last stream did not come up, or was lost.
  package var lastFailure: AccountError?
  /// The next try.
  package var retry: TimerToken?
  private var deadline: (at: Instant, timer: TimerToken)?
  private var counts = GatewayCounts()

  /// A gateway that is not connected.
  /// - Parameters:
  ///   - configuration: how to connect, and what to show.
  ///   - nonce: starts the ids of requests; never the same twice, also across restarts.
  ///   - store: what is kept of it.
  ///   - time: the clock.
  ///   - logger: where to write. JIDs at debug level only.
  ///   - makeStream: makes the stream of each connection.
  public init(
    _ configuration: GatewayConfiguration, nonce: String, store: AccountStore, time: any TimeSource, logger: Logger,
    makeStream: @escaping StreamMaker
  ) {
    self.configuration = configuration
    self.store = store
    self.time = time
    self.logger = logger
    self.makeStream = makeStream
    wanted = configuration.visibility
    keptWish = KeptWish(configuration.visibility)
    let own = OwnCapabilities(identities: configuration.identities, handled: configuration.features)
    ownCapabilities = own
    presence = OwnPresence(priority: 0, capabilities: own.element)
    let faults = StoreFaults(logger)
    self.faults = faults
    let ledger = GatewayLedger(store, faults: faults)
    self.ledger = ledger
    let gateway: Gateway
    do throws(StoreError) {
      let kept = try Gateway.kept(in: store, configuration, nonce: nonce)
      gateway = kept.gateway
      ledger.takeUp(kept.shown)
      unreadable = nil
    } catch {
      // Without the rules somebody might be let in whom one of them keeps out.
      gateway = Gateway(domain: configuration.component.domain, nonce: nonce)
      unreadable = AccountError(error)
      faults.tell(error)
    }
    let doorkeeper = GatewayDoorkeeper(gateway, ledger: ledger, time: time, logger: logger)
    self.doorkeeper = doorkeeper
    let requests = IQRequests(time: time, account: configuration.component.jid) { stanza, reveal throws(AccountError) in
      try doorkeeper.send(stanza, reveal: reveal)
    }
    self.requests = requests
    capabilities = PeerCapabilities(store: store, time: time) { jid, own, query in
      guard let own, doorkeeper.gateway.shows(BareAddress(own.bare), to: Address(jid)) else { return nil }
      return try? await requests.exchange(.get, to: jid, from: own, payload: query, limit: PeerCapabilities.limit)
    }
    handedIQs = HandedIQs(time: time, most: Self.mostHandedIQs)
    updates = PacedQueue(burst: Self.burst, every: Self.interval, time: time)
    connectWaiters = Waiters(time: time)
    streamEnd = Waiters(time: time)
    updates.take = { [weak self] in self?.takeTurn($0) ?? .skipped }
    handedIQs.onUnanswered = { [weak self] in self?.unanswered($0) }
    doorkeeper.admit = { [weak self] stanza, raw, verdict in self?.admitted(stanza, raw, verdict) }
    if configuration.component.isBalanced {
      logger.notice("others serve the domain, too: subscriptions to its addresses are not answered")
    }
  }

  // MARK: Questions

  var now: Instant { Instant(nanoseconds: time.now.nanoseconds) }

  /// The time of day at which `instant` is or was, in microseconds since 1970-01-01 UTC.
  public func microsecondsSinceEpoch(_ instant: Instant) -> UInt64 { time.microsecondsSinceEpoch(at: instant) }

  /// Whom an address of ours stands for, as one would dial it: `romeo@shakespeare.lit`, `+15551234`; empty for nobody.
  public func callee(of target: BareAddress) -> String {
    target.jid?.localpart.flatMap { GatewayAddress(localpart: $0) }?.callee ?? ""
  }

  /// Since when a subscriber sees an address, as far as that is known.
  public func visibleSince(_ subscription: GatewaySubscription) -> Instant { showings.since(subscription.contact) }

  // MARK: The core's effects

  /// Runs an event on the core and carries out what comes of it.
  @discardableResult
  func decide<Failure: Error>(
    _ event: (inout Gateway) throws(Failure) -> [GatewayEffect]
  ) throws(Failure) -> [GatewayEffect] {
    let effects = try event(&doorkeeper.gateway)
    carryOut(effects)
    return effects
  }

  /// Brings the books up to date after effects.
  func settle() {
    armDeadline()
    // Those that are dropped leave no other trace.
    if let line = counts.line(gateway.counts, now: now) { logger.notice("\(line)") }
  }

  /// Keeps one timer at the core's next deadline.
  private func armDeadline() {
    let next = gateway.nextDeadline
    guard next != deadline?.at else { return }
    // One that comes too early just looks again.
    if let deadline, let next, deadline.at <= next { return }
    if let deadline { time.cancel(deadline.timer) }
    deadline = next.map { next in
      let delay = Duration.nanoseconds(max(0, next.nanoseconds - now.nanoseconds))
      return (next, time.schedule(after: delay) { [weak self] in self?.deadlinePassed() })
    }
  }

  private func deadlinePassed() {
    deadline = nil
    let now = now
    decide { $0.timePassed(now: now) }
  }
}

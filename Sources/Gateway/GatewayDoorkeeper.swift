// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import EventLoop
internal import Logging
internal import Store
internal import XML
internal import XMPP

/// The only way in and out of a gateway.
///
/// It alone holds the stream. Every stanza is looked up in the core's tables ("Who gets what"), for one of our addresses
/// and somebody: what leaves is sent or refused, what arrives is handed in, answered as if nobody were there, or dropped.
/// What is sent waits for the end of the turn, so that who is shown what can be written down first, for all at once.
@LoopActor
final class GatewayDoorkeeper {
  /// What an arrival is handed in with.
  typealias Guest = @LoopActor (Stanza, Element, ArrivalVerdict) -> Void

  /// Who may know of which of our addresses. Changed by the core's own functions only.
  var gateway: Gateway
  /// Stanzas of our own code that had to be refused. Each is a fault of ours.
  private(set) var faults: UInt64 = 0
  /// Called with each stanza that is let in.
  var admit: Guest = { _, _, _ in }
  /// Whether we are about to go: then nothing that arrives counts any more.
  var isLeaving = false

  private var stream: (any ComponentStanzaStream)?
  /// Whether the stream takes stanzas: it is ready, and nobody has closed it.
  private(set) var isUp = false
  private var outbox: [Outgoing] = []
  private var isPlanned = false
  private var farewells: RecentFarewells
  /// How those are answered who must not know.
  private let imitator: AbsentUserImitator
  private let ledger: GatewayLedger
  private let time: any TimeSource
  private let logger: Logger

  /// A stanza that waits for the end of the turn.
  private struct Outgoing {
    enum Kind {
      case plain
      case showing(Shown, isFirst: Bool)
      case farewell(Shown)
      case subscribed(GatewaySubscription)
      case unsubscribed(GatewaySubscription)
    }
    let element: Element
    let kind: Kind
  }

  init(_ gateway: Gateway, ledger: GatewayLedger, time: any TimeSource, logger: Logger) {
    self.gateway = gateway
    self.ledger = ledger
    self.time = time
    self.logger = logger
    farewells = RecentFarewells()
    imitator = AbsentUserImitator(time: time)
    imitator.ask = { [weak self] in self?.stream?.send($0) }
    imitator.answer = { [weak self] in
      self?.outbox.append(Outgoing(element: $0, kind: .plain))
      self?.plan()
    }
  }

  // MARK: The stream

  /// Opens a stream and keeps it to itself: nothing else in the gateway can send.
  /// - Parameter onEvent: told of everything but stanzas, which are judged first.
  func open(_ stream: any ComponentStanzaStream, onEvent: @escaping @LoopActor (ComponentEvent) -> Void) {
    self.stream = stream
    isUp = false
    isLeaving = false
    stream.onEvent = { [weak self, weak stream] event in
      guard let self, let stream, self.stream === stream else { return }
      switch event {
      case .stanza(let stanza, let raw): return received(stanza, raw)
      case .ready: isUp = true
      case .ended: isUp = false
      case .step: break
      }
      onEvent(event)
    }
    stream.open()
  }

  /// Closes the stream in order, behind all that waits; `ended` follows. From here on nothing leaves.
  func close() {
    flush()
    isUp = false
    stream?.close()
  }

  /// Forgets the stream. Whom it has shown our addresses to is still known.
  /// - Parameter inOrder: whether the server has had all that was sent. Otherwise goodbyes may have been lost with it, and
  ///   are said again.
  func forgetStream(inOrder: Bool) {
    isUp = false
    stream = nil
    imitator.end()
    var unseen: Set<Shown> = []
    for outgoing in outbox {
      switch outgoing.kind {
      case .showing(let shown, let isFirst) where isFirst:
        unseen.insert(shown)
        forget(shown)
      case .farewell(let shown) where !unseen.contains(shown): remember(shown)
      case .unsubscribed(let subscription): gateway.owe(ended: [subscription])
      case .plain, .showing, .farewell, .subscribed: break
      }
    }
    outbox.removeAll()
    let lost = farewells.takeAll(at: time.now)
    if !inOrder { for shown in lost { remember(shown) } }
    if !ledger.isEmpty { plan() }
  }

  /// Finds out whether the server is still there.
  func checkStream() { stream?.check() }

  /// Asks the server how it answers for somebody who is not there. Nobody is there who could learn from it that we are.
  func learnAbsence(_ component: ComponentConfiguration) {
    imitator.begin(domain: component.jid, parent: component.parentDomain, isShared: component.isBalanced)
  }

  // MARK: Out

  /// Sends a stanza for a call of a person's.
  /// - Parameter reveal: that the very call says that it may tell somebody outside that an address of ours is there.
  /// - Throws: ``AccountError`` `wouldReveal` or `notConnected`.
  func send(_ stanza: Stanza, reveal: Bool) throws(AccountError) {
    guard stream != nil, isUp else { throw .notConnected }
    guard let from = stanza.from, let to = stanza.to, from.domain == gateway.domain else { throw Self.refusal }
    let (target, address) = (BareAddress(from.bare), Address(to))
    switch verdict(on: stanza, from: target, to: address) {
    case .send: break
    case .wouldReveal where reveal: break
    case .wouldReveal: throw .wouldReveal(to.description)
    case .refuse: throw Self.refusal
    }
    outbox.append(Outgoing(element: stanza.element, kind: note(stanza, Shown(target: target, address: address))))
    plan()
  }

  private static let refusal = AccountError(
    .wouldReveal, "This is never sent: it would tell others that the address is, or was, there.")

  /// Notes what leaves.
  private func note(_ stanza: Stanza, _ shown: Shown) -> Outgoing.Kind {
    guard let departure = Departure(stanza) else { return .plain }
    let wasShown = gateway.wasShown(shown)
    gateway.noteDeparture(departure, from: shown.target, to: shown.address)
    switch stanza {
    case .presence(let presence) where presence.type == .available:
      ledger.note(shown)
      return .showing(shown, isFirst: !wasShown)
    case .presence(let presence) where presence.type == .unavailable: return .farewell(shown)
    case .presence(let presence) where presence.type == .subscribed:
      return .subscribed(GatewaySubscription(contact: shown.address.account, target: shown.target))
    case .presence(let presence) where presence.type == .unsubscribed:
      return .unsubscribed(GatewaySubscription(contact: shown.address.account, target: shown.target))
    default: return .plain
    }
  }

  /// Sends a stanza of our own code's making. One that must not leave is a fault of ours: it stays, and is counted.
  func send(_ stanza: Stanza) {
    do throws(AccountError) {
      try send(stanza, reveal: false)
    } catch {
      guard error.code == .wouldReveal else { return }
      faults += 1
      logger.critical(
        "internal fault: a stanza that would have revealed us was stopped", metadata: ["count": "\(faults)"])
      logger.debug("it was addressed to \(stanza.to?.description ?? "nobody")")
    }
  }

  private func verdict(on stanza: Stanza, from target: BareAddress, to address: Address) -> DepartureVerdict {
    guard let departure = Departure(stanza) else { return .refuse }
    return Guarding.isOn ? gateway.verdict(departure, from: target, to: address) : .send
  }

  // MARK: The end of the turn

  /// Lets all that has come together be written, and then sent, when the turn is over.
  func plan() {
    guard !isPlanned else { return }
    isPlanned = true
    spawn { if self.isPlanned { self.flush() } }
  }

  /// Writes what is to be known before it is shown, then sends.
  /// - Returns: what could not be written, and so was not sent.
  @discardableResult
  func flush() -> GatewayLedger.Failure? {
    isPlanned = false
    var batch = outbox
    outbox.removeAll(keepingCapacity: true)
    var failure: GatewayLedger.Failure?
    do throws(GatewayLedger.Failure) {
      try ledger.write()
    } catch {
      failure = error
      // The person is told of it once; anybody who asks can make it happen again.
      logger.debug("presence was not sent: \(error.error.message)")
      batch = batch.filter { !isSpoiled($0, by: error) }
      for shown in error.shown { forget(shown) }
      for subscription in error.subscribed { takeBack(subscription) }
    }
    guard isUp else { return failure }
    for outgoing in batch {
      stream?.send(outgoing.element)
      if case .unsubscribed(let subscription) = outgoing.kind { ledger.told(subscription) }
      guard case .farewell(let shown) = outgoing.kind else { continue }
      farewells.add(shown, at: time.now)
      // What was shown again behind it stands.
      if !gateway.wasShown(shown) { ledger.settle(shown) }
    }
    if !ledger.isEmpty { plan() }
    return failure
  }

  private func isSpoiled(_ outgoing: Outgoing, by failure: GatewayLedger.Failure) -> Bool {
    switch outgoing.kind {
    case .plain, .unsubscribed: false
    case .showing(let shown, _), .farewell(let shown): failure.shown.contains(shown)
    case .subscribed(let subscription): failure.subscribed.contains(subscription)
    }
  }

  /// Somebody has gone by itself, and is told nothing.
  func knowsByItself(_ shown: Shown) {
    guard !gateway.wasShown(shown) else { return }
    ledger.settle(shown)
    if !ledger.isEmpty { plan() }
  }

  /// Nobody has seen it after all.
  private func forget(_ shown: Shown) {
    gateway.noteDeparture(.unavailable, from: shown.target, to: shown.address)
    ledger.settle(shown)
  }

  /// Somebody sees it still.
  private func remember(_ shown: Shown) {
    gateway.inherit(shown: [(shown.target, shown.address)])
    ledger.note(shown)
  }

  /// A subscription that is not kept is none, and the other side has not heard of it.
  private func takeBack(_ subscription: GatewaySubscription) {
    let now = Instant(nanoseconds: time.now.nanoseconds)
    _ = gateway.unsubscribe(subscription.contact, from: subscription.target, now: now)
    gateway.noteDeparture(.subscription, from: subscription.target, to: .bare(subscription.contact))
  }

  // MARK: In

  /// Judges a stanza that has arrived.
  private func received(_ stanza: Stanza, _ raw: Element) {
    guard !isLeaving, let from = stanza.from, let to = stanza.to else { return }
    guard !imitator.note(raw, to: to) else { return }
    let source: Source = isShown(BareAddress(to.bare), to: Address(from)) ? .inside : .outside
    let verdict = ArrivalTable.gatewayVerdict(Arrival(stanza), source)
    switch verdict {
    case .drop: break
    case .imitate: imitate(stanza, raw)
    case .use, .learn, .ask, .list, .deliver, .match: admit(stanza, raw, verdict)
    }
  }

  /// Answers as the server would for a user that there is not, whoever was asked.
  func imitate(_ stanza: Stanza, _ raw: Element) {
    if isUp { imitator.received(stanza, raw) }
  }

  /// Takes what nobody of ours has an answer to: the answer to nothing that we asked, or the question of somebody who was
  /// inside when it came.
  func unmatched(_ stanza: Stanza, _ raw: Element) {
    guard let from = stanza.from, let to = stanza.to else { return }
    if !isShown(BareAddress(to.bare), to: Address(from)) { imitate(stanza, raw) }
  }

  private func isShown(_ target: BareAddress, to address: Address) -> Bool {
    !Guarding.isOn || gateway.shows(target, to: address)
  }
}

extension Gateway {
  /// Whether somebody was sent presence of an address and has not been told that it is gone.
  func wasShown(_ shown: Shown) -> Bool { wasShown(shown.target, to: shown.address) }
}

extension ArrivalTable {
  /// The verdict on a stanza for one of a gateway's addresses. Other than for a person's account there is nobody at home:
  /// who is not shown the address finds no user there, and a server takes no message for one that there is not. And there is
  /// no server between that answers probes and keeps the roster.
  static func gatewayVerdict(_ arrival: Arrival, _ source: Source) -> ArrivalVerdict {
    switch (arrival, source) {
    case (.probe, .inside), (.subscriptionChange, _): .use
    default: verdict(arrival, source)
    }
  }
}

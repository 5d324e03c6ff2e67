// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import Logging
internal import XML
internal import XMPP

/// The only way in and out of an account.
///
/// It alone holds the stream. Every stanza is looked up in the core's tables ("Who gets what"): what leaves is sent
/// or refused, what arrives is handed in, answered as if nobody were there, or dropped. The rest of the account
/// cannot reach the stream, so it cannot forget to ask.
@LoopActor
final class Doorkeeper {
  /// What an arrival is handed in with.
  typealias Guest = @LoopActor (Stanza, Element, ArrivalVerdict) -> Void

  /// Who may know. Changed by Visibility and Decloak through their own functions only.
  var audience: Audience
  /// Answers those outside in the place of a resource that is not there.
  let imitator: AbsenceImitator
  /// Stanzas of our own code that had to be refused. Each is a fault of ours.
  private(set) var faults: UInt64 = 0
  /// Called with each stanza that is let in.
  var admit: Guest = { _, _, _ in }

  /// Takes presence to those from whom the server would keep it.
  var ferry: Ferry? {
    didSet {
      ferry?.send = { [weak self] stanza, reveal throws(AccountError) in try self?.pass(stanza, reveal: reveal) }
      ferry?.judge = { [weak self] stanza, reveal throws(AccountError) in try self?.judge(stanza, reveal: reveal) }
    }
  }

  private var stream: (any StanzaStream)?
  /// Whether the stream takes stanzas: it is bound or resumed, and nobody has closed it.
  private(set) var isUp = false
  private let disclosures: Disclosures
  private let logger: Logger

  init(account: BareJID, disclosures: Disclosures, time: any TimeSource, logger: Logger) {
    audience = Audience(account: BareAddress(account))
    self.disclosures = disclosures
    self.logger = logger
    imitator = AbsenceImitator(time: time)
    imitator.decide = { [weak self] stanza, raw, answer in self?.imitated(stanza, raw, answer) }
  }

  // MARK: The stream

  /// Opens a stream and keeps it to itself: nothing else in the account can send.
  /// - Parameter onEvent: told of everything but stanzas, which are judged first.
  func open(_ stream: any StanzaStream, onEvent: @escaping @LoopActor (StreamEvent) -> Void) {
    self.stream = stream
    isUp = false
    stream.onEvent = { [weak self, weak stream] event in
      guard let self, let stream, self.stream === stream else { return }
      switch event {
      case .stanza(let stanza, let raw): return received(stanza, raw)
      case .bound(let jid, _, _):
        disclosures.resource = jid.resource
        isUp = true
      case .resumed: isUp = true
      case .ended: isUp = false
      case .step, .notResumed: break
      }
      onEvent(event)
      // Behind all that was sent again: an old edit of the list must not come after a new one.
      if case .resumed = event { ferry?.resumed() }
    }
    stream.open()
  }

  /// Closes the stream in order; `ended` follows. From here on nothing leaves.
  func close() {
    isUp = false
    stream?.close()
  }

  /// Forgets the stream. Whom its session was shown to is still known.
  func forgetStream() {
    isUp = false
    stream = nil
  }

  /// Forgets whom the session was shown to: it is over.
  func forgetSession() {
    audience.streamEnded()
    ferry?.forget()
    imitator.forget()
  }

  /// Tells the server whether somebody is looking.
  func setActive(_ isActive: Bool) { stream?.setActive(isActive) }

  /// Finds out whether the server is still there.
  func checkStream() { stream?.check() }

  // MARK: Out

  /// Sends a stanza for a call of a person's.
  /// - Parameter reveal: that the very call says that it may tell somebody outside that we are online.
  /// - Throws: ``AccountError`` `wouldReveal` or `notConnected`.
  func send(_ stanza: Stanza, reveal: Bool) throws(AccountError) {
    guard let ferry, ferry.takes(stanza) else { return try pass(stanza, reveal: reveal) }
    try judge(stanza, reveal: reveal)
    try ferry.board(stanza, reveal: reveal)
  }

  /// Sends a stanza, if it may leave.
  private func pass(_ stanza: Stanza, reveal: Bool) throws(AccountError) {
    guard let stream, isUp else { throw .notConnected }
    try judge(stanza, reveal: reveal)
    var notes: SentStanza.Notes = reveal ? .meant : []
    if let departure = Departure(stanza) {
      let to = stanza.to.map(Address.init)
      if departure == .available, audience.isFirstShowing(to: to) { notes.insert(.first) }
      // Written down first: what is not known to have been shown cannot be taken back.
      try disclosures.note(departure, to: stanza.to, audience.mode)
      audience.noteDeparture(departure, to: to) { [ferry] in ferry?.stops($0) ?? false }
      if departure == .unavailable, to == nil { disclosures.settle(allBut: audience.shown) }
    }
    try noteShowing(by: stanza)
    stream.send(stanza.element, notes)
  }

  /// To whom a subscription is granted the server sends our presence by itself. A list would keep it back, but the list
  /// lets the grant through, and that with it (measured on Prosody and ejabberd): whoever may not see us is to be told
  /// that we went, as soon as the roster shows the subscription. Whoever may see us by it has nothing taken back.
  private func noteShowing(by stanza: Stanza) throws(AccountError) {
    guard case .presence(let presence) = stanza, presence.type == .subscribed, let to = presence.to,
      audience.mechanism == .privacyList, audience.isCovered, audience.isBroadcasting,
      !audience.visibility.shows(Address(to).account)
    else { return }
    try disclosures.note(.available, to: to, audience.mode)
    audience.noteDeparture(.available, to: Address(to))
  }

  /// Throws where a stanza must not leave.
  private func judge(_ stanza: Stanza, reveal: Bool) throws(AccountError) {
    guard isUp else { throw .notConnected }
    switch verdict(on: stanza) {
    case .send: break
    case .wouldReveal where reveal: break
    case .wouldReveal: throw .wouldReveal(stanza.to?.description ?? "your contacts")
    case .refuse:
      throw AccountError(.wouldReveal, "This is never sent: it would tell others that you are, or were, online.")
    }
  }

  /// Sends what the server never had, if it may still leave. Presence is made anew instead.
  func sendAgain(_ sent: SentStanza) {
    guard let stanza = try? Stanza(sent.element) else { return }
    do throws(AccountError) {
      try send(stanza, reveal: sent.isMeant)
    } catch {
      logger.info("a stanza that was lost with the connection is not sent again: \(error.code)")
    }
  }

  /// Notes that an unavailable was lost: whoever it was for may see us still.
  func lostFarewell(to address: Address?) {
    audience.noteLostFarewell(to: address)
    if let address {
      if let jid = address.jid { disclosures.lostFarewell(to: jid, audience.mode) }
    } else {
      for jid in audience.shown.compactMap(\.jid) {
        disclosures.lostFarewell(to: jid, audience.visibilityWhenWithdrawn.mode)
      }
    }
  }

  /// Notes that somebody, or everybody, sees nothing of us: what was to be taken back never arrived, or has been.
  func isUnseen(by address: Address?) {
    audience.noteLostShowing(to: address)
    if let jid = address?.jid { disclosures.settle(jid) }
  }

  /// Sends a stanza of our own code's making. One that must not leave is a fault of ours: it stays, and is counted.
  func send(_ stanza: Stanza) {
    do throws(AccountError) {
      try send(stanza, reveal: false)
    } catch {
      guard error.code == .wouldReveal else {
        if error.code == .storageFailed { logger.error("presence was not sent: \(error.text)") }
        return
      }
      faults += 1
      logger.critical(
        "internal fault: a stanza that would have revealed us was stopped", metadata: ["count": "\(faults)"])
      logger.debug("it was addressed to \(stanza.to?.description ?? "everybody")")
    }
  }

  private func verdict(on stanza: Stanza) -> DepartureVerdict {
    guard let departure = Departure(stanza) else { return .refuse }
    return DepartureTable.verdict(departure, destination(of: stanza, departure), audience.link)
  }

  private func destination(of stanza: Stanza, _ departure: Departure) -> Destination {
    if departure == .invisibility { return audience.destinationOfInvisibility }
    guard let to = stanza.to.map(Address.init) else { return .undirected }
    return isInside(to) ? .inside : audience.destination(to)
  }

  // MARK: In

  /// Judges a stanza that has arrived.
  private func received(_ stanza: Stanza, _ raw: Element) {
    let verdict = ArrivalTable.verdict(Arrival(stanza), source(of: stanza))
    switch verdict {
    case .drop: break
    case .imitate: imitator.received(stanza, raw)
    case .use, .learn, .ask, .list, .deliver, .match: admit(stanza, raw, verdict)
    }
  }

  /// Takes what nobody of ours has an answer to: the answer to nothing that we asked, or the question of somebody who was
  /// inside when it came.
  func unmatched(_ stanza: Stanza, _ raw: Element) {
    if source(of: stanza) == .outside { imitator.received(stanza, raw) }
  }

  /// Without `from` it is our server's, on behalf of our own account (RFC 6120 §8.1.2.1).
  private func source(of stanza: Stanza) -> Source {
    stanza.from.map { isInside(Address($0)) ? .inside : .outside } ?? .inside
  }

  private func imitated(_ stanza: Stanza, _ raw: Element, _ answer: Element?) {
    if let answer {
      // Whoever asked waits for it: should it be lost with the connection, it may be sent again.
      if isUp { stream?.send(answer, isMeant: true) }
    } else if case .message(let message) = stanza {
      // The server would be silent, so nothing tells us from it: the message counts as any other.
      let arrival: Arrival = JingleMessage.proposal(in: message) == nil ? .message : .propose
      admit(stanza, raw, ArrivalTable.verdict(arrival, source(of: stanza)))
    }
  }

  private func isInside(_ address: Address) -> Bool { !Guarding.isOn || audience.contains(address) }
}

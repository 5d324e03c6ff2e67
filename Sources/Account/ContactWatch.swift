// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XMPP

/// Finds out about contacts, and about our own other resources, while the server does not tell us by itself.
///
/// Who has broadcast nothing is told nothing of others. But their servers answer a probe of ours, and the contacts hear
/// nothing of it (measured on three servers; jabberd2 answers none). So all whose presence we are subscribed to are
/// probed in a round: a few at a time, again while somebody looks, and what a round does not confirm is forgotten.
@LoopActor
final class ContactWatch {
  /// How many probes leave in ``interval``.
  static let burst = 50
  static let interval = Duration.milliseconds(100)
  /// From the beginning of a round to the next.
  static let rhythm = Duration.seconds(600)
  /// How long answers may take.
  static let patience = Duration.seconds(30)
  /// What our probes are called, so that one that is sent back is not taken for presence of ours that was refused.
  private static let probeID = "probe"

  /// Called when ``degradations`` has changed.
  var onChange: @LoopActor () -> Void = {}
  /// The resources of a contact that are known to be available.
  var known: @LoopActor (BareJID) -> [JID] = { _ in [] }
  /// Forgets a resource that was not confirmed.
  var lose: @LoopActor (JID) -> Void = { _ in }
  /// Whether somebody looks: nobody is probed again for nobody.
  var isActive = true {
    didSet { if isActive != oldValue, timer?.isRest ?? true { rest() } }
  }

  private let doorkeeper: Doorkeeper
  private let time: any TimeSource
  private let own: OwnResources
  private let probes: PacedQueue<BareJID>

  /// Those who are probed; `nil` while the server tells by itself, or nobody hides.
  private var contacts: Set<BareJID>?
  private var isWatching = false
  private var ownResource = ""
  /// Whose answers may come still, and whether one has come.
  private var asked: [BareJID: Bool] = [:]
  /// Resources that we know of from answers. What somebody sends us by itself is for us alone, and good until it says
  /// otherwise: its server knows nothing of it.
  private var learned: Set<JID> = []
  /// Of these, what was known of those who were asked when they were.
  private var unconfirmed: Set<JID> = []
  private var roundBegan: MonotonicTime?
  private var hasProbed = false
  private var isAnswered = false
  private var timer: (token: TimerToken, isRest: Bool)?
  private var told: Set<Degradation> = []

  init(_ account: BareJID, _ doorkeeper: Doorkeeper, requests: IQRequests, time: any TimeSource) {
    self.doorkeeper = doorkeeper
    self.time = time
    own = OwnResources(account, requests: requests) { Self.probe($0, doorkeeper) }
    probes = PacedQueue(burst: Self.burst, every: Self.interval, time: time)
    probes.take = { [weak self] contact in self?.ask(contact) ?? .skipped }
    probes.onEmpty = { [weak self] in self?.awaitAnswers() }
    own.onChange = { [weak self] in self?.tell() }
  }

  /// What cannot be known, and what it takes to know the rest.
  var degradations: Set<Degradation> {
    var words: Set<Degradation> = own.available.isEmpty ? [] : [.otherResourceVisible]
    guard doorkeeper.audience.mechanism == .directed else { return words }
    if hasProbed { words.insert(.probesSent) }
    if !isAnswered { words.insert(.noContactPresence) }
    if own.available.isEmpty, !own.isKnown { words.insert(.otherResourcesUnknown) }
    return words
  }

  // MARK: What is watched

  /// A stream has come up, or what is in force has changed.
  /// - Parameters:
  ///   - contacts: those whose presence we are subscribed to. Looked at only where it matters.
  ///   - watching: whether we want to see them.
  ///   - resource: that of this session.
  func begin(_ contacts: @autoclosure () -> [BareJID], watching: Bool, resource: String) {
    guard doorkeeper.audience.mechanism == .directed, doorkeeper.audience.mode != .visible else {
      if self.contacts != nil { stop() }
      return tell()
    }
    // After a cut, or with other exceptions, a round goes on where it was. Changes of the roster are told one by one.
    if self.contacts != nil, watching == isWatching { return probes.goOn() }
    let isNew = self.contacts == nil
    let wanted = Set(watching ? contacts() : [])
    let added = wanted.subtracting(self.contacts ?? [])
    self.contacts = wanted
    isWatching = watching
    ownResource = resource
    doorkeeper.audience.replaceWatched(Set(wanted.map { BareAddress($0) }))
    if isNew { startRound() } else { probes.add(added.sorted()) }
    tell()
  }

  /// A contact's subscription has changed.
  func changed(_ contact: BareJID, isSeen: Bool) {
    guard contacts != nil, isWatching else { return }
    doorkeeper.audience.watch(BareAddress(contact), isSeen)
    if !isSeen {
      contacts?.remove(contact)
    } else if contacts?.insert(contact).inserted == true {
      probes.add([contact])
    }
  }

  /// We are about to broadcast, and the server to tell us all there is: what was known before and is not confirmed by that
  /// is forgotten.
  func serverTakesOver() {
    guard contacts != nil else { return }
    let learned = learned
    stop()
    unconfirmed = learned
    if !unconfirmed.isEmpty { set(after: Self.patience, isRest: false) { [weak self] in self?.concludeRound() } }
  }

  /// The session is over.
  func forget() {
    stop()
    hasProbed = false
    isAnswered = false
    own.forget()
    tell()
  }

  private func stop() {
    contacts = nil
    isWatching = false
    roundBegan = nil
    cancelTimer()
    probes.removeAll()
    asked.removeAll()
    learned.removeAll()
    unconfirmed.removeAll()
    doorkeeper.audience.replaceWatched([])
  }

  // MARK: What arrives

  /// Presence has arrived, and been noted, from somebody whom we are subscribed to, or from another resource of our own.
  /// - Parameter isOwn: whether it is one of our own.
  func arrived(_ from: JID, _ presence: Presence, isOwn: Bool) {
    if isOwn { return own.arrived(from, presence.type) }
    if presence.type == .available { unconfirmed.remove(from) }
    // What somebody sends us alone, as a request, says nothing about its server.
    guard [.available, .unavailable].contains(presence.type), DecloakElements.request(in: presence) == nil,
      let hasAnswered = asked[from.bare]
    else { return }
    if presence.type == .available, known(from.bare).contains(from) { learned.insert(from) }
    guard !hasAnswered else { return }
    asked[from.bare] = true
    isAnswered = true
    tell()
  }

  /// Whether presence that was sent back is a probe of ours.
  func sent(_ presence: Presence) -> Bool { presence.type == .error && presence.id == Self.probeID }

  // MARK: Rounds

  private func startRound() {
    roundBegan = time.now
    cancelTimer()
    asked.removeAll()
    unconfirmed.removeAll()
    learned = learned.filter { known($0.bare).contains($0) }
    own.look(besides: ownResource)
    let contacts = contacts ?? []
    if contacts.isEmpty { rest() } else { probes.add(contacts.sorted()) }
  }

  private func ask(_ contact: BareJID) -> PacedQueue<BareJID>.Turn {
    guard doorkeeper.isUp else { return .blocked }
    guard contacts?.contains(contact) == true, Self.probe(JID(contact), doorkeeper) else { return .skipped }
    asked[contact] = false
    unconfirmed.formUnion(known(contact).filter(learned.contains))
    hasProbed = true
    return .sent
  }

  /// - Returns: whether it left.
  private static func probe(_ jid: JID, _ doorkeeper: Doorkeeper) -> Bool {
    var probe = Presence(to: jid, type: .probe)
    probe.id = probeID
    do throws(AccountError) {
      // Where it must not leave, because much has changed meanwhile, it just stays.
      try doorkeeper.send(.presence(probe), reveal: false)
      return true
    } catch {
      return false
    }
  }

  private func awaitAnswers() {
    tell()
    set(after: Self.patience, isRest: false) { [weak self] in self?.concludeRound() }
  }

  private func concludeRound() {
    timer = nil
    let lost = unconfirmed.sorted { $0.description < $1.description }
    unconfirmed.removeAll()
    asked.removeAll()
    // Answers that a cut has kept from us say nothing.
    if doorkeeper.isUp { for jid in lost { lose(jid) } }
    rest()
  }

  /// Waits for the next round, if somebody looks.
  private func rest() {
    cancelTimer()
    guard isActive, contacts != nil, let roundBegan else { return }
    set(after: max(.zero, roundBegan + Self.rhythm - time.now), isRest: true) { [weak self] in
      self?.timer = nil
      self?.startRound()
    }
  }

  private func set(after delay: Duration, isRest: Bool, _ action: @escaping @LoopActor () -> Void) {
    cancelTimer()
    timer = (time.schedule(after: delay, action), isRest)
  }

  private func cancelTimer() {
    if let timer { time.cancel(timer.token) }
    timer = nil
  }

  private func tell() {
    let words = degradations
    guard words != told else { return }
    told = words
    onChange()
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XML
internal import XMPP

/// Takes directed presence to those from whom the active privacy list keeps it: the list lets them through for the one
/// stanza, and no longer (COMPAT: an item left standing leaks).
///
/// All that wait cross together: one edit that lets them through, their stanzas, a question that tells that the server has
/// dealt with these, and an edit that closes the list again, or opens it for the next. Order is kept: what comes later
/// for somebody who waits goes behind, and what goes to everybody leaves while nobody is let through.
@LoopActor
final class Ferry {
  /// How many stanzas can wait.
  nonisolated static let mostWaiting = 1024
  /// How many addresses, and how many bytes of them, are let through at a time: they come on top of the list.
  nonisolated static let mostAboard = 64
  nonisolated static let mostBytesAboard = 16 << 10
  /// Bytes of the items for them: each has some around its address, which may be escaped.
  nonisolated static let mostBytesOfItems = mostAboard * 128 + 6 * mostBytesAboard

  /// Sends a stanza that the list lets through now. It is judged once more.
  var send: @LoopActor (Stanza, _ reveal: Bool) throws(AccountError) -> Void = { _, _ in }
  /// Throws where a stanza must not leave.
  var judge: @LoopActor (Stanza, _ reveal: Bool) throws(AccountError) -> Void = { _, _ in }
  /// Called when the list could not be closed again.
  var onFailure: @LoopActor (AccountError) -> Void = { _ in }

  private struct Passenger {
    let stanza: Stanza
    let reveal: Bool
    /// Nobody for what goes to everybody.
    let address: Address?
  }

  private let lists: PrivacyLists
  private let requests: IQRequests
  private let server: JID
  private var waiting: [Passenger] = []
  /// How many of them are for each account.
  private var waitingFor: [BareAddress: Int] = [:]
  private var isCrossing = false
  /// Whether the connection was lost during a crossing, and the list may stand open.
  private var isInterrupted = false
  /// Whether the list could not be closed again.
  private var isBroken = false
  /// Whether the stream is about to be closed: the goodbye to all does not wait its turn, which may not come any more.
  /// (Prosody tells all contacts of the end of a session whose list no such goodbye has passed.)
  var isLeaving = false
  /// Counts how often a session went on.
  private var resumptions: UInt64 = 0
  private var drainers: [CheckedContinuation<AccountError?, Never>] = []
  private var session: UInt64 = 0

  init(_ lists: PrivacyLists, requests: IQRequests, server: JID) {
    self.lists = lists
    self.requests = requests
    self.server = server
  }

  // MARK: On board

  /// Whether a stanza has to go this way: it would be stopped, or others to the same wait still.
  func takes(_ stanza: Stanza) -> Bool {
    guard case .presence(let presence) = stanza else { return false }
    switch presence.type {
    case .available, .unavailable, .subscribe, .subscribed, .unsubscribe, .unsubscribed: break
    case .probe, .error, .other: return false
    }
    // What goes to everybody would reach whoever is let through, too.
    guard let address = presence.to.map(Address.init) else {
      // A list that cannot be edited any more must not keep the goodbye to all: it would be tried for ever.
      if presence.type == .unavailable, isBroken || isLeaving { return false }
      return !waiting.isEmpty || lists.isOpen
    }
    return waitingFor[address.account] != nil || lists.stops(address)
  }

  /// Whether what goes to everybody would be stopped on its way to somebody, or may be.
  func stops(_ address: Address) -> Bool { lists.stops(address) }

  /// Takes a stanza.
  /// - Throws: ``AccountError`` `limitExceeded`.
  func board(_ stanza: Stanza, reveal: Bool) throws(AccountError) {
    let address = stanza.to.map(Address.init)
    if let place = placeOfEarlier(stanza, address) {
      waiting[place] = Passenger(stanza: stanza, reveal: reveal, address: address)
      return
    }
    guard waiting.count < Self.mostWaiting else {
      throw AccountError(
        .limitExceeded, "\(Self.mostWaiting) stanzas wait for the server to let them through: try again in a moment.")
    }
    waiting.append(Passenger(stanza: stanza, reveal: reveal, address: address))
    if let address { waitingFor[address.account, default: 0] += 1 }
    cross()
  }

  /// Where our presence to the same address waits still, if that was the last thing to be said to it: of two the newer one
  /// is enough.
  private func placeOfEarlier(_ stanza: Stanza, _ address: Address?) -> Int? {
    guard address.map({ waitingFor[$0.account] != nil }) ?? true, Self.isAvailable(stanza),
      let place = waiting.lastIndex(where: { $0.address == address }), Self.isAvailable(waiting[place].stanza)
    else { return nil }
    return place
  }

  private static func isAvailable(_ stanza: Stanza) -> Bool {
    if case .presence(let presence) = stanza { presence.type == .available } else { false }
  }

  /// Waits until nobody is on board.
  /// - Throws: ``AccountError`` when the server did not let something out, or the connection was lost.
  func drained() async throws(AccountError) {
    guard isCrossing || !waiting.isEmpty else { return }
    if isInterrupted { throw .notConnected }
    let error: AccountError? = await withCheckedContinuation { drainers.append($0) }
    if let error { throw error }
  }

  /// The session goes on after an outage, and all that was to be sent again has been.
  func resumed() {
    resumptions &+= 1
    isLeaving = false
    guard isInterrupted else { return }
    isInterrupted = false
    cross()
  }

  /// The session is over: what has not left stays.
  func forget() {
    session &+= 1
    isCrossing = false
    isInterrupted = false
    isBroken = false
    isLeaving = false
    leaveAll()
    wake(.notConnected)
  }

  // MARK: The crossing

  private func cross() {
    guard !isCrossing, !isInterrupted else { return }
    isCrossing = true
    let mine = session
    spawn { await self.crossAll(mine) }
  }

  private func crossAll(_ mine: UInt64) async {
    do throws(AccountError) {
      repeat {
        dropForbidden()
        let batch = nextBatch()
        try await lists.admit(Set(batch.compactMap(\.address)))
        guard mine == session else { return }
        for _ in batch { try sendFirst() }
        if batch.contains(where: { $0.address != nil }) { try await fence() }
        guard mine == session else { return }
      } while !waiting.isEmpty || lists.isOpen
      isCrossing = false
      wake(nil)
    } catch {
      await failed(error, mine)
    }
  }

  /// The first of those that wait, as many as can cross together: either what goes to somebody, or what goes to all.
  private func nextBatch() -> [Passenger] {
    var batch: [Passenger] = []
    var bytes = 0
    for passenger in waiting.prefix(Self.mostAboard) {
      bytes += passenger.address?.description.utf8.count ?? 0
      if let first = batch.first {
        guard (first.address == nil) == (passenger.address == nil), bytes <= Self.mostBytesAboard else { break }
      }
      batch.append(passenger)
    }
    return batch
  }

  /// Leaves behind what must not leave any more, since much may have happened since it came: nobody is let through for it.
  private func dropForbidden() {
    waiting.removeAll { passenger in
      do throws(AccountError) {
        try judge(passenger.stanza, passenger.reveal)
        return false
      } catch {
        guard error.code == .wouldReveal else { return false }
        noteGone(passenger)
        return true
      }
    }
  }

  /// Sends the first of those that wait, if it still may leave.
  private func sendFirst() throws(AccountError) {
    guard let first = waiting.first else { return }
    do throws(AccountError) {
      try send(first.stanza, first.reveal)
    } catch {
      guard error.code == .wouldReveal else { throw error }
    }
    waiting.removeFirst()
    noteGone(first)
  }

  private func noteGone(_ passenger: Passenger) {
    guard let account = passenger.address?.account, let count = waitingFor[account] else { return }
    waitingFor[account] = count > 1 ? count - 1 : nil
  }

  /// Waits until the server has dealt with what was sent: it answers in order.
  private func fence() async throws(AccountError) {
    _ = try await requests.exchange(.get, to: server, payload: Element("ping", "urn:xmpp:ping"), limit: Account.iqLimit)
  }

  /// Something went wrong: nothing more is shown, and the list is closed.
  private func failed(_ error: AccountError, _ mine: UInt64) async {
    guard mine == session else { return }
    var worse: AccountError?
    let before = resumptions
    do throws(AccountError) { try await lists.admit([]) } catch { worse = error }
    guard mine == session else { return }
    isCrossing = false
    if error.code == .notConnected || worse?.code == .notConnected {
      // The server keeps the session, perhaps, and the list as it stands. It goes on where it broke off.
      isInterrupted = resumptions == before
      return isInterrupted ? wake(.notConnected) : cross()
    }
    leaveAll()
    wake(error)
    isBroken = worse != nil
    if let worse { onFailure(worse) }
  }

  private func leaveAll() {
    waiting.removeAll()
    waitingFor.removeAll()
  }

  private func wake(_ error: AccountError?) {
    let all = drainers
    drainers.removeAll()
    for drainer in all { drainer.resume(returning: error) }
  }
}

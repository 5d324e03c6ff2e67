// SPDX-License-Identifier: Apache-2.0

public import EventLoop
public import XML
public import XMPP

/// All stanzas that the server delivered to its clients, in their order, for tests to look at.
@LoopActor
public final class LoopbackRecorder {
  /// A stanza that was delivered.
  public struct Entry: Sendable {
    /// Its place among all that were ever recorded, from 0.
    public let number: Int
    /// The session that got it.
    public let client: FullJID
    /// What it got.
    public let stanza: Element
  }

  /// Why a test's expectation was not met.
  public struct Failure: Error, Sendable, CustomStringConvertible {
    /// What was expected, and what came instead.
    public let description: String
  }

  /// Whose stanzas are looked at.
  public enum Client: Sendable, Hashable, CustomStringConvertible {
    /// Those of all sessions of an account.
    case account(BareJID)
    /// Those of one session.
    case session(FullJID)

    /// The address.
    public var description: String {
      switch self {
      case .account(let jid): jid.description
      case .session(let jid): jid.description
      }
    }

    func includes(_ jid: FullJID) -> Bool {
      switch self {
      case .account(let account): jid.bare == account
      case .session(let session): jid == session
      }
    }
  }

  private struct Waiter {
    let client: Client
    let matches: @LoopActor (Element) -> Bool
    let continuation: CheckedContinuation<Entry?, Never>
    let timer: TimerToken
  }

  /// The number of the next stanza: what came before something is what has a smaller one.
  public private(set) var count = 0
  /// What is kept, oldest first.
  public private(set) var entries: [Entry] = []

  /// Told of each stanza, also where none are kept.
  public var onEntry: @LoopActor (Entry) -> Void = { _ in }

  private let limit: Int
  private let time: any TimeSource
  private var waiters: [Int: Waiter] = [:]
  private var nextWaiter = 0
  /// Pings every session given and waits for the answers; false where one did not come in time.
  var fence: @LoopActor ([FullJID]?, Duration) async -> Bool = { _, _ in true }

  init(limit: Int, time: any TimeSource) {
    self.limit = limit
    self.time = time
  }

  /// What a client got from a point on.
  /// - Parameter start: the ``count`` of that moment.
  public func received(by client: Client, since start: Int = 0) -> [Element] {
    entries(since: start).filter { client.includes($0.client) }.map(\.stanza)
  }

  /// Waits until a client has got a stanza; one that came before counts, from `start` on.
  /// - Parameters:
  ///   - start: the ``count`` from which on stanzas count.
  ///   - limit: for how long.
  /// - Returns: the first one that matches.
  /// - Throws: ``Failure`` when none came in time.
  @discardableResult
  public func expect(
    _ what: String, to client: Client, since start: Int = 0, within limit: Duration = .seconds(10),
    _ matches: @escaping @LoopActor (Element) -> Bool
  ) async throws(Failure) -> Entry {
    let entry: Entry? = await withCheckedContinuation { continuation in
      // Looked for here and not before: a test's own task is not one of the loop's, and what comes before the
      // continuation is made must not be missed.
      if let entry = entries(since: start).first(where: { client.includes($0.client) && matches($0.stanza) }) {
        return continuation.resume(returning: entry)
      }
      let number = nextWaiter
      nextWaiter += 1
      let timer = time.schedule(after: limit) { [self] in
        waiters.removeValue(forKey: number)?.continuation.resume(returning: nil)
      }
      waiters[number] = Waiter(client: client, matches: matches, continuation: continuation, timer: timer)
    }
    guard let entry else {
      let seen = received(by: client, since: start).map { $0.serialized() }
      throw Failure(description: "\(client) did not get \(what), but: \(seen.joined(separator: "\n"))")
    }
    return entry
  }

  /// Makes sure that a client has got no such stanza, once all that was on its way has arrived: sessions are asked a
  /// question by the server and have answered, so what they had said before has been dealt with.
  /// - Parameters:
  ///   - start: the ``count`` from which on stanzas count.
  ///   - senders: the sessions that must have answered; all that are there where none are given.
  ///   - limit: for how long the answers are waited for.
  /// - Throws: ``Failure`` where there is one, or an answer did not come.
  public func forbid(
    _ what: String, to client: Client, since start: Int = 0, fencing senders: [FullJID]? = nil,
    within limit: Duration = .seconds(10), _ matches: @LoopActor (Element) -> Bool
  ) async throws(Failure) {
    guard await fence(senders, limit) else {
      throw Failure(description: "a session did not answer the fence: silence proves nothing")
    }
    guard start >= (entries.first?.number ?? 0) else {
      throw Failure(description: "the recorder has forgotten what it is asked about: it keeps \(self.limit) stanzas")
    }
    if let stanza = received(by: client, since: start).first(where: matches) {
      throw Failure(description: "\(client) got \(what): \(stanza.serialized())")
    }
  }

  // MARK: The server

  func record(_ stanza: Element, to client: FullJID) {
    let entry = Entry(number: count, client: client, stanza: stanza)
    onEntry(entry)
    guard limit > 0 else { return }
    count += 1
    // Half at a time: one by one would move all the others each time.
    if entries.count >= limit { entries.removeFirst((limit + 1) / 2) }
    entries.append(entry)
    for (number, waiter) in waiters where waiter.client.includes(client) && waiter.matches(stanza) {
      waiters[number] = nil
      time.cancel(waiter.timer)
      waiter.continuation.resume(returning: entry)
    }
  }

  private func entries(since start: Int) -> ArraySlice<Entry> {
    guard let first = entries.first else { return [] }
    return entries.dropFirst(max(0, start - first.number))
  }
}

// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Logging
import Store
import Testing
import XMPP

/// One account at a scripted server, with a clock that the test moves and a list of all that it told.
@LoopActor
final class Home {
  let account: Account
  let time = ManualTime()
  let store: AccountStore
  private(set) var servers: [ScriptedServer] = []
  private(set) var events: [AccountEvent] = []

  /// Prepares each stream before it opens.
  var onOpen: @LoopActor (ScriptedServer) -> Void = { _ in }
  private let openings = Waiter<Void>()

  /// Waits until a stream has been opened.
  func opened() async { await openings.value() }

  /// The present stream.
  var server: ScriptedServer {
    get throws { try #require(servers.last) }
  }

  /// - Parameter store: what is kept from before; nothing unless given.
  init(
    mode: Mode = .visible, wish: VisibilityWish? = nil, mechanism: Mechanism? = nil, roster: String = "",
    resource: String? = nil, store: AccountStore? = nil
  ) async throws {
    let time = time
    let kept: AccountStore
    if let store { kept = store } else { kept = try await Self.emptyStore() }
    self.store = kept
    final class Box { var home: Home? }
    let box = Box()
    var configuration = AccountConfiguration(
      client: ClientConfiguration(account: try BareJID("juliet@localhost"), password: "p", resource: resource),
      visibility: wish ?? (mode == .visible ? .visible : .invisible))
    configuration.mechanism = mechanism
    account = Account(
      configuration, nonce: "test", store: kept, time: time,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { configuration, resumption in
      let server = ScriptedServer(
        configuration, resource: "r\((box.home?.servers.count ?? 0) + 1)", resumption: resumption)
      server.roster = roster
      box.home?.onOpen(server)
      box.home?.servers.append(server)
      box.home?.openings.finish(())
      return server
    }
    box.home = self
    account.onEvent = { [weak self] event in
      self?.events.append(event)
      if case .statusChanged = event, let self {
        let waiters = statusWaiters
        statusWaiters.removeAll()
        for waiter in waiters { waiter.finish(()) }
      }
      self?.onEvent(event)
    }
  }

  /// A store in memory.
  static func emptyStore() async throws -> AccountStore {
    try await Store.open(directory: nil).account(AccountKey(uid: 1000, jid: "juliet@localhost", protocol: "xmpp"))
  }

  /// Waits until the account stands as is said.
  func status(_ wanted: AccountStatus) async {
    while account.status != wanted {
      let waiter = Waiter<Void>()
      statusWaiters.append(waiter)
      // What came between the look and the wait has not been missed.
      if account.status == wanted { return }
      await waiter.value()
    }
  }
  private var statusWaiters: [Waiter<Void>] = []

  /// Told of each event.
  var onEvent: @LoopActor (AccountEvent) -> Void = { _ in }

  /// Waits until the present stream has been sent something that nobody has looked at.
  func sentSomething() async {
    guard let server = servers.last, server.sent.isEmpty else { return }
    let waiter = Waiter<Void>()
    server.onSend = { waiter.finish(()) }
    await waiter.value()
  }

  /// Connects, and forgets what that took.
  func connect() async throws {
    try await account.connect()
    _ = try server.take()
  }

  /// Begins to connect.
  /// - Returns: what comes of it; nil for a connection.
  func connecting() -> Waiter<AccountError?> {
    let outcome = Waiter<AccountError?>()
    spawn {
      do throws(AccountError) {
        try await self.account.connect()
        outcome.finish(nil)
      } catch { outcome.finish(error) }
    }
    return outcome
  }

  /// What was announced and not yet looked at.
  func announced() -> [DecloakRequest] {
    events.compactMap { if case .requestAnnounced(let request) = $0 { request } else { nil } }
  }

  func resolved() -> [RequestOutcome] {
    events.compactMap { if case .requestResolved(_, let outcome) = $0 { outcome } else { nil } }
  }

  func sessionEnds() -> [String] {
    events.compactMap {
      if case .sessionEnded(let contact, let direction, let cause) = $0 {
        "\(contact) \(direction.rawValue) \(cause.rawValue)"
      } else {
        nil
      }
    }
  }

  /// Somebody asks us to decloak.
  func ask(_ from: String, reason: String = "media") throws {
    let request = "<decloak xmlns='urn:xmpp:decloak:0' reason='\(reason)'/>"
    try server.say("<presence from='\(from)' to='juliet@localhost'>\(request)</presence>")
  }
}

/// A value that comes later.
@LoopActor
final class Waiter<Value: Sendable> {
  private var result: Value?
  private var continuations: [CheckedContinuation<Value, Never>] = []

  nonisolated init() {}

  func finish(_ value: Value) {
    result = value
    for continuation in continuations { continuation.resume(returning: value) }
    continuations.removeAll()
  }

  func value() async -> Value {
    // A test's own task is not one of the loop's: others may run before the continuation is made.
    await withCheckedContinuation { continuation in
      if let result { continuation.resume(returning: result) } else { continuations.append(continuation) }
    }
  }
}

/// Nothing but presence, of what was sent. A probe says nothing of ours: it asks for others'.
func presences(_ sent: [String]) -> [String] {
  sent.filter { $0.hasPrefix("<presence") && !$0.contains("type='probe'") }
}

/// Sets a call off, and says what came of it.
@LoopActor func outcome(
  of call: @escaping @LoopActor () async throws(AccountError) -> Void
) -> Waiter<AccountError?> {
  let waiter = Waiter<AccountError?>()
  spawn {
    do throws(AccountError) {
      try await call()
      waiter.finish(nil)
    } catch { waiter.finish(error) }
  }
  return waiter
}

/// Lets everything run that can, for as long as `condition` holds. Nothing in these tests takes time, only turns of the loop:
/// when many have passed, no more will come.
@LoopActor func turns(_ most: Int = 100, while condition: @LoopActor () -> Bool = { true }) async {
  for _ in 0..<most where condition() {
    await withCheckedContinuation { turn in spawn { turn.resume() } }
  }
}

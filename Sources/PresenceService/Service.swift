// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
public import DBus
internal import DBusInterfaces
public import EventLoop
public import Logging
public import Network
public import Store
internal import XMPP

/// The `org.nightcloak.Presence1` service on one bus: the manager, and each uid's accounts.
@LoopActor
public final class Service {
  /// The name that is owned on the bus.
  public static let busName = "org.nightcloak.Presence1"
  static let mostConnectionsPerUID = 64
  /// How many passwords and certificates of one uid are read at once: each holds descriptors open until its end.
  static let mostReadingsPerUID = 4

  /// Who hears signals.
  public enum Audibility: Sendable {
    /// Everybody on the bus: a session bus belongs to one person.
    case everyone
    /// Interested clients of the owner's uid: other people use the same bus.
    case interested
  }

  private let connection: BusConnection
  private let logger: Logger
  private let store: Store
  private let lookups: LookupSettings
  private let accounts = AccountTree()
  private let server: ObjectServer
  private let interestPolicy: InterestPolicy
  private var readings: [UInt32: Int] = [:]

  /// Starts to answer on a connection. The name is requested by ``start()``.
  /// - Parameters:
  ///   - connection: to the bus.
  ///   - audibility: who hears signals.
  ///   - version: of the program.
  ///   - store: what is remembered.
  ///   - lookups: whom the names of servers are asked of.
  ///   - logger: where to write.
  public init(
    _ connection: BusConnection, audibility: Audibility, version: String, store: Store,
    lookups: LookupSettings = LookupSettings(), logger: Logger
  ) {
    self.connection = connection
    self.store = store
    self.logger = logger
    self.lookups = lookups
    interestPolicy = InterestPolicy(accounts)
    let policy: any SignalPolicy = audibility == .everyone ? BroadcastPolicy() : interestPolicy
    server = ObjectServer(connection, tree: accounts, policy: policy)
    accounts.manager = ExportedObject(
      ObjectPaths.manager, [ManagerSkeleton(Manager(self, version: version))])
    server.onFault = { logger.error("a signal could not be sent: \($0.message)") }
    connection.whenSenderLeaves { [interestPolicy, accounts] name in
      interestPolicy.interests.removeClient(name)
      for object in accounts.all { object.client.clientLeft(name) }
    }
  }

  /// Takes the name on the bus; from here on clients find us.
  /// - Throws: ``DBusError`` when it belongs to somebody else.
  public func start() async throws(DBusError) { try await connection.requestName(Self.busName) }

  /// The network has changed, or the machine was asleep.
  public func surroundingsChanged() {
    for object in accounts.all { object.client.surroundingsChanged() }
  }

  /// Ends all sessions, closes all streams in order, and leaves the bus.
  public func stop() async {
    let goodbyes = accounts.all.map { object in spawn { await object.client.retire() } }
    for goodbye in goodbyes { await goodbye.value }
    try? await connection.releaseName(Self.busName)
    connection.close()
  }

  // MARK: For the manager

  func add(_ account: String, _ parameters: [String: Value], _ caller: Caller) async throws -> ObjectPath {
    let jid = try bareJID(account, "account")
    guard jid.localpart != nil else {
      throw AccountError(.invalidJID, "account must have a part in front of the \"@\", as juliet@example.org.")
    }
    try checkRoom(for: jid, caller)
    var configuration = try await read(jid, parameters, caller)
    try checkRoom(for: jid, caller)  // another call may have come first while the secrets were read
    let store = store.account(AccountKey(uid: caller.uid, jid: jid.description, protocol: "xmpp"))
    if parameters["visibility"] != nil {
      try configuration.visibility.keep(in: store)
    } else if let earlier = try VisibilityWish.kept(in: store) {
      configuration.visibility = earlier
    }
    let path = try ObjectPath(ObjectPaths.account(jid, of: caller.uid))
    var logger = logger
    logger[metadataKey: "uid"] = "\(caller.uid)"
    let time = EventLoop.shared.time
    let memory = KeepAliveMemory()
    let object = AccountObject(
      Account(
        configuration, nonce: RequestNonce.make(), store: store, time: time, logger: logger
      ) { [logger, lookups] in
        ClientStream($0, time: time, logger: logger, resumption: $1, memory: memory, lookups: lookups)
      }, owner: caller.uid, path: path, server: server)
    accounts.insert(object)
    server.objectAdded(object.exported, manager: try ObjectPath(ObjectPaths.subtree(caller.uid)))
    if parameters["visibility"] != nil {
      do {
        try await object.client.flushKept()
      } catch {
        try await takeAway(object)
        throw error
      }
    }
    if configuration.connectsByItself { object.client.connectByItself() }
    return path
  }

  func remove(_ path: ObjectPath, _ options: [String: Value], _ caller: Caller) async throws {
    var options = Options(options, in: "options of RemoveConnection")
    let forget: Bool = try options.take("forget") ?? false
    try options.end(known: "forget")
    guard let object = accounts.account(at: path, for: caller) else {
      throw DBusError(.unknownObject, "There is no connection at \(path): ListConnections shows those that are.")
    }
    guard try await takeAway(object), forget else { return }
    // Last: it can fail, and the account is removed all the same.
    try await object.client.forget()
  }

  /// Disconnects an account, and serves it no longer.
  /// - Returns: whether it was still there.
  @discardableResult
  private func takeAway(_ object: AccountObject) async throws -> Bool {
    await object.client.retire()
    guard accounts.remove(object) else { return false }
    server.objectRemoved(object.exported, manager: try ObjectPath(ObjectPaths.subtree(object.owner)))
    interestPolicy.interests.remove(path: object.path.text)
    return true
  }

  func list(_ caller: Caller) -> [ObjectPath] { accounts.of(caller.uid).map(\.path).sorted() }

  func addInterest(_ tokens: [String], _ caller: Caller) throws(DBusError) {
    // Who has left will not leave again, and would keep its place for ever.
    guard connection.isPresent(caller) else { throw DBusError(.failed, "\(caller.name) has left the bus.") }
    try interestPolicy.add(tokens, caller)
  }

  func removeInterest(_ tokens: [String], _ caller: Caller) throws(DBusError) {
    try interestPolicy.remove(tokens, caller)
  }

  private func read(
    _ jid: BareJID, _ parameters: [String: Value], _ caller: Caller
  ) async throws -> AccountConfiguration {
    let others = readings[caller.uid] ?? 0
    guard others < Self.mostReadingsPerUID else {
      throw DBusError(
        .limitsExceeded,
        "\(others) passwords or certificates of this user are being read already: try again when they have been.")
    }
    readings[caller.uid] = others + 1
    defer {
      let left = (readings[caller.uid] ?? 1) - 1
      readings[caller.uid] = left == 0 ? nil : left
    }
    return try await Parameters.read(jid, parameters, for: caller.uid)
  }

  private func checkRoom(for jid: BareJID, _ caller: Caller) throws(DBusError) {
    let mine = accounts.of(caller.uid)
    guard !mine.contains(where: { $0.client.jid == jid }) else {
      throw DBusError(
        .ours("AlreadyExists"), "\(jid) has been added already: remove it with RemoveConnection to change it.")
    }
    guard mine.count < Self.mostConnectionsPerUID else {
      throw DBusError(
        .limitsExceeded,
        "\(Self.mostConnectionsPerUID) connections are the most for one user: remove one with RemoveConnection.")
    }
  }
}

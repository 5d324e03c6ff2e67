// SPDX-License-Identifier: Apache-2.0

internal import CDBus
internal import EventLoop

extension BusConnection {
  /// Calls a method whose arguments `body` writes.
  ///
  /// Throws what the other side answered, `NoReply` when `timeout` has passed, `Disconnected` when the bus is gone,
  /// and `InvalidArgs` or `LimitsExceeded` when the message cannot be sent.
  public func call(
    _ destination: String, _ path: ObjectPath, _ interface: String, _ member: String,
    timeout: Duration = .seconds(25), _ body: (inout Writer) throws(DBusError) -> Void
  ) async throws(DBusError) -> Reply {
    let message = try Message.call(destination, path, interface, member)
    var writer = Writer(message.pointer)
    try body(&writer)
    let result = await withCheckedContinuation { continuation in
      send(message, timeout: timeout) { continuation.resume(returning: $0) }
    }
    return try result.get()
  }

  /// Calls a method with arguments of any type; see the other `call`.
  public func call(
    _ destination: String, _ path: ObjectPath, _ interface: String, _ member: String,
    _ arguments: [Value] = [], timeout: Duration = .seconds(25)
  ) async throws(DBusError) -> [Value] {
    let reply = try await call(destination, path, interface, member, timeout: timeout) {
      (writer: inout Writer) throws(DBusError) in
      try writer.write(arguments: arguments)
    }
    return try reply.values()
  }

  /// Sends a call; `completion` is called once, in the order in which answers and signals arrive.
  func send(
    _ message: Message, timeout: Duration,
    _ completion: @escaping @LoopActor (Result<Reply, DBusError>) -> Void
  ) {
    guard isOpen else { return completion(.failure(closedError)) }
    var pending: OpaquePointer?
    let sent = dbus_connection_send_with_reply(pointer, message.pointer, &pending, timeout.milliseconds)
    guard sent != 0, let pending else {
      let isGone = dbus_connection_get_is_connected(pointer) == 0
      let error = DBusError(.notSupported, "The connection to the bus cannot carry this message (file descriptors?)")
      return completion(.failure(isGone ? closedError : error))
    }
    let waiter = Unmanaged.passRetained(Waiter(self, completion))
    dbus_pending_call_set_notify(
      pending,
      { pending, data in
        guard let pending, let data, let reply = dbus_pending_call_steal_reply(pending) else { return }
        let waiter = Unmanaged<Waiter>.fromOpaque(data).takeUnretainedValue()
        let message = Message(owning: reply)
        LoopActor.assumeIsolated { waiter.complete(message) }
      }, waiter.toOpaque(),
      { data in
        guard let data else { return }
        let waiter = Unmanaged<Waiter>.fromOpaque(data).takeRetainedValue()
        LoopActor.assumeIsolated { waiter.forgotten() }
      })
    // libdbus keeps it until the answer is there.
    dbus_pending_call_unref(pending)
    // When this gives the connection up, the call is completed with the end like all others.
    try? queued()
  }

  /// Whoever waits for the answer to a call.
  @LoopActor
  private final class Waiter {
    private let connection: BusConnection
    private let completion: @LoopActor (Result<Reply, DBusError>) -> Void
    private var isCompleted = false

    init(_ connection: BusConnection, _ completion: @escaping @LoopActor (Result<Reply, DBusError>) -> Void) {
      self.connection = connection
      self.completion = completion
    }

    func complete(_ message: Message) {
      isCompleted = true
      guard let error = message.error else { return completion(.success(Reply(message))) }
      // libdbus answers what was still open at the end as if nobody had replied.
      let isGone = dbus_connection_get_is_connected(connection.pointer) == 0
      completion(.failure(isGone ? connection.closedError : error))
    }

    /// libdbus has let go. A call whose connection broke while it was being sent is answered before anybody can be
    /// notified: this is the last chance to tell whoever waits.
    func forgotten() {
      guard !isCompleted else { return }
      isCompleted = true
      completion(.failure(connection.closedError))
    }
  }

  // MARK: The bus itself

  static let busName = "org.freedesktop.DBus"
  static let busPath: ObjectPath = "/org/freedesktop/DBus"

  /// Calls a method of the bus.
  func callBus(
    _ member: String, _ arguments: [Value] = [], timeout: Duration = .seconds(25)
  ) async throws(DBusError) -> Reply {
    try await call(Self.busName, Self.busPath, Self.busName, member, timeout: timeout) {
      (writer: inout Writer) throws(DBusError) in
      try writer.write(arguments: arguments)
    }
  }

  /// Calls a method of the bus without waiting; `completion` is called as for `send`.
  func callBus(
    _ member: String, _ arguments: [Value],
    _ completion: @escaping @LoopActor (Result<Reply, DBusError>) -> Void
  ) {
    do {
      let message = try Message.call(Self.busName, Self.busPath, Self.busName, member)
      var writer = Writer(message.pointer)
      try writer.write(arguments: arguments)
      send(message, timeout: .seconds(25), completion)
    } catch {
      completion(.failure(error))
    }
  }
}

extension Duration {
  /// The duration as libdbus takes it: milliseconds, at least one, at most about 24 days.
  fileprivate var milliseconds: Int32 {
    let (seconds, attoseconds) = components
    guard seconds < 2_000_000 else { return 2_000_000_000 }
    return Int32(max(1, seconds * 1000 + attoseconds / 1_000_000_000_000_000))
  }
}

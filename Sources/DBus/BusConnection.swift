// SPDX-License-Identifier: Apache-2.0

internal import CDBus
public import EventLoop

/// A connection to a message bus.
///
/// It lives until ``close()`` is called or the bus goes away; dropping the last reference does not end it.
@LoopActor
public final class BusConnection {
  /// Our unique name on the bus, as `:1.42`.
  public private(set) var uniqueName = ""
  /// Whether messages can be sent.
  public private(set) var isOpen = true
  /// Called once when the bus goes away, but not after ``close()``.
  public var onDisconnected: (@LoopActor (DBusError) -> Void)?

  nonisolated(unsafe) let pointer: OpaquePointer
  private(set) lazy var senders = Senders(self)
  private(set) lazy var matches = SignalMatches(self)
  /// Who answers the calls that come in; without one, every object is unknown.
  var server: ObjectServer?

  let time: any TimeSource
  // Both are only called back while libdbus holds its reference to us, and an object without weak references is
  // cheaper to retain.
  private(set) lazy var watches = BusWatches { [unowned self] in dispatch() }
  private(set) lazy var timeouts = BusTimeouts(time) { [unowned self] in dispatch() }
  private(set) var isDispatching = false
  private var dispatchIsScheduled = false
  private var isBehind = false
  private var hasEnded = false
  private var isReleased = false
  private var reason: DBusError?

  private init(_ pointer: OpaquePointer, time: any TimeSource) {
    self.pointer = pointer
    self.time = time
  }

  // MARK: Opening and closing

  /// Connects to the bus at `address` and says hello.
  ///
  /// Throws `BadAddress`, `NoServer` and whatever else keeps us off the bus, within `timeout`.
  public static func open(
    _ address: BusAddress, timeout: Duration = .seconds(10)
  ) async throws(DBusError) -> BusConnection {
    let address = try address.resolved()
    let connection = BusConnection(try connect(address), time: EventLoop.shared.time)
    connection.install()
    connection.watches.settle()
    do {
      let reply = try await connection.callBus("Hello", timeout: timeout)
      connection.uniqueName = try reply.read(String.self)
      try await connection.senders.watchDepartures()
    } catch {
      connection.close()
      throw DBusError(error.name, "The bus at \(quoted(address)) did not let us in: \(error.message)")
    }
    return connection
  }

  private static func connect(_ address: String) throws(DBusError) -> OpaquePointer {
    guard !address.utf8.contains(0) else { throw DBusError(.badAddress, "The address of the bus contains NUL") }
    var error = CDBus.DBusError()
    dbus_error_init(&error)
    defer { dbus_error_free(&error) }
    if let pointer = dbus_connection_open_private(address, &error) { return pointer }
    throw DBusError(
      DBusError.Name(Message.text(error.name)),
      "The bus at \(quoted(address)) cannot be reached: \(Message.text(error.message))")
  }

  /// Leaves the bus. Messages that the bus has not taken yet are lost.
  public func close() { shut(DBusError(.disconnected, "The connection to the bus was closed")) }

  private func shut(_ reason: DBusError) {
    guard isOpen else { return }
    isOpen = false
    self.reason = reason
    // libdbus completes the calls that wait and tells the end as a last message, which `dispatch` takes.
    dbus_connection_close(pointer)
    scheduleDispatch()
  }

  /// The last message has come: the connection is at its end.
  func ended() {
    hasEnded = true
    matches.removeAll()
    senders.removeAll()
    server = nil
    guard isOpen else { return }
    isOpen = false
    let reason = DBusError(.disconnected, "The bus went away")
    self.reason = reason
    report(reason)
  }

  private func report(_ reason: DBusError) {
    let handler = onDisconnected
    onDisconnected = nil
    handler?(reason)
  }

  /// The error for what is tried after the end.
  var closedError: DBusError { reason ?? DBusError(.disconnected, "The connection to the bus was closed") }

  // MARK: Dispatching

  /// Handles what has come in, at most ``Limits/messagesPerTurn``, and comes back for the rest.
  func dispatch() {
    guard !isDispatching, !isReleased else { return }
    isDispatching = true
    var status = dbus_connection_get_dispatch_status(pointer)
    var handled = 0
    while status != DBUS_DISPATCH_COMPLETE, handled < Limits.messagesPerTurn, mayTakeIn {
      status = dbus_connection_dispatch(pointer)
      handled += 1
    }
    isDispatching = false
    if hasEnded {
      isReleased = true
      return uninstall()
    }
    // Where the bus takes nothing from us, the write watch brings us back here once it does.
    if status != DBUS_DISPATCH_COMPLETE, mayTakeIn { scheduleDispatch() }
    watches.settle()
  }

  /// Whether the bus keeps up with what we send. Otherwise callers who ask faster than the bus reads our answers
  /// would fill the memory.
  private var mayTakeIn: Bool {
    guard isBehind, isOpen else { return true }
    isBehind = dbus_connection_get_outgoing_size(pointer) > Limits.outgoingPauseBytes
    return !isBehind
  }

  /// A timer rather than a job: jobs run before descriptors, and one busy bus client must not starve those.
  func scheduleDispatch() {
    guard !dispatchIsScheduled else { return }
    dispatchIsScheduled = true
    _ = time.schedule(after: .zero) { [self] in
      dispatchIsScheduled = false
      dispatch()
    }
  }

  // MARK: Sending

  /// Queues `message`; throws when the connection has ended or cannot carry it.
  func send(_ message: OpaquePointer) throws(DBusError) {
    guard isOpen else { throw closedError }
    guard dbus_connection_send(pointer, message, nil) != 0 else {
      throw DBusError(.notSupported, "The connection to the bus cannot carry this message (file descriptors?)")
    }
    try queued()
  }

  /// To be called after something was queued: keeps the queue bounded and tells the loop what to watch for.
  func queued() throws(DBusError) {
    if !isDispatching { watches.settle() }
    let waiting = dbus_connection_get_outgoing_size(pointer)
    if waiting > Limits.outgoingPauseBytes { isBehind = true }
    guard waiting > Limits.outgoingBytes else { return }
    let reason = DBusError(.disconnected, "The bus does not read what it is sent, so the connection was given up")
    shut(reason)
    report(reason)
    throw reason
  }
}

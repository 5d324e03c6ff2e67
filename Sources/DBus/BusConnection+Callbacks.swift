// SPDX-License-Identifier: Apache-2.0

internal import CDBus
internal import EventLoop

/// What libdbus calls. Each callback gets the connection as its data; libdbus owns one reference to it from
/// ``install()`` to ``uninstall()``.
extension BusConnection {
  func install() {
    let data = Unmanaged.passRetained(self).toOpaque()
    // `@Sendable` keeps them off the loop's actor, whose thread the compiler would else check at each entry: `on` does.
    dbus_connection_set_exit_on_disconnect(pointer, 0)
    dbus_connection_set_watch_functions(
      pointer,
      { @Sendable watch, data in
        BusConnection.on(data, watch) { $0.watches.add($1) }
        return 1
      },
      { @Sendable watch, data in BusConnection.on(data, watch) { $0.watches.remove($1) } },
      { @Sendable watch, data in BusConnection.on(data, watch) { connection, _ in connection.watches.toggled() } },
      data, nil)
    dbus_connection_set_timeout_functions(
      pointer,
      { @Sendable timeout, data in
        BusConnection.on(data, timeout) { $0.timeouts.add($1) }
        return 1
      },
      { @Sendable timeout, data in BusConnection.on(data, timeout) { $0.timeouts.remove($1) } },
      { @Sendable timeout, data in BusConnection.on(data, timeout) { $0.timeouts.toggled($1) } }, data, nil)
    // Messages may be queued without a descriptor becoming readable, when libdbus read ahead. Otherwise they are
    // dispatched as soon as the watches are handled.
    dbus_connection_set_dispatch_status_function(
      pointer,
      { @Sendable pointer, status, data in
        guard status == DBUS_DISPATCH_DATA_REMAINS else { return }
        BusConnection.on(data, pointer) { connection, _ in
          if !connection.isDispatching, !connection.watches.isHandling { connection.scheduleDispatch() }
        }
      }, data, nil)
    dbus_connection_add_filter(pointer, Self.filter, data, nil)
    // One fallback for every path: libdbus would answer Introspect itself for paths that it knows, and list their
    // children to whoever asks.
    var functions = DBusObjectPathVTable()
    functions.message_function = { @Sendable _, message, data in
      BusConnection.on(data, message) { $0.received(call: $1) }
      return DBUS_HANDLER_RESULT_HANDLED
    }
    dbus_connection_register_fallback(pointer, "/", &functions, data)
  }

  func uninstall() {
    dbus_connection_set_dispatch_status_function(pointer, nil, nil, nil)
    dbus_connection_set_watch_functions(pointer, nil, nil, nil, nil, nil)
    dbus_connection_set_timeout_functions(pointer, nil, nil, nil, nil, nil)
    dbus_connection_unregister_object_path(pointer, "/")
    let unmanaged = Unmanaged.passUnretained(self)
    dbus_connection_remove_filter(pointer, Self.filter, unmanaged.toOpaque())
    dbus_connection_unref(pointer)
    unmanaged.release()
  }

  private nonisolated static let filter: DBusHandleMessageFunction = { _, message, data in
    // Method calls go on to the fallback, answers to the calls that wait for them.
    guard let message, dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_SIGNAL else {
      return DBUS_HANDLER_RESULT_NOT_YET_HANDLED
    }
    BusConnection.on(data, message) { $0.received(signal: $1) }
    return DBUS_HANDLER_RESULT_HANDLED
  }

  private nonisolated static func on(
    _ data: UnsafeMutableRawPointer?, _ subject: OpaquePointer?,
    _ body: @LoopActor (BusConnection, OpaquePointer) -> Void
  ) {
    guard let data, let subject else { return }
    let connection = Unmanaged<BusConnection>.fromOpaque(data).takeUnretainedValue()
    nonisolated(unsafe) let pointer = subject
    LoopActor.assumeIsolated { body(connection, pointer) }
  }

  private func received(call message: OpaquePointer) {
    if let server { return server.received(message) }
    fail(message, .unknownObject(Message.text(dbus_message_get_path(message))))
  }

  private func received(signal message: OpaquePointer) {
    // Nobody but libdbus itself can send this one: the bus refuses it, and it has no sender.
    if dbus_message_is_signal(message, "org.freedesktop.DBus.Local", "Disconnected") != 0 { return ended() }
    matches.received(SignalMessage(Message(keeping: message)))
  }
}

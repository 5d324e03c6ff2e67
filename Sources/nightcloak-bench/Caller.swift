// SPDX-License-Identifier: Apache-2.0

internal import CDBus
internal import EventLoop
internal import Glibc

/// A plain, blocking client of the bus: the same for both sides, and out of the way of what is measured.
final class Caller: Sendable {
  /// A connection is used by one thread at a time.
  private nonisolated(unsafe) let pointer: OpaquePointer

  private init(_ pointer: OpaquePointer) { self.pointer = pointer }

  deinit {
    dbus_connection_close(pointer)
    dbus_connection_unref(pointer)
  }

  static func open(_ address: String) async throws -> Caller {
    let caller = await offLoop { () -> Result<Caller, BenchFailure> in
      var error = DBusError()
      dbus_error_init(&error)
      defer { dbus_error_free(&error) }
      if let pointer = dbus_connection_open_private(address, &error) {
        dbus_connection_set_exit_on_disconnect(pointer, 0)
        let caller = Caller(pointer)
        if dbus_bus_register(pointer, &error) != 0 { return .success(caller) }
      }
      let reason = error.message.map { String(cString: $0) } ?? "it does not say why"
      return .failure(BenchFailure("the bus did not let us in: \(reason)"))
    }
    return try caller.get()
  }

  /// Asks the bus to tell when `name` gets an owner, for ``waitForOwner()``.
  func watchOwner(of name: String) async {
    await offLoop { [self] in
      dbus_bus_add_match(
        pointer, "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='\(name)'", nil)
      // Without an error to fill, libdbus does not wait for the answer; the call that follows does.
      _ = dbus_bus_name_has_owner(pointer, name, nil)
    }
  }

  /// Waits until the watched name gets an owner.
  /// - Returns: when that was, by ``monotonicSeconds()``; `nil` when it did not happen within ten seconds.
  func waitForOwner() async -> Double? {
    await offLoop { [self] in
      let end = monotonicSeconds() + 10
      while monotonicSeconds() < end, dbus_connection_read_write(pointer, 1000) != 0 {
        while let message = dbus_connection_pop_message(pointer) {
          defer { dbus_message_unref(message) }
          if Self.isArrival(message) { return monotonicSeconds() }
        }
      }
      return nil
    }
  }

  /// Whether the third argument, the new owner, is not empty.
  private static func isArrival(_ message: OpaquePointer) -> Bool {
    guard dbus_message_is_signal(message, "org.freedesktop.DBus", "NameOwnerChanged") != 0 else { return false }
    var arguments = DBusMessageIter()
    dbus_message_iter_init(message, &arguments)
    dbus_message_iter_next(&arguments)
    dbus_message_iter_next(&arguments)
    var owner: UnsafePointer<CChar>?
    dbus_message_iter_get_basic(&arguments, &owner)
    return owner.map { $0.pointee != 0 } ?? false
  }

  /// Reads a property `count` times, one call after the other.
  /// - Returns: how long that took, in seconds; `nil` when an answer was no string in a variant.
  func get(_ count: Int, from name: String, _ path: String, _ interface: String, _ property: String) async -> Double? {
    await offLoop { [self] in
      let start = monotonicSeconds()
      for _ in 0..<count {
        guard getOnce(name, path, interface, property) else { return nil }
      }
      return monotonicSeconds() - start
    }
  }

  /// Reads a property now and then.
  /// - Parameter until: when to stop, by ``monotonicSeconds()``.
  /// - Returns: how long each call took, in milliseconds; `nil` when an answer was no string in a variant.
  func getNowAndThen(
    until end: Double, from name: String, _ path: String, _ interface: String, _ property: String
  ) async -> [Double]? {
    await offLoop { [self] in
      var times: [Double] = []
      while monotonicSeconds() < end {
        let start = monotonicSeconds()
        guard getOnce(name, path, interface, property) else { return nil }
        times.append((monotonicSeconds() - start) * 1000)
        poll(nil, 0, 10)
      }
      return times
    }
  }

  private func getOnce(_ name: String, _ path: String, _ interface: String, _ property: String) -> Bool {
    guard let call = dbus_message_new_method_call(name, path, "org.freedesktop.DBus.Properties", "Get") else {
      return false
    }
    defer { dbus_message_unref(call) }
    var arguments = DBusMessageIter()
    dbus_message_iter_init_append(call, &arguments)
    for text in [interface, property] {
      let isAppended = text.withCString { pointer in
        var pointer: UnsafePointer<CChar>? = pointer
        return dbus_message_iter_append_basic(&arguments, dbus_type_string, &pointer) != 0
      }
      guard isAppended else { return false }
    }
    guard let reply = dbus_connection_send_with_reply_and_block(pointer, call, 25_000, nil) else { return false }
    defer { dbus_message_unref(reply) }
    return dbus_message_has_signature(reply, "v") != 0
  }
}

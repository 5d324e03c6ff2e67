// SPDX-License-Identifier: Apache-2.0

internal import CDBus
internal import Glibc

/// Appends arguments to a message that we send.
///
/// libdbus ends the process on a string that is not valid, and lets containers be nested deeper and messages grow
/// larger than the bus accepts: both are refused here first.
public struct Writer {
  private var iterator = DBusMessageIter()
  private var bytes = 0
  private var depth = 0

  /// Appends to `message`.
  init(_ message: OpaquePointer) { dbus_message_iter_init_append(message, &iterator) }

  private init(within outer: Writer) throws(DBusError) {
    bytes = outer.bytes
    depth = outer.depth + 1
    guard depth <= Limits.depth else {
      throw DBusError(.limitsExceeded, "Values are nested more than \(Limits.depth) deep")
    }
  }

  /// Appends one argument.
  @inline(__always)
  public mutating func write(_ value: some BusType) throws(DBusError) { try value.write(to: &self) }

  /// Counts `count` bytes and what they may need to be aligned.
  private mutating func account(_ count: Int) throws(DBusError) {
    bytes += count
    guard bytes <= Limits.messageBytes else {
      throw DBusError(
        .limitsExceeded,
        "The message is larger than \(Limits.messageBytes) bytes; ask for less at a time (lists take the options "
          + "limit and after)")
    }
  }

  mutating func basic<T: BitwiseCopyable>(_ type: Int32, _ value: T) throws(DBusError) {
    try account(8)
    var value = value
    guard dbus_message_iter_append_basic(&iterator, type, &value) != 0 else { throw Self.noMemory }
  }

  mutating func text(_ type: Int32, _ text: String) throws(DBusError) {
    let length = text.utf8.count
    try account(length + 8)
    let failure = text.withCString { pointer -> DBusError? in
      // The paths and signatures that come here are checked; a Swift string is valid UTF-8, but may contain NUL.
      guard strlen(pointer) == length else {
        return DBusError(.invalidArgs, "\(quoted(text)) contains a NUL character, which D-Bus cannot carry")
      }
      var pointer: UnsafePointer<CChar>? = pointer
      return dbus_message_iter_append_basic(&iterator, type, &pointer) != 0 ? nil : Self.noMemory
    }
    if let failure { throw failure }
  }

  /// Appends a container whose content `body` writes; `signature` is the content's type (nil for structures).
  mutating func container(
    _ type: Int32, _ signature: String?, _ body: (inout Writer) throws(DBusError) -> Void
  ) throws(DBusError) {
    try account(8)
    var inner = try Writer(within: self)
    // Not passed as a string: that would be copied to the heap each time.
    let isOpen =
      signature?.withCString { dbus_message_iter_open_container(&iterator, type, $0, &inner.iterator) }
      ?? dbus_message_iter_open_container(&iterator, type, nil, &inner.iterator)
    guard isOpen != 0 else { throw Self.noMemory }
    do {
      try body(&inner)
    } catch {
      dbus_message_iter_abandon_container(&iterator, &inner.iterator)
      throw error
    }
    bytes = inner.bytes
    guard dbus_message_iter_close_container(&iterator, &inner.iterator) != 0 else { throw Self.noMemory }
  }

  private static let noMemory = DBusError(.noMemory, "There is no memory for the message")
}

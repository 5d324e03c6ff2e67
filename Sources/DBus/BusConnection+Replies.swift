// SPDX-License-Identifier: Apache-2.0

internal import CDBus

extension BusConnection {
  /// Answers `call` with what `body` writes. What cannot be written or sent is answered with that error instead.
  func reply(_ call: OpaquePointer, _ body: (inout Writer) throws(DBusError) -> Void) {
    guard dbus_message_get_no_reply(call) == 0, let message = dbus_message_new_method_return(call) else { return }
    defer { dbus_message_unref(message) }
    do {
      var writer = Writer(message)
      try body(&writer)
      try send(message)
    } catch {
      fail(call, error)
    }
  }

  /// Answers `call` with an error.
  func fail(_ call: OpaquePointer, _ error: DBusError) {
    guard isOpen, dbus_message_get_no_reply(call) == 0 else { return }
    let name = Validation.isErrorName(error.name.text) ? error.name.text : DBusError.Name.failed.text
    // C sees only what is before a NUL, and a text must not make the message too large.
    let text = String(error.message.prefix(4096).map { $0 == "\0" ? "\u{FFFD}" : $0 })
    guard let message = dbus_message_new_error(call, name, text) else { return }
    defer { dbus_message_unref(message) }
    // An error that cannot be sent either is of a connection that has ended.
    try? send(message)
  }
}

extension DBusError {
  /// The answer for a path where there is nothing, or nothing that the caller may know of: always the same.
  static func unknownObject(_ path: String) -> DBusError {
    DBusError(.unknownObject, "There is no object at \(quoted(path))")
  }
}

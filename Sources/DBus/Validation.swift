// SPDX-License-Identifier: Apache-2.0

internal import CDBus

/// Checks what goes to libdbus, which ends the process when it is handed an invalid string.
enum Validation {
  typealias Check = (UnsafePointer<CChar>?, UnsafeMutablePointer<CDBus.DBusError>?) -> dbus_bool_t

  static func busName(_ name: String) throws(DBusError) {
    try require(name, dbus_validate_bus_name, "bus name")
  }

  static func interface(_ name: String) throws(DBusError) {
    try require(name, dbus_validate_interface, "interface name")
  }

  static func member(_ name: String) throws(DBusError) {
    try require(name, dbus_validate_member, "member name")
  }

  static func isPath(_ path: String) -> Bool { passes(path, dbus_validate_path) }
  static func isSignature(_ signature: String) -> Bool { passes(signature, dbus_signature_validate) }
  static func isSingleType(_ signature: String) -> Bool { passes(signature, dbus_signature_validate_single) }
  static func isErrorName(_ name: String) -> Bool { passes(name, dbus_validate_error_name) }

  private static func require(_ text: String, _ check: Check, _ what: String) throws(DBusError) {
    guard !passes(text, check) else { return }
    throw DBusError(.invalidArgs, "\(quoted(text)) is no valid \(what)")
  }

  private static func passes(_ text: String, _ check: Check) -> Bool {
    // A Swift string may contain NUL; C would see only what is before it.
    guard !text.utf8.contains(0) else { return false }
    return text.withCString { check($0, nil) != 0 }
  }
}

/// `text` in quotation marks as it may be shown in an error: control characters replaced, and not too long.
func quoted(_ text: String) -> String {
  let shown = text.unicodeScalars.prefix(100).map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0 }
  var result = "\""
  result.unicodeScalars.append(contentsOf: shown)
  return result + (text.unicodeScalars.count > 100 ? "…\"" : "\"")
}

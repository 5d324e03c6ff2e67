// SPDX-License-Identifier: Apache-2.0
// The requirements are documented where they are made, in BusType.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

internal import CDBus
internal import Glibc

extension String: BusKey {
  public static var signature: String { "s" }
  public init(from reader: inout Reader) throws(DBusError) { self = try reader.text(dbus_type_string) }
  public func write(to writer: inout Writer) throws(DBusError) { try writer.text(dbus_type_string, self) }
  public init?(_ value: Value) {
    guard case .string(let text) = value else { return nil }
    self = text
  }
  public var value: Value { .string(self) }
}

extension ObjectPath: BusKey {
  public static var signature: String { "o" }
  public init(from reader: inout Reader) throws(DBusError) {
    self.init(checked: try reader.text(dbus_type_object_path))
  }
  public func write(to writer: inout Writer) throws(DBusError) { try writer.text(dbus_type_object_path, text) }
  public init?(_ value: Value) {
    guard case .objectPath(let path) = value else { return nil }
    self = path
  }
  public var value: Value { .objectPath(self) }
}

extension Signature: BusKey {
  public static var signature: String { "g" }
  public init(from reader: inout Reader) throws(DBusError) {
    self.init(checked: try reader.text(dbus_type_signature))
  }
  public func write(to writer: inout Writer) throws(DBusError) { try writer.text(dbus_type_signature, text) }
  public init?(_ value: Value) {
    guard case .signature(let signature) = value else { return nil }
    self = signature
  }
  public var value: Value { .signature(self) }
}

extension UnixFD: BusType {
  public static var signature: String { "h" }
  public convenience init(from reader: inout Reader) throws(DBusError) {
    // libdbus hands out a duplicate, which is ours.
    let descriptor = try reader.basic(dbus_type_unix_fd, Int32(-1))
    guard descriptor >= 0 else {
      throw DBusError(.limitsExceeded, "A file descriptor could not be taken over: there are too many open")
    }
    self.init(owning: descriptor)
  }
  public func write(to writer: inout Writer) throws(DBusError) {
    // libdbus duplicates it, and would end the process over a closed one.
    guard fcntl(descriptor, F_GETFD) >= 0 else {
      throw DBusError(.invalidArgs, "The file descriptor \(descriptor) is not open")
    }
    try writer.basic(dbus_type_unix_fd, descriptor)
  }
  public convenience init?(_ value: Value) {
    guard case .unixFD(let other) = value else { return nil }
    let duplicate = fcntl(other.descriptor, F_DUPFD_CLOEXEC, 3)
    guard duplicate >= 0 else { return nil }
    self.init(owning: duplicate)
  }
  public var value: Value { .unixFD(self) }
}

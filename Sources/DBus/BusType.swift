// SPDX-License-Identifier: Apache-2.0
// The requirements are documented where they are made, in BusType.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

internal import CDBus

/// A Swift type that stands for one D-Bus type.
public protocol BusType: Sendable {
  /// The D-Bus type's code.
  static var signature: String { get }
  /// Reads the next value of a message; throws `InvalidArgs` when it is of another type or a limit is passed.
  init(from reader: inout Reader) throws(DBusError)
  /// Appends the value to a message; throws when D-Bus cannot carry it or a limit is passed.
  func write(to writer: inout Writer) throws(DBusError)
  /// The value, if `value` is of this type.
  init?(_ value: Value)
  /// The same as a value of any type.
  var value: Value { get }
}

/// A D-Bus type that may be the key of a dictionary.
public protocol BusKey: BusType, Hashable {}

extension UInt8: BusKey {
  public static var signature: String { "y" }
  public init(from reader: inout Reader) throws(DBusError) { self = try reader.basic(dbus_type_byte, 0) }
  public func write(to writer: inout Writer) throws(DBusError) { try writer.basic(dbus_type_byte, self) }
  public init?(_ value: Value) {
    guard case .byte(let number) = value else { return nil }
    self = number
  }
  public var value: Value { .byte(self) }
}

extension Int16: BusKey {
  public static var signature: String { "n" }
  public init(from reader: inout Reader) throws(DBusError) { self = try reader.basic(dbus_type_int16, 0) }
  public func write(to writer: inout Writer) throws(DBusError) { try writer.basic(dbus_type_int16, self) }
  public init?(_ value: Value) {
    guard case .int16(let number) = value else { return nil }
    self = number
  }
  public var value: Value { .int16(self) }
}

extension UInt16: BusKey {
  public static var signature: String { "q" }
  public init(from reader: inout Reader) throws(DBusError) { self = try reader.basic(dbus_type_uint16, 0) }
  public func write(to writer: inout Writer) throws(DBusError) { try writer.basic(dbus_type_uint16, self) }
  public init?(_ value: Value) {
    guard case .uint16(let number) = value else { return nil }
    self = number
  }
  public var value: Value { .uint16(self) }
}

extension Int32: BusKey {
  public static var signature: String { "i" }
  public init(from reader: inout Reader) throws(DBusError) { self = try reader.basic(dbus_type_int32, 0) }
  public func write(to writer: inout Writer) throws(DBusError) { try writer.basic(dbus_type_int32, self) }
  public init?(_ value: Value) {
    guard case .int32(let number) = value else { return nil }
    self = number
  }
  public var value: Value { .int32(self) }
}

extension UInt32: BusKey {
  public static var signature: String { "u" }
  public init(from reader: inout Reader) throws(DBusError) { self = try reader.basic(dbus_type_uint32, 0) }
  public func write(to writer: inout Writer) throws(DBusError) { try writer.basic(dbus_type_uint32, self) }
  public init?(_ value: Value) {
    guard case .uint32(let number) = value else { return nil }
    self = number
  }
  public var value: Value { .uint32(self) }
}

extension Int64: BusKey {
  public static var signature: String { "x" }
  public init(from reader: inout Reader) throws(DBusError) { self = try reader.basic(dbus_type_int64, 0) }
  public func write(to writer: inout Writer) throws(DBusError) { try writer.basic(dbus_type_int64, self) }
  public init?(_ value: Value) {
    guard case .int64(let number) = value else { return nil }
    self = number
  }
  public var value: Value { .int64(self) }
}

extension UInt64: BusKey {
  public static var signature: String { "t" }
  public init(from reader: inout Reader) throws(DBusError) { self = try reader.basic(dbus_type_uint64, 0) }
  public func write(to writer: inout Writer) throws(DBusError) { try writer.basic(dbus_type_uint64, self) }
  public init?(_ value: Value) {
    guard case .uint64(let number) = value else { return nil }
    self = number
  }
  public var value: Value { .uint64(self) }
}

extension Double: BusKey {
  public static var signature: String { "d" }
  public init(from reader: inout Reader) throws(DBusError) { self = try reader.basic(dbus_type_double, 0) }
  public func write(to writer: inout Writer) throws(DBusError) { try writer.basic(dbus_type_double, self) }
  public init?(_ value: Value) {
    guard case .double(let number) = value else { return nil }
    self = number
  }
  public var value: Value { .double(self) }
}

extension Bool: BusKey {
  public static var signature: String { "b" }
  public init(from reader: inout Reader) throws(DBusError) {
    self = try reader.basic(dbus_type_boolean, dbus_bool_t(0)) != 0
  }
  public func write(to writer: inout Writer) throws(DBusError) {
    try writer.basic(dbus_type_boolean, dbus_bool_t(self ? 1 : 0))
  }
  public init?(_ value: Value) {
    guard case .boolean(let truth) = value else { return nil }
    self = truth
  }
  public var value: Value { .boolean(self) }
}

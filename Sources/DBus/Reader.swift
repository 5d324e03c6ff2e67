// SPDX-License-Identifier: Apache-2.0

internal import CDBus

/// Reads the arguments of a message one by one. Valid as long as the message is.
public struct Reader {
  private var iterator = DBusMessageIter()
  private var bytes = 0
  private var depth = 0

  /// Reads `message` from its first argument.
  init(_ message: OpaquePointer) { dbus_message_iter_init(message, &iterator) }

  private init(within outer: inout Reader) throws(DBusError) {
    bytes = outer.bytes
    depth = outer.depth + 1
    guard depth <= Limits.depth else {
      throw DBusError(.limitsExceeded, "Values are nested more than \(Limits.depth) deep")
    }
    dbus_message_iter_recurse(&outer.iterator, &iterator)
  }

  /// Reads the next argument; throws `InvalidArgs` when it is not of type `T`.
  @inline(__always)
  public mutating func read<T: BusType>(_ type: T.Type = T.self) throws(DBusError) -> T { try T(from: &self) }

  /// Passes over the next argument.
  mutating func skip() { dbus_message_iter_next(&iterator) }

  /// The type code of what comes next; `dbus_type_invalid` at the end.
  var nextType: Int32 { mutating get { dbus_message_iter_get_arg_type(&iterator) } }

  /// Whether something comes next.
  var hasMore: Bool { mutating get { nextType != dbus_type_invalid } }

  /// The signature of what comes next, up to the end of the container.
  var restSignature: String {
    mutating get {
      guard let codes = dbus_message_iter_get_signature(&iterator) else { return "" }
      defer { dbus_free(codes) }
      return String(cString: codes)
    }
  }

  /// The type code of the elements of the array that comes next.
  var elementType: Int32 { mutating get { dbus_message_iter_get_element_type(&iterator) } }

  private mutating func account(_ count: Int) throws(DBusError) {
    bytes += count
    guard bytes <= Limits.messageBytes else {
      throw DBusError(.limitsExceeded, "The arguments are larger than \(Limits.messageBytes) bytes")
    }
  }

  private mutating func expect(_ type: Int32) throws(DBusError) {
    let found = nextType
    guard found != type else { return }
    throw DBusError(
      .invalidArgs, "A value is of type \(Self.name(of: found)) where \(Self.name(of: type)) is expected")
  }

  private static func name(of type: Int32) -> String {
    type == dbus_type_invalid ? "nothing" : String(Character(Unicode.Scalar(UInt8(truncatingIfNeeded: type))))
  }

  mutating func basic<T: BitwiseCopyable>(_ type: Int32, _ initial: T) throws(DBusError) -> T {
    try expect(type)
    try account(8)
    var value = initial
    dbus_message_iter_get_basic(&iterator, &value)
    dbus_message_iter_next(&iterator)
    return value
  }

  mutating func text(_ type: Int32) throws(DBusError) -> String {
    try expect(type)
    var pointer: UnsafePointer<CChar>?
    dbus_message_iter_get_basic(&iterator, &pointer)
    guard let pointer else { return "" }
    let text = String(cString: pointer)
    try account(text.utf8.count + 8)
    dbus_message_iter_next(&iterator)
    return text
  }

  /// Reads a container with `body`.
  mutating func container(
    _ type: Int32, _ body: (inout Reader) throws(DBusError) -> Void
  ) throws(DBusError) {
    try expect(type)
    try account(8)
    var inner = try Reader(within: &self)
    try body(&inner)
    bytes = inner.bytes
    dbus_message_iter_next(&iterator)
  }
}

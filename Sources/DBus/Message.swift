// SPDX-License-Identifier: Apache-2.0

internal import CDBus
public import EventLoop

/// A message of libdbus, kept for as long as this is.
final class Message: Sendable {
  // libdbus counts references atomically; a message that was sent or received does not change any more.
  nonisolated(unsafe) let pointer: OpaquePointer

  /// Takes over the caller's reference.
  init(owning pointer: OpaquePointer) { self.pointer = pointer }

  /// Takes a reference of its own.
  init(keeping pointer: OpaquePointer) { self.pointer = dbus_message_ref(pointer) }

  deinit { dbus_message_unref(pointer) }

  /// A call to a method; throws `InvalidArgs` when a name is not valid.
  static func call(
    _ destination: String, _ path: ObjectPath, _ interface: String, _ member: String
  ) throws(DBusError) -> Message {
    try Validation.busName(destination)
    try Validation.interface(interface)
    try Validation.member(member)
    guard let pointer = dbus_message_new_method_call(destination, path.text, interface, member) else {
      throw DBusError(.noMemory, "There is no memory for the message")
    }
    return Message(owning: pointer)
  }

  /// A signal; throws `InvalidArgs` when a name is not valid.
  static func signal(_ path: ObjectPath, _ interface: String, _ member: String) throws(DBusError) -> Message {
    try Validation.interface(interface)
    try Validation.member(member)
    guard let pointer = dbus_message_new_signal(path.text, interface, member) else {
      throw DBusError(.noMemory, "There is no memory for the message")
    }
    return Message(owning: pointer)
  }

  /// The error that the message is; nil when it is none.
  var error: DBusError? {
    guard dbus_message_get_type(pointer) == DBUS_MESSAGE_TYPE_ERROR else { return nil }
    let name = Self.text(dbus_message_get_error_name(pointer))
    var reader = Reader(pointer)
    let text = try? reader.read(String.self)
    return DBusError(DBusError.Name(name), text ?? "The call failed without a text")
  }

  /// The types of the arguments.
  var signature: String { Self.text(dbus_message_get_signature(pointer)) }

  /// Whether the message is a call to this method. The names are static, as strings would be copied for libdbus.
  static func isCall(_ pointer: OpaquePointer, _ interface: StaticString, _ member: StaticString) -> Bool {
    dbus_message_is_method_call(pointer, interface.characters, member.characters) != 0
  }

  /// Whether the message's arguments are of these types.
  static func hasSignature(_ pointer: OpaquePointer, _ signature: StaticString) -> Bool {
    dbus_message_has_signature(pointer, signature.characters) != 0
  }

  /// A string of libdbus as one of Swift; empty for none.
  static func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
}

extension StaticString {
  /// The string as C has it: it lives as long as the program and ends with a NUL.
  fileprivate var characters: UnsafePointer<CChar> { UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self) }
}

/// The answer to a call.
@LoopActor
public final class Reply {
  private let message: Message
  private var reader: Reader

  init(_ message: Message) {
    self.message = message
    reader = Reader(message.pointer)
  }

  /// The types of the arguments.
  public var signature: Signature { Signature(checked: message.signature) }

  /// Reads the next argument; throws `InvalidArgs` when it is not of type `T`.
  public func read<T: BusType>(_ type: T.Type = T.self) throws(DBusError) -> T { try reader.read(type) }

  /// Reads the arguments that are left.
  public func values() throws(DBusError) -> [Value] { try reader.values() }

  /// Throws `InvalidSignature` unless the arguments are of these types.
  public func expect(_ signature: String, from member: String) throws(DBusError) {
    guard message.signature != signature else { return }
    throw DBusError(
      .invalidSignature, "\(member) was answered with (\(message.signature)) where (\(signature)) was expected")
  }
}

extension Reader {
  /// Reads everything that is left.
  mutating func values() throws(DBusError) -> [Value] {
    var values: [Value] = []
    while hasMore { values.append(try Value(anyFrom: &self)) }
    return values
  }
}

extension Writer {
  /// Appends arguments of any type.
  mutating func write(arguments: [Value]) throws(DBusError) {
    for argument in arguments {
      guard Validation.isSingleType(argument.typeCodes) else {
        throw DBusError(.invalidArgs, "\(quoted(argument.typeCodes)) is not the type of one value")
      }
      try argument.writeContent(to: &self)
    }
  }
}

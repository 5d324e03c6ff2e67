// SPDX-License-Identifier: Apache-2.0
// The requirements are documented where they are made, in BusType.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

internal import CDBus

extension Value: BusType {
  public static var signature: String { "v" }

  /// Reads the content of a variant.
  public init(from reader: inout Reader) throws(DBusError) {
    var content: Value?
    try reader.container(dbus_type_variant) { (inner: inout Reader) throws(DBusError) in
      content = try Value(anyFrom: &inner)
    }
    guard let content else { throw DBusError(.invalidArgs, "A variant is empty") }
    self = content
  }

  /// Appends a variant that contains the value.
  public func write(to writer: inout Writer) throws(DBusError) {
    let codes = typeCodes
    // The contained types of an array, or a structure without fields, are the caller's word: check before libdbus does.
    guard Validation.isSingleType(codes) else {
      throw DBusError(.invalidArgs, "\(quoted(codes)) is not the type of one value")
    }
    try writer.container(dbus_type_variant, codes) { (inner: inout Writer) throws(DBusError) in
      try writeContent(to: &inner)
    }
  }

  public init?(_ value: Value) {
    guard case .variant(let content) = value else { return nil }
    self = content
  }

  public var value: Value { .variant(self) }

  /// Reads whatever comes next.
  init(anyFrom reader: inout Reader) throws(DBusError) {
    switch reader.nextType {
    case dbus_type_byte: self = .byte(try reader.read())
    case dbus_type_boolean: self = .boolean(try reader.read())
    case dbus_type_int16: self = .int16(try reader.read())
    case dbus_type_uint16: self = .uint16(try reader.read())
    case dbus_type_int32: self = .int32(try reader.read())
    case dbus_type_uint32: self = .uint32(try reader.read())
    case dbus_type_int64: self = .int64(try reader.read())
    case dbus_type_uint64: self = .uint64(try reader.read())
    case dbus_type_double: self = .double(try reader.read())
    case dbus_type_string: self = .string(try reader.read())
    case dbus_type_object_path: self = .objectPath(try reader.read())
    case dbus_type_signature: self = .signature(try reader.read())
    case dbus_type_unix_fd: self = .unixFD(try reader.read())
    case dbus_type_variant: self = .variant(try reader.read())
    case dbus_type_struct: self = .structure(try Self.fields(from: &reader))
    case dbus_type_array: try self.init(arrayFrom: &reader)
    default: throw DBusError(.invalidArgs, "A value is missing")
    }
  }

  private static func fields(from reader: inout Reader) throws(DBusError) -> [Value] {
    var fields: [Value] = []
    try reader.container(dbus_type_struct) { (inner: inout Reader) throws(DBusError) in
      while inner.hasMore { fields.append(try Value(anyFrom: &inner)) }
    }
    return fields
  }

  private init(arrayFrom reader: inout Reader) throws(DBusError) {
    let isDictionary = reader.elementType == dbus_type_dict_entry
    var signature = ""
    var elements: [Value] = []
    var entries: [Value: Value] = [:]
    try reader.container(dbus_type_array) { (inner: inout Reader) throws(DBusError) in
      // Also an empty array knows its elements' type.
      signature = inner.restSignature
      while inner.hasMore {
        guard isDictionary else {
          elements.append(try Value(anyFrom: &inner))
          continue
        }
        try inner.container(dbus_type_dict_entry) { (entry: inout Reader) throws(DBusError) in
          let key = try Value(anyFrom: &entry)
          guard entries.updateValue(try Value(anyFrom: &entry), forKey: key) == nil else {
            throw DBusError(.invalidArgs, "A key is given twice in one dictionary")
          }
        }
      }
    }
    if isDictionary {
      // "{", the key's one code, the value's type, "}"
      let types = signature.dropFirst().dropLast()
      self = .dictionary(
        entries, key: Signature(checked: String(types.prefix(1))), value: Signature(checked: String(types.dropFirst())))
    } else {
      self = .array(elements, of: Signature(checked: signature))
    }
  }

  /// Appends the value as what it is, not as a variant.
  func writeContent(to writer: inout Writer) throws(DBusError) {
    switch self {
    case .byte(let value): try writer.write(value)
    case .boolean(let value): try writer.write(value)
    case .int16(let value): try writer.write(value)
    case .uint16(let value): try writer.write(value)
    case .int32(let value): try writer.write(value)
    case .uint32(let value): try writer.write(value)
    case .int64(let value): try writer.write(value)
    case .uint64(let value): try writer.write(value)
    case .double(let value): try writer.write(value)
    case .string(let value): try writer.write(value)
    case .objectPath(let value): try writer.write(value)
    case .signature(let value): try writer.write(value)
    case .unixFD(let value): try writer.write(value)
    case .variant(let value): try writer.write(value)
    case .structure(let fields):
      try writer.container(dbus_type_struct, nil) { (inner: inout Writer) throws(DBusError) in
        for field in fields { try field.writeContent(to: &inner) }
      }
    case .array(let elements, let type):
      try writer.container(dbus_type_array, type.text) { (inner: inout Writer) throws(DBusError) in
        for element in elements { try element.writeContent(to: &inner, as: type) }
      }
    case .dictionary(let entries, let keyType, let valueType):
      let type = "{" + keyType.text + valueType.text + "}"
      try writer.container(dbus_type_array, type) { (inner: inout Writer) throws(DBusError) in
        for (key, value) in entries {
          try inner.container(dbus_type_dict_entry, nil) { (entry: inout Writer) throws(DBusError) in
            try key.writeContent(to: &entry, as: keyType)
            try value.writeContent(to: &entry, as: valueType)
          }
        }
      }
    }
  }

  private func writeContent(to writer: inout Writer, as type: Signature) throws(DBusError) {
    guard typeCodes == type.text else {
      throw DBusError(.invalidArgs, "A value of type \(typeCodes) is in a container of \(type)")
    }
    try writeContent(to: &writer)
  }
}

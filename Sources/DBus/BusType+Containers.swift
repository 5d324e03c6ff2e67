// SPDX-License-Identifier: Apache-2.0
// The requirements are documented where they are made, in BusType.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

internal import CDBus

extension Array: BusType where Element: BusType {
  public static var signature: String { "a" + Element.signature }
  public init(from reader: inout Reader) throws(DBusError) {
    var elements: [Element] = []
    try reader.container(dbus_type_array) { (inner: inout Reader) throws(DBusError) in
      while inner.hasMore { elements.append(try Element(from: &inner)) }
    }
    self = elements
  }
  public func write(to writer: inout Writer) throws(DBusError) {
    try writer.container(dbus_type_array, Element.signature) { (inner: inout Writer) throws(DBusError) in
      for element in self { try element.write(to: &inner) }
    }
  }
  public init?(_ value: Value) {
    guard case .array(let elements, let type) = value, type.text == Element.signature else { return nil }
    var result: [Element] = []
    result.reserveCapacity(elements.count)
    for element in elements {
      guard let element = Element(element) else { return nil }
      result.append(element)
    }
    self = result
  }
  public var value: Value { .array(map(\.value), of: Signature(checked: Element.signature)) }
}

extension Dictionary: BusType where Key: BusKey, Value: BusType {
  public static var signature: String { "a{" + Key.signature + Value.signature + "}" }
  public init(from reader: inout Reader) throws(DBusError) {
    var entries: [Key: Value] = [:]
    try reader.container(dbus_type_array) { (inner: inout Reader) throws(DBusError) in
      while inner.hasMore {
        try inner.container(dbus_type_dict_entry) { (entry: inout Reader) throws(DBusError) in
          let key = try Key(from: &entry)
          guard entries.updateValue(try Value(from: &entry), forKey: key) == nil else {
            throw DBusError(.invalidArgs, "The key \(key) is given twice in one dictionary")
          }
        }
      }
    }
    self = entries
  }
  public func write(to writer: inout Writer) throws(DBusError) {
    let type = "{" + Key.signature + Value.signature + "}"
    try writer.container(dbus_type_array, type) { (inner: inout Writer) throws(DBusError) in
      for (key, value) in self {
        try inner.container(dbus_type_dict_entry, nil) { (entry: inout Writer) throws(DBusError) in
          try key.write(to: &entry)
          try value.write(to: &entry)
        }
      }
    }
  }
  public init?(_ value: DBus.Value) {
    guard case .dictionary(let entries, let keyType, let valueType) = value, keyType.text == Key.signature,
      valueType.text == Value.signature
    else { return nil }
    var result: [Key: Value] = [:]
    for (key, value) in entries {
      guard let key = Key(key), let value = Value(value) else { return nil }
      result[key] = value
    }
    self = result
  }
  public var value: DBus.Value {
    var entries: [DBus.Value: DBus.Value] = [:]
    for (key, value) in self { entries[key.value] = value.value }
    return .dictionary(
      entries, key: DBus.Signature(checked: Key.signature), value: DBus.Signature(checked: Value.signature))
  }
}

/// A D-Bus structure, as `Structure<String, UInt32>` for `(su)`.
public struct Structure<each Field: BusType>: BusType {
  /// The fields.
  public let fields: (repeat each Field)

  /// A structure of these fields.
  public init(_ fields: repeat each Field) { self.fields = (repeat each fields) }

  public static var signature: String {
    var codes = "("
    for type in repeat (each Field).self { codes += type.signature }
    return codes + ")"
  }
  public init(from reader: inout Reader) throws(DBusError) {
    var result: (repeat each Field)?
    try reader.container(dbus_type_struct) { (inner: inout Reader) throws(DBusError) in
      result = (repeat try (each Field)(from: &inner))
    }
    guard let result else { throw DBusError(.invalidArgs, "A structure is empty") }
    fields = result
  }
  public func write(to writer: inout Writer) throws(DBusError) {
    try writer.container(dbus_type_struct, nil) { (inner: inout Writer) throws(DBusError) in
      for field in repeat each fields { try field.write(to: &inner) }
    }
  }
  public init?(_ value: Value) {
    guard case .structure(let values) = value, value.typeCodes == Self.signature else { return nil }
    var rest = values[...]
    func next<T: BusType>(_: T.Type) throws(DBusError) -> T {
      guard let value = rest.popFirst(), let field = T(value) else { throw DBusError(.invalidArgs, "Too few fields") }
      return field
    }
    guard let fields = try? (repeat next((each Field).self)) else { return nil }
    self.fields = fields
  }
  public var value: Value {
    var values: [Value] = []
    for field in repeat each fields { values.append(field.value) }
    return .structure(values)
  }
}

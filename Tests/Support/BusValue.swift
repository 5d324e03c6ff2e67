// SPDX-License-Identifier: Apache-2.0

/// A value of D-Bus, as far as the tests write and read them.
public indirect enum BusValue: Hashable, Sendable {
  case byte(UInt8)
  case bool(Bool)
  case int16(Int16)
  case uint16(UInt16)
  case int32(Int32)
  case uint32(UInt32)
  case int64(Int64)
  case uint64(UInt64)
  case double(Double)
  case string(String)
  case path(String)
  case signature(String)
  /// The elements' signature, and they.
  case array(String, [BusValue])
  case structure([BusValue])
  case entry(BusValue, BusValue)
  case variant(BusValue)

  /// A dictionary of type a{sv}.
  public static func options(_ pairs: KeyValuePairs<String, BusValue> = [:]) -> BusValue {
    .array("{sv}", pairs.map { .entry(.string($0.key), .variant($0.value)) })
  }

  /// An array of strings.
  public static func strings(_ values: [String]) -> BusValue { .array("s", values.map { .string($0) }) }

  /// Its signature.
  public var type: String {
    switch self {
    case .byte: "y"
    case .bool: "b"
    case .int16: "n"
    case .uint16: "q"
    case .int32: "i"
    case .uint32: "u"
    case .int64: "x"
    case .uint64: "t"
    case .double: "d"
    case .string: "s"
    case .path: "o"
    case .signature: "g"
    case .array(let element, _): "a" + element
    case .structure(let members): "(" + members.map(\.type).joined() + ")"
    case .entry(let key, let value): "{" + key.type + value.type + "}"
    case .variant: "v"
    }
  }

  /// A string's or path's text, also in a variant; else "".
  public var text: String {
    switch self {
    case .string(let text), .path(let text), .signature(let text): text
    case .variant(let value): value.text
    default: ""
    }
  }

  /// A whole number, also in a variant; else nil.
  public var number: Int? {
    switch self {
    case .byte(let value): Int(value)
    case .int16(let value): Int(value)
    case .uint16(let value): Int(value)
    case .int32(let value): Int(value)
    case .uint32(let value): Int(value)
    case .int64(let value): Int(value)
    case .uint64(let value): Int(exactly: value)
    case .variant(let value): value.number
    default: nil
    }
  }

  /// A truth value, also in a variant; else nil.
  public var truth: Bool? {
    switch self {
    case .bool(let value): value
    case .variant(let value): value.truth
    default: nil
    }
  }

  /// An array's or structure's members, also in a variant.
  public var list: [BusValue] {
    switch self {
    case .array(_, let members), .structure(let members): members
    case .variant(let value): value.list
    default: []
    }
  }

  /// A dictionary's value.
  public subscript(key: String) -> BusValue? {
    for case .entry(let name, let value) in list where name.text == key { return value }
    return nil
  }

  /// A dictionary's keys.
  public var keys: [String] {
    list.compactMap { if case .entry(let name, _) = $0 { name.text } else { nil } }
  }
}

// SPDX-License-Identifier: Apache-2.0

/// A value of any D-Bus type.
///
/// As a type of an argument it stands for a variant: in `[String: Value]`, which is `a{sv}`, each value is the
/// content of a variant and not a ``variant(_:)`` itself.
public indirect enum Value: Hashable, Sendable {
  /// `y`
  case byte(UInt8)
  /// `b`
  case boolean(Bool)
  /// `n`
  case int16(Int16)
  /// `q`
  case uint16(UInt16)
  /// `i`
  case int32(Int32)
  /// `u`
  case uint32(UInt32)
  /// `x`
  case int64(Int64)
  /// `t`
  case uint64(UInt64)
  /// `d`
  case double(Double)
  /// `s`
  case string(String)
  /// `o`
  case objectPath(ObjectPath)
  /// `g`
  case signature(Signature)
  /// `h`
  case unixFD(UnixFD)
  /// `a…`: the elements and their type, which an empty array has too.
  case array([Value], of: Signature)
  /// `a{…}`: the entries, and the types of keys and values.
  case dictionary([Value: Value], key: Signature, value: Signature)
  /// `(…)`
  case structure([Value])
  /// `v`
  case variant(Value)

  /// The value's type.
  public var signature: Signature { Signature(checked: typeCodes) }

  var typeCodes: String {
    switch self {
    case .byte: "y"
    case .boolean: "b"
    case .int16: "n"
    case .uint16: "q"
    case .int32: "i"
    case .uint32: "u"
    case .int64: "x"
    case .uint64: "t"
    case .double: "d"
    case .string: "s"
    case .objectPath: "o"
    case .signature: "g"
    case .unixFD: "h"
    case .array(_, let element): "a" + element.text
    case .dictionary(_, let key, let value): "a{" + key.text + value.text + "}"
    case .structure(let fields): "(" + fields.map(\.typeCodes).joined() + ")"
    case .variant: "v"
    }
  }

  /// The value as a Swift type; nil when it is of another D-Bus type.
  public func `as`<T: BusType>(_ type: T.Type) -> T? { T(self) }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A boolean.
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
}

// SPDX-License-Identifier: Apache-2.0

/// The path of an object on the bus.
public struct ObjectPath: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral, Comparable {
  /// The path as text.
  public let text: String

  /// A path from outside; throws `InvalidArgs` when it is not valid.
  public init(_ text: String) throws(DBusError) {
    guard Validation.isPath(text) else {
      throw DBusError(.invalidArgs, "\(quoted(text)) is no valid object path")
    }
    self.text = text
  }

  /// A path written in the source, where a wrong one is a fault of the program.
  public init(stringLiteral text: String) {
    precondition(Validation.isPath(text), "an object path in the source is not valid")
    self.text = text
  }

  /// A path that libdbus has checked.
  init(checked text: String) { self.text = text }

  /// The path of the root object.
  public static let root: ObjectPath = "/"

  /// The path one step below, named `component` with every byte outside `[A-Za-z0-9]` written `_xx` (hexadecimal).
  /// An empty component is written `_`.
  public func appending(escaping component: String) -> ObjectPath {
    let digits = Array("0123456789abcdef".utf8)
    var escaped: [UInt8] = []
    for byte in component.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        escaped.append(byte)
      default:
        escaped += [UInt8(ascii: "_"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    if escaped.isEmpty { escaped = [UInt8(ascii: "_")] }
    return ObjectPath(checked: prefix + String(decoding: escaped, as: UTF8.self))
  }

  /// What the paths below this one begin with.
  private var prefix: String { text == "/" ? text : text + "/" }

  /// Whether this path is `ancestor` or below it.
  public func isWithin(_ ancestor: ObjectPath) -> Bool { self == ancestor || text.hasPrefix(ancestor.prefix) }

  /// The name of the child of `ancestor` on the way to this path; nil when this path is not below `ancestor`.
  public func component(below ancestor: ObjectPath) -> String? {
    guard text.hasPrefix(ancestor.prefix), self != ancestor else { return nil }
    return String(text.dropFirst(ancestor.prefix.count).prefix { $0 != "/" })
  }

  /// The path as text.
  public var description: String { text }

  /// Order by text.
  public static func < (left: ObjectPath, right: ObjectPath) -> Bool { left.text < right.text }
}

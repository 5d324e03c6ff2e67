// SPDX-License-Identifier: Apache-2.0

/// The Swift type that stands for one D-Bus type.
struct SwiftType {
  /// The type as it is written.
  let text: String

  private static let basic: [Character: String] = [
    "y": "UInt8", "b": "Bool", "n": "Int16", "q": "UInt16", "i": "Int32", "u": "UInt32", "x": "Int64", "t": "UInt64",
    "d": "Double", "s": "String", "o": "ObjectPath", "g": "Signature", "h": "UnixFD", "v": "Value",
  ]

  /// The type for a signature of one complete type.
  init(_ signature: String) throws {
    var rest = signature[...]
    guard let text = Self.next(&rest), rest.isEmpty else {
      throw GeneratorError("\(signature) is not the signature of one type")
    }
    self.text = text
  }

  private static func next(_ rest: inout Substring) -> String? {
    guard let code = rest.popFirst() else { return nil }
    switch code {
    case "a" where rest.first == "{":
      rest.removeFirst()
      guard let key = rest.first, key != "v", basic[key] != nil, let keyType = next(&rest), let valueType = next(&rest),
        rest.popFirst() == "}"
      else { return nil }
      return "[\(keyType): \(valueType)]"
    case "a": return next(&rest).map { "[\($0)]" }
    case "(":
      var fields: [String] = []
      while let first = rest.first, first != ")" {
        guard let field = next(&rest) else { return nil }
        fields.append(field)
      }
      guard rest.popFirst() == ")", !fields.isEmpty else { return nil }
      return "Structure<\(fields.joined(separator: ", "))>"
    default: return basic[code]
    }
  }
}

/// Words that a Swift declaration cannot be named without backticks.
private let reserved: Set<String> = [
  "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do", "else",
  "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import", "in", "init",
  "inout", "internal", "is", "let", "nil", "operator", "precedencegroup", "private", "protocol", "public", "repeat",
  "rethrows", "return", "self", "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try",
  "typealias", "var", "where", "while",
]

/// A D-Bus name in lower camel case: `ListRequests`, `IQReceived` and `after_all` are `listRequests`, `iqReceived` and
/// `afterAll`.
func swiftName(_ name: String) -> String {
  let words = name.split(separator: "_")
  let joined =
    (words.first.map(String.init) ?? name)
    + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  let capitals = joined.prefix { $0.isUppercase }.count
  // In IQReceived the R begins the next word.
  let count = capitals > 1 && capitals < joined.count ? capitals - 1 : capitals
  return joined.prefix(count).lowercased() + joined.dropFirst(count)
}

/// The name of a declaration, in backticks where Swift needs them.
func declared(_ name: String) -> String {
  let name = swiftName(name)
  return reserved.contains(name) ? "`\(name)`" : name
}

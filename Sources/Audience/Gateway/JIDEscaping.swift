// SPDX-License-Identifier: Apache-2.0

/// Characters that no local part may have, written with three others (XEP-0106 §3).
public enum JIDEscaping {
  private static let codes: [UInt8: String] = [
    UInt8(ascii: " "): "20", UInt8(ascii: "\""): "22", UInt8(ascii: "&"): "26", UInt8(ascii: "'"): "27",
    UInt8(ascii: "/"): "2f", UInt8(ascii: ":"): "3a", UInt8(ascii: "<"): "3c", UInt8(ascii: ">"): "3e",
    UInt8(ascii: "@"): "40", UInt8(ascii: "\\"): "5c",
  ]
  private static let characters = Dictionary(uniqueKeysWithValues: codes.map { (Array($1.utf8), $0) })

  /// Writes a text so that it can be a local part. A backslash is escaped only where it would be read as the beginning
  /// of an escape (§4).
  public static func escaped(_ text: some StringProtocol) -> String {
    let bytes = Array(text.utf8)
    var escaped: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      let isKept = byte == UInt8(ascii: "\\") && code(bytes, after: index) == nil
      if !isKept, let code = codes[byte] {
        escaped += Array("\\\(code)".utf8)
      } else {
        escaped.append(byte)
      }
    }
    return String(decoding: escaped, as: UTF8.self)
  }

  /// Reads what ``escaped(_:)`` has written. What looks like no escape stays.
  public static func unescaped(_ text: some StringProtocol) -> String {
    guard text.utf8.contains(UInt8(ascii: "\\")) else { return String(text) }
    let bytes = Array(text.utf8)
    var plain: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "\\"), let character = code(bytes, after: index) {
        plain.append(character)
        index += 3
      } else {
        plain.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: plain, as: UTF8.self)
  }

  private static func code(_ bytes: [UInt8], after index: Int) -> UInt8? {
    guard index + 2 < bytes.count else { return nil }
    return characters[Array(bytes[(index + 1)...(index + 2)])]
  }
}

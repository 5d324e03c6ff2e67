// SPDX-License-Identifier: Apache-2.0

/// Base 64 (RFC 4648 §4), as SASL (RFC 6120 §6.4.2) and capabilities hashes use it: padded, without line breaks.
public enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let padding = UInt8(ascii: "=")
  private static let values: [UInt8?] = {
    var values = [UInt8?](repeating: nil, count: 256)
    for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
    return values
  }()

  /// The text for `bytes`; empty for none.
  public static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for byte in group { bits = bits << 8 | UInt32(byte) }
      bits <<= 8 * UInt32(3 - group.count)
      for position in 0..<4 {
        let isData = position <= group.count
        text.append(isData ? alphabet[Int(bits >> (18 - 6 * UInt32(position))) & 63] : padding)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes that `text` stands for, or `nil` when it is anything but what ``encode(_:)`` would write: RFC 6120
  /// §13.9.1 asks for that strictness, as what is ignored can carry what was not meant to pass.
  public static func decode(_ text: String) -> [UInt8]? {
    let characters = Array(text.utf8)
    guard characters.count % 4 == 0 else { return nil }
    let data = characters.prefix { $0 != padding }
    let padded = characters.count - data.count
    guard padded <= 2, characters[data.count...].allSatisfy({ $0 == padding }) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(characters.count / 4 * 3)
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for character in data {
      guard let value = values[Int(character)] else { return nil }
      bits = bits << 6 | UInt32(value)
      bitCount += 6
      if bitCount >= 8 {
        bitCount -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
        bits &= (1 << bitCount) - 1
      }
    }
    // The bits that pad the last group must be zero, or several texts would mean the same bytes.
    return bits == 0 ? bytes : nil
  }
}

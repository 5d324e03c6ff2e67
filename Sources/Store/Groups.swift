// SPDX-License-Identifier: Apache-2.0

/// The groups of a contact as one value of a row: each with its length in front, since a name may have any character.
enum Groups {
  static func encode(_ groups: [String]) -> [UInt8] {
    var bytes: [UInt8] = []
    for group in groups {
      let name = Array(group.utf8)
      bytes += Array("\(name.count):".utf8)
      bytes += name
    }
    return bytes
  }

  /// - Returns: nil for what ``encode(_:)`` has not made.
  static func decode(_ bytes: [UInt8]) -> [String]? {
    var groups: [String] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      guard let colon = rest.firstIndex(of: UInt8(ascii: ":")),
        let count = Int(String(decoding: rest[..<colon], as: UTF8.self)), count >= 0,
        count <= rest.endIndex - colon - 1
      else { return nil }
      rest = rest[(colon + 1)...]
      groups.append(String(decoding: rest.prefix(count), as: UTF8.self))
      rest = rest.dropFirst(count)
    }
    return groups
  }
}

// SPDX-License-Identifier: Apache-2.0

/// The names of hosts.
enum HostName {
  /// Whether DNS can be asked about it: letters, digits, hyphens and underscores, in labels.
  static func isValid(_ name: String) -> Bool {
    guard (1...253).contains(name.utf8.count) else { return false }
    return name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
      (1...63).contains(label.count)
        && label.allSatisfy { byte in
          switch byte {
          case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
          case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
          default: false
          }
        }
    }
  }

  /// Whether it is this machine, whatever anybody says (RFC 6761 §6.3).
  static func isThisMachine(_ name: String) -> Bool {
    let name = name.lowercased()
    return name == "localhost" || name.hasSuffix(".localhost")
  }
}

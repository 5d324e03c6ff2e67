// SPDX-License-Identifier: Apache-2.0

internal import CIDN
internal import Glibc

/// A profile of stringprep (RFC 3454): folds what people and servers take for the same text into one form.
///
/// Code points that Unicode 3.2 did not know pass, as they do in the servers: an address that the server accepts
/// must not be unreadable to us.
enum Stringprep: Sendable {
  /// Localparts (RFC 6122, appendix A).
  case nodeprep
  /// Domain labels (RFC 3491).
  case nameprep
  /// Resources (RFC 6122, appendix B).
  case resourceprep
  /// User names and passwords (RFC 4013).
  case saslprep

  /// More than any text that we prepare may be long; the folding itself can lengthen a text.
  private static let capacity = 8192

  /// The prepared form of `text`, or nil when it has none: it is too long or has characters that are prohibited.
  func prepare(_ text: String) -> String? {
    if isPreparedASCII(text) { return text }
    guard text.utf8.count < Self.capacity, !text.utf8.contains(0) else { return nil }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.capacity) { buffer in
      for (index, byte) in text.utf8.enumerated() { buffer[index] = CChar(bitPattern: byte) }
      buffer[text.utf8.count] = 0
      guard let start = buffer.baseAddress, apply(start) == 0 else { return nil }
      return String(validatingCString: start)
    }
  }

  private func apply(_ text: UnsafeMutablePointer<CChar>) -> Int32 {
    switch self {
    case .nodeprep: idn_nodeprep(text, Self.capacity)
    case .nameprep: idn_nameprep(text, Self.capacity)
    case .resourceprep: idn_resourceprep(text, Self.capacity)
    case .saslprep: idn_saslprep(text, Self.capacity)
    }
  }

  /// Whether `text` is of characters that every profile leaves as they are: nearly all addresses are, and a roster
  /// has thousands of them.
  private func isPreparedASCII(_ text: String) -> Bool {
    text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }
}

/// Names of hosts in the letters of DNS.
enum InternationalName {
  /// The form of `domain` that DNS and certificates use (RFC 3490, ToASCII), or nil when it has none.
  static func ascii(_ domain: String) -> String? {
    var output: UnsafeMutablePointer<CChar>?
    guard idna_to_ascii_8z(domain, &output, Int32(IDNA_ALLOW_UNASSIGNED.rawValue)) == 0, let output else { return nil }
    defer { free(output) }
    return String(validatingCString: output)
  }
}

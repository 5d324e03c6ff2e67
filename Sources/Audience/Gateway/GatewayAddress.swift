// SPDX-License-Identifier: Apache-2.0

/// What an address at a gateway stands for: somebody elsewhere, whose own address is written into the local part
/// (XEP-0276 §5).
///
/// `user%host`, the same with an escaped at sign (XEP-0106: `user\40host`), a telephone number, or a name alone. Other
/// texts stand for nobody: what a program behind the gateway might read in another way than our rules do is not called.
public struct GatewayAddress: Hashable, Sendable {
  /// The person's own address as one would dial it: `romeo@shakespeare.lit`, `+15551234`.
  public let callee: String

  /// Reads a local part.
  /// - Parameter localpart: prepared (RFC 7622 §3.3), so lower-case.
  /// - Returns: `nil` where it stands for nobody.
  public init?(localpart: some StringProtocol) {
    let text = JIDEscaping.unescaped(localpart)
    guard let at = text.lastIndex(of: "@") ?? text.lastIndex(of: "%") else {
      guard let user = TelephoneNumber.plain(text) ?? Self.user(text[...]) else { return nil }
      callee = user
      return
    }
    let user = text[..<at]
    guard let host = Self.host(text[text.index(after: at)...]), !user.utf8.contains(UInt8(ascii: " ")),
      let user = TelephoneNumber.plain(user) ?? Self.user(user)
    else { return nil }
    callee = "\(user)@\(host)"
  }

  /// Takes the address of somebody elsewhere.
  /// - Parameter callee: `user@host`, a telephone number or a name.
  public init?(callee: String) {
    self.init(localpart: JIDEscaping.escaped(callee.lowercased()))
  }

  /// The local part that is shown to others: `user%host`, or what else stands for the callee.
  public var localpart: String {
    guard let at = callee.lastIndex(of: "@") else { return JIDEscaping.escaped(callee) }
    return "\(JIDEscaping.escaped(callee[..<at]))%\(callee[callee.index(after: at)...])"
  }

  /// The local part with the at sign escaped (XEP-0106 §3.2), as some write it.
  public var escapedLocalpart: String { JIDEscaping.escaped(callee) }

  /// The one text in which rules are compared: all spellings of an address have the same.
  var canonical: String {
    guard let at = callee.lastIndex(of: "@") else { return callee }
    return "\(callee[..<at])%\(callee[callee.index(after: at)...])"
  }

  // What separates parts of a URI, quotes them or stands for others in it: a second reader may find another address
  // there.
  private static let ambiguous = Set(" %@:;?<>\"\\,".utf8)

  private static func user(_ text: Substring) -> String? {
    // What begins like a number is one, or it stands for nobody.
    guard let first = text.utf8.first, first != UInt8(ascii: "+"),
      text.utf8.allSatisfy({ !ambiguous.contains($0) && $0 > 0x1F && $0 != 0x7F })
    else { return nil }
    return String(text)
  }

  /// A name in DNS, or an IPv4 address. It is the same with a dot behind it.
  private static func host(_ text: Substring) -> Substring? {
    let host = text.utf8.last == UInt8(ascii: ".") ? text.dropLast() : text
    let isName = host.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
        UInt8(ascii: "."):
        true
      default: false
      }
    }
    guard isName, !host.split(separator: ".", omittingEmptySubsequences: false).contains(where: \.isEmpty) else {
      return nil
    }
    return host
  }
}

/// Telephone numbers (RFC 3966 §3): what is written between the digits to please the eye means nothing.
enum TelephoneNumber {
  private static let separators = Set("-.() ".utf8)

  /// The number without separators.
  /// - Returns: `nil` for a text that is no number with its country's code.
  static func plain(_ text: some StringProtocol) -> String? {
    guard text.utf8.first == UInt8(ascii: "+") else { return nil }
    var digits = "+"
    for byte in text.utf8.dropFirst() where !separators.contains(byte) {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      digits.unicodeScalars.append(Unicode.Scalar(byte))
    }
    return digits.utf8.count > 1 ? digits : nil
  }
}

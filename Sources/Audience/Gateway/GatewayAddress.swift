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
    // Among the bytes: letters of some scripts grow together with what stands beside them.
    guard let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) ?? text.utf8.lastIndex(of: UInt8(ascii: "%")) else {
      guard let user = TelephoneNumber.plain(text) ?? Self.user(text[...]) else { return nil }
      callee = user
      return
    }
    let user = text[..<at]
    guard let host = HostName.plain(text[text.utf8.index(after: at)...]), !user.utf8.contains(UInt8(ascii: " ")),
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
    guard let at else { return JIDEscaping.escaped(callee) }
    return "\(JIDEscaping.escaped(callee[..<at]))%\(callee[callee.utf8.index(after: at)...])"
  }

  /// The local part with the at sign escaped (XEP-0106 §3.2), as some write it.
  public var escapedLocalpart: String { JIDEscaping.escaped(callee) }

  /// The one text in which rules are compared: all spellings of an address have the same.
  var canonical: String {
    guard let at else { return callee }
    return "\(callee[..<at])%\(callee[callee.utf8.index(after: at)...])"
  }

  private var at: String.Index? { callee.utf8.lastIndex(of: UInt8(ascii: "@")) }

  // What separates parts of a URI, quotes them or stands for others in it: a second reader may find another address
  // there.
  private static let ambiguous = Set(" %@:;?<>\"\\,/#[]!".utf8)

  private static func user(_ text: Substring) -> String? {
    // What begins like a number is one, or it stands for nobody.
    guard let first = text.utf8.first, first != UInt8(ascii: "+"),
      text.utf8.allSatisfy({ !ambiguous.contains($0) && $0 > 0x1F && $0 != 0x7F })
    else { return nil }
    return String(text)
  }
}

/// Names in DNS, and IPv4 addresses.
enum HostName {
  /// The name without a dot behind it, with which it is the same.
  /// - Returns: `nil` for a text that is none, or that some take for an address and others for a name.
  static func plain(_ text: Substring) -> Substring? {
    let host = text.utf8.last == UInt8(ascii: ".") ? text.dropLast() : text
    let isName = host.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
        UInt8(ascii: "."):
        true
      default: false
      }
    }
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    guard isName, !labels.contains(where: \.isEmpty), let last = labels.last else { return nil }
    // Many readers take 10.1, 012.0.0.1 and 0x0a000001 for addresses, too: an address has one form.
    guard !isNumber(last) || labels.count == 4 && labels.allSatisfy(isOctet) else { return nil }
    return host
  }

  private static func isNumber(_ label: Substring) -> Bool {
    label.utf8.allSatisfy(isDigit)
      || label.hasPrefix("0x") && label.utf8.dropFirst(2).allSatisfy { isDigit($0) || "abcdef".utf8.contains($0) }
  }

  private static func isOctet(_ label: Substring) -> Bool {
    label.utf8.allSatisfy(isDigit) && UInt8(label) != nil && (label.utf8.count == 1 || !label.hasPrefix("0"))
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
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

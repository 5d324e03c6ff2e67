// SPDX-License-Identifier: Apache-2.0

/// Which addresses of a gateway a rule is about: a JID in which `*` stands for any run of characters.
///
/// Compared with an address as it is understood and not as it is written, so that a no to `romeo%montague.example`
/// holds for `romeo\40montague.example` as well.
public struct TargetPattern: Hashable, Sendable {
  /// Why a text is no pattern.
  public enum Fault: Error, Hashable, Sendable {
    /// No address ends like this: the gateway's domain is missing.
    case withoutDomain
    /// It is too long for a JID.
    case tooLong
    /// It stands for no address that a gateway can have.
    case noAddress
  }

  /// The pattern in its one form.
  public let text: String
  /// The literal parts, between the asterisks.
  private let parts: [LiteralPart]
  /// How many bytes are literal: of several patterns that match, the one with the most is meant.
  let literalLength: Int

  /// Reads a pattern.
  /// - Parameter text: a bare JID with `%`, `\40` or a plain at sign inside, prepared as the parts of JIDs are: what
  ///   is not ASCII is compared as it is.
  /// - Throws: ``Fault``.
  public init(_ text: String) throws(Fault) {
    guard text.utf8.count <= 3071 else { throw .tooLong }
    let lowered = text.lowercased()
    // Among the bytes: letters of some scripts grow together with what stands beside them.
    let (local, domain): (Substring, Substring) =
      if let at = lowered.utf8.lastIndex(of: UInt8(ascii: "@")) {
        (lowered[..<at], lowered[lowered.utf8.index(after: at)...])
      } else {
        (lowered[...], "")
      }
    guard !domain.isEmpty || lowered.utf8.last == Self.asterisk else { throw .withoutDomain }
    var whole: [UInt8] = []
    if local.utf8.contains(Self.asterisk) {
      whole = Self.plain(JIDEscaping.unescaped(local))
    } else {
      guard let address = GatewayAddress(localpart: local) else { throw .noAddress }
      whole = Array(address.canonical.utf8)
    }
    if !domain.isEmpty { whole += Array("@\(domain)".utf8) }
    whole = whole.reduce(into: []) { if $1 != Self.asterisk || $0.last != $1 { $0.append($1) } }
    self.text = String(decoding: whole, as: UTF8.self)
    parts = whole.split(separator: Self.asterisk, omittingEmptySubsequences: false).map { LiteralPart(Array($0)) }
    literalLength = parts.reduce(0) { $0 + $1.bytes.count }
  }

  /// Two are the same when the bytes of their texts are.
  public static func == (left: TargetPattern, right: TargetPattern) -> Bool { left.parts == right.parts }

  /// Goes with the text.
  public func hash(into hasher: inout Hasher) { hasher.combine(text) }

  /// Whether it stands for one address alone.
  var isExact: Bool { parts.count == 1 }

  /// Whether an address is meant.
  /// - Parameter canonical: its one form, with the domain.
  func matches(_ canonical: [UInt8]) -> Bool {
    guard let first = parts.first?.bytes, let last = parts.last?.bytes, parts.count > 1 else {
      return parts.first?.bytes == canonical
    }
    guard canonical.count >= literalLength, canonical.starts(with: first),
      canonical.suffix(last.count).elementsEqual(last)
    else { return false }
    var rest = canonical[first.count..<(canonical.count - last.count)]
    for part in parts.dropFirst().dropLast() {
      // The first place is as good as any later one: it leaves the most room for what follows.
      guard let end = part.end(in: rest) else { return false }
      rest = rest[end...]
    }
    return true
  }

  /// As addresses are compared: numbers without what is written between the digits, hosts without a dot behind them.
  private static func plain(_ local: String) -> [UInt8] {
    let bytes = local.utf8.map { $0 == UInt8(ascii: "@") ? UInt8(ascii: "%") : $0 }
    let separator = bytes.lastIndex(of: UInt8(ascii: "%")) ?? bytes.endIndex
    var host = bytes[separator...]
    if host.last == UInt8(ascii: ".") { host.removeLast() }
    var user = bytes[..<separator]
    if user.first == UInt8(ascii: "+") {
      // What stands before the first asterisk begins a number in any case.
      let isNumber = user.allSatisfy("+0123456789*-.() ".utf8.contains)
      let end = isNumber ? user.endIndex : user.firstIndex(of: asterisk) ?? user.endIndex
      user = user[..<end].filter { !"-.() ".utf8.contains($0) } + user[end...]
    }
    return Array(user + host)
  }

  private static let asterisk = UInt8(ascii: "*")
}

/// What stands between two asterisks.
private struct LiteralPart: Hashable, Sendable {
  let bytes: [UInt8]
  /// For each place, how much of the beginning stands right before it again: a comparison that fails goes on from there,
  /// so that no byte of a text is looked at from each place on (Knuth, Morris and Pratt).
  private let borders: [Int]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var borders = Array(repeating: 0, count: bytes.count)
    var length = 0
    for index in bytes.indices.dropFirst() {
      while length > 0, bytes[index] != bytes[length] { length = borders[length - 1] }
      if bytes[index] == bytes[length] { length += 1 }
      borders[index] = length
    }
    self.borders = borders
  }

  /// Where the first place ends at which it stands in a text.
  func end(in text: ArraySlice<UInt8>) -> Int? {
    guard !bytes.isEmpty else { return text.startIndex }
    var length = 0
    for index in text.indices {
      while length > 0, text[index] != bytes[length] { length = borders[length - 1] }
      if text[index] == bytes[length] { length += 1 }
      if length == bytes.count { return index + 1 }
    }
    return nil
  }
}

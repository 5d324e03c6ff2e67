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
  private let parts: [[UInt8]]
  /// How many bytes are literal: of several patterns that match, the one with the most is meant.
  let literalLength: Int

  /// Reads a pattern.
  /// - Parameter text: a bare JID with `%`, `\40` or a plain at sign inside, prepared as the parts of JIDs are: what
  ///   is not ASCII is compared as it is.
  /// - Throws: ``Fault``.
  public init(_ text: String) throws(Fault) {
    guard text.utf8.count <= 3071 else { throw .tooLong }
    let lowered = text.lowercased()
    let (local, domain): (Substring, Substring) =
      if let at = lowered.lastIndex(of: "@") {
        (lowered[..<at], lowered[lowered.index(after: at)...])
      } else {
        (lowered[...], "")
      }
    guard !domain.isEmpty || lowered.last == "*" else { throw .withoutDomain }
    let canonical: String
    if local.contains("*") {
      canonical = Self.plain(JIDEscaping.unescaped(local))
    } else {
      guard let address = GatewayAddress(localpart: local) else { throw .noAddress }
      canonical = address.canonical
    }
    var whole: [UInt8] = []
    for byte in (domain.isEmpty ? canonical : "\(canonical)@\(domain)").utf8
    where byte != UInt8(ascii: "*") || whole.last != byte {
      whole.append(byte)
    }
    self.text = String(decoding: whole, as: UTF8.self)
    parts = whole.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
    literalLength = parts.reduce(0) { $0 + $1.count }
  }

  /// Whether it stands for one address alone.
  var isExact: Bool { parts.count == 1 }

  /// Whether an address is meant.
  /// - Parameter canonical: its one form, with the domain.
  func matches(_ canonical: [UInt8]) -> Bool {
    guard let first = parts.first, let last = parts.last, parts.count > 1 else {
      return parts.first == canonical
    }
    guard canonical.count >= literalLength, canonical.starts(with: first),
      canonical.suffix(last.count).elementsEqual(last)
    else { return false }
    var start = first.count
    let end = canonical.count - last.count
    for part in parts.dropFirst().dropLast() {
      guard let found = Self.find(part, in: canonical, start, end) else { return false }
      start = found + part.count
    }
    return start <= end
  }

  /// The first place is as good as any later one: it leaves the most room for what follows.
  private static func find(_ part: [UInt8], in text: [UInt8], _ start: Int, _ end: Int) -> Int? {
    guard !part.isEmpty, start + part.count <= end else { return part.isEmpty ? start : nil }
    return (start...(end - part.count)).first { text[$0..<($0 + part.count)].elementsEqual(part) }
  }

  /// As addresses are compared: numbers without what is written between the digits, hosts without a dot behind them.
  private static func plain(_ local: String) -> String {
    if local.utf8.first == UInt8(ascii: "+"), local.utf8.allSatisfy({ "+0123456789*-.() ".utf8.contains($0) }) {
      return local.filter { !"-.() ".contains($0) }
    }
    var plain = String(local.map { $0 == "@" ? "%" : $0 })
    if plain.contains("%"), plain.last == "." { plain.removeLast() }
    return plain
  }
}

// SPDX-License-Identifier: Apache-2.0

/// The text of an address whose parts have all been prepared, and where its parts end.
///
/// One string and two offsets: a roster holds tens of thousands of addresses, and most uses want the whole text.
struct PreparedAddress: Hashable, Sendable {
  /// No part may be longer (RFC 6122 §2.1), in bytes of UTF-8.
  static let longestPart = 1023

  let text: String
  /// The length of the localpart in bytes; zero where there is none.
  private let localLength: UInt16
  /// The length of the bare address in bytes.
  private let bareLength: UInt16

  /// Prepares an address. What separates the parts is looked for before the parts are prepared, as the servers do.
  init(_ input: String) throws(JIDError) {
    var rest = Substring(input)
    var resource: String?
    if let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) {
      resource = String(rest[rest.utf8.index(after: slash)...])
      rest = rest[..<slash]
    }
    var local: String?
    if let at = rest.utf8.firstIndex(of: UInt8(ascii: "@")) {
      local = String(rest[..<at])
      rest = rest[rest.utf8.index(after: at)...]
    }
    try self.init(local: local, domain: String(rest), resource: resource)
  }

  init(local: String?, domain: String, resource: String?) throws(JIDError) {
    let domain = try Self.prepare(domain: domain)
    var text = ""
    if let local {
      text = try Self.prepare(local: local)
      localLength = UInt16(text.utf8.count)
      text += "@"
    } else {
      localLength = 0
    }
    text += domain
    bareLength = UInt16(text.utf8.count)
    if let resource { text += "/" + (try Self.prepare(resource: resource)) }
    self.text = text
  }

  private init(text: String, localLength: UInt16, bareLength: UInt16) {
    self.text = text
    self.localLength = localLength
    self.bareLength = bareLength
  }

  // MARK: Parts

  var local: String? { localLength == 0 ? nil : String(text[..<offset(localLength)]) }

  var domain: String {
    let start = localLength == 0 ? text.startIndex : offset(localLength + 1)
    return String(text[start..<offset(bareLength)])
  }

  var hasResource: Bool { text.utf8.count > Int(bareLength) }

  var resource: String? { hasResource ? String(text[offset(bareLength + 1)...]) : nil }

  var bare: PreparedAddress {
    hasResource
      ? PreparedAddress(text: String(text[..<offset(bareLength)]), localLength: localLength, bareLength: bareLength)
      : self
  }

  /// The domain alone.
  var server: PreparedAddress {
    let domain = domain
    return PreparedAddress(text: domain, localLength: 0, bareLength: UInt16(domain.utf8.count))
  }

  /// The bare address with another resource.
  func with(resource: String) throws(JIDError) -> PreparedAddress {
    let resource = try Self.prepare(resource: resource)
    return PreparedAddress(text: bare.text + "/" + resource, localLength: localLength, bareLength: bareLength)
  }

  private func offset(_ bytes: UInt16) -> String.Index { text.utf8.index(text.utf8.startIndex, offsetBy: Int(bytes)) }

  // MARK: Comparing

  /// Two addresses are the same when their bytes are. Swift's own comparison folds canonically equivalent texts,
  /// which the servers do not for characters that stringprep does not know.
  static func == (left: PreparedAddress, right: PreparedAddress) -> Bool {
    left.text == right.text && left.text.utf8.elementsEqual(right.text.utf8)
  }

  func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension PreparedAddress {
  private static func prepare(local: String) throws(JIDError) -> String {
    guard !local.isEmpty else { throw JIDError(.localpart, "is empty: nothing stands before the @") }
    guard let prepared = Stringprep.nodeprep.prepare(local), !prepared.isEmpty else {
      throw JIDError(.localpart, "has characters that are not allowed there")
    }
    // Nodeprep prohibits these, but before the folding of compatible characters has its last word.
    guard !prepared.utf8.contains(where: { #""&'/:<>@ "#.utf8.contains($0) }) else {
      throw JIDError(.localpart, "has one of the characters \" & ' / : < > @ or a space")
    }
    return try limit(prepared, .localpart)
  }

  private static func prepare(domain: String) throws(JIDError) -> String {
    var domain = Substring(domain)
    // The name of the root: the same host with or without it.
    if domain.utf8.last == UInt8(ascii: ".") { domain = domain.dropLast() }
    guard !domain.isEmpty else { throw JIDError(.domain, "is empty") }
    guard let prepared = Stringprep.nameprep.prepare(String(domain)), !prepared.isEmpty else {
      throw JIDError(.domain, "has characters that are not allowed there")
    }
    _ = try limit(prepared, .domain)
    if let literal = addressLiteral(prepared) { return literal }
    // Folding can make separators out of their wide forms; a second separator would be read as another address.
    let isForbidden: (Unicode.Scalar) -> Bool = { scalar in
      scalar.value <= 0x20 || scalar.value == 0x7F || #""&'/:<>@[\]"#.unicodeScalars.contains(scalar)
        // Full stops of other scripts: to DNS they are dots, to XMPP servers they are not.
        || scalar == "\u{3002}" || scalar == "\u{FF61}"
    }
    guard !prepared.unicodeScalars.contains(where: isForbidden) else {
      throw JIDError(.domain, "has characters that no host name has")
    }
    // Also a dot at the end that was another character before: it would be another name for the same host.
    guard prepared.utf8.last != UInt8(ascii: "."), InternationalName.ascii(prepared) != nil else {
      throw JIDError(.domain, "is not a host name: a label is empty or too long")
    }
    return prepared
  }

  /// An IPv6 address in brackets, which is a domain too (RFC 6122 §2.2).
  private static func addressLiteral(_ domain: String) -> String? {
    guard domain.utf8.first == UInt8(ascii: "["), domain.utf8.last == UInt8(ascii: "]"), domain.utf8.count > 2 else {
      return nil
    }
    let inside = domain.utf8.dropFirst().dropLast()
    return inside.allSatisfy { "0123456789abcdef:.".utf8.contains($0) } ? domain : nil
  }

  private static func prepare(resource: String) throws(JIDError) -> String {
    guard !resource.isEmpty else { throw JIDError(.resource, "is empty: nothing stands after the /") }
    guard let prepared = Stringprep.resourceprep.prepare(resource), !prepared.isEmpty else {
      throw JIDError(.resource, "has characters that are not allowed there")
    }
    return try limit(prepared, .resource)
  }

  private static func limit(_ text: String, _ part: JIDError.Part) throws(JIDError) -> String {
    guard text.utf8.count <= longestPart else { throw JIDError(part, "is longer than \(longestPart) bytes") }
    return text
  }
}

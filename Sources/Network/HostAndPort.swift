// SPDX-License-Identifier: Apache-2.0

internal import TLS

/// A host as people write it, with a port or without one: `example.org`, `example.org:5222`, `192.0.2.1`,
/// `[2001:db8::1]:5222`; the brackets may be left out where there is no port (RFC 5952 §6, RFC 6120 §4.9.3.19).
public struct HostAndPort: Hashable, Sendable {
  /// The name or the numeric address, without brackets.
  public let host: String
  /// The port, where one is given.
  public let port: UInt16?

  /// Splits `text`; nil where it is neither.
  public init?(_ text: String) {
    if SocketAddress(text, port: 0) != nil {
      self.init(text, nil)
      return
    }
    let parts: (host: Substring, port: Substring?)
    if text.utf8.first == UInt8(ascii: "[") {
      guard let end = text.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      let rest = text[text.utf8.index(after: end)...]
      parts = (text[text.utf8.index(after: text.utf8.startIndex)..<end], rest.isEmpty ? nil : rest.dropFirst())
      guard rest.isEmpty || rest.utf8.first == UInt8(ascii: ":") else { return nil }
      guard parts.host.utf8.contains(UInt8(ascii: ":")), SocketAddress(String(parts.host), port: 0) != nil else {
        return nil
      }
    } else {
      let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
      parts = (text[..<(colon ?? text.endIndex)], colon.map { text[text.utf8.index(after: $0)...] })
    }
    guard !parts.host.isEmpty, !parts.host.utf8.contains(UInt8(ascii: "]")) else { return nil }
    guard let digits = parts.port else {
      self.init(String(parts.host), nil)
      return
    }
    // UInt16 itself takes a sign.
    guard digits.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains), let port = UInt16(digits), port > 0
    else { return nil }
    self.init(String(parts.host), port)
  }

  private init(_ host: String, _ port: UInt16?) {
    self.host = host
    self.port = port
  }
}

// SPDX-License-Identifier: Apache-2.0

/// An XML element as it came, read by a few lines that have nothing in common with the reader they judge.
///
/// They are lenient: prefixes stay in names, and what makes no sense is skipped.
public struct Node: Hashable, Sendable {
  /// The element's name with its prefix.
  public var name: String
  /// Its attributes, namespace declarations among them.
  public var attributes: [String: String] = [:]
  /// The elements in it.
  public var children: [Node] = []
  /// The text directly in it.
  public var text = ""

  /// The value of an attribute.
  public subscript(attribute: String) -> String? { attributes[attribute] }

  /// The first child of this name, and of this namespace when one is given.
  public func child(_ name: String, _ namespace: String? = nil) -> Node? {
    children.first { $0.name == name && (namespace == nil || $0["xmlns"] == namespace) }
  }

  /// The element in one canonical spelling: sorted attributes, double quotes.
  public var canonical: String {
    let attributes = self.attributes.sorted { $0.key < $1.key }.map { " \($0.key)=\"\(escaped($0.value))\"" }
    let content = escaped(text) + children.map(\.canonical).joined()
    let start = "<\(name)\(attributes.joined())"
    return content.isEmpty ? start + "/>" : "\(start)>\(content)</\(name)>"
  }

  /// Reads one element.
  public init?(_ xml: String) {
    var reader = NodeReader(Array(xml.utf8))
    guard let node = reader.element() else { return nil }
    self = node
  }

  init(name: String) { self.name = name }
}

/// `text` fit to stand in XML, also in an attribute.
public func escaped(_ text: String) -> String {
  var result = ""
  for character in text {
    switch character {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&apos;"
    default: result.append(character)
    }
  }
  return result
}

private struct NodeReader {
  let bytes: [UInt8]
  var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func element() -> Node? {
    guard let tag = tag(), !tag.hasPrefix("/") else { return nil }
    var node = start(tag)
    if tag.hasSuffix("/") { return node }
    while at < bytes.count {
      let text = upTo(UInt8(ascii: "<"))
      node.text += unescaped(text)
      guard at + 1 < bytes.count else { break }
      if bytes[at + 1] == UInt8(ascii: "/") {
        _ = self.tag()
        break
      }
      if let child = element() { node.children.append(child) }
    }
    return node
  }

  /// What is between the next `<` and its `>`, which quotes may hide.
  private mutating func tag() -> String? {
    _ = upTo(UInt8(ascii: "<"))
    guard at < bytes.count else { return nil }
    at += 1
    let from = at
    var quote: UInt8?
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if let open = quote {
        if byte == open { quote = nil }
      } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        quote = byte
      } else if byte == UInt8(ascii: ">") {
        return String(decoding: bytes[from..<at - 1], as: UTF8.self)
      }
    }
    return nil
  }

  private mutating func upTo(_ byte: UInt8) -> String {
    let from = at
    while at < bytes.count, bytes[at] != byte { at += 1 }
    return String(decoding: bytes[from..<at], as: UTF8.self)
  }

  private func start(_ tag: String) -> Node {
    var rest = Substring(tag)
    if rest.hasSuffix("/") { rest.removeLast() }
    let name = rest.prefix { !$0.isWhitespace }
    rest = rest.dropFirst(name.count)
    var node = Node(name: String(name))
    while let equals = rest.firstIndex(of: "=") {
      let key = rest[..<equals].filter { !$0.isWhitespace }
      rest = rest[rest.index(after: equals)...].drop { $0.isWhitespace }
      guard let quote = rest.popFirst(), let end = rest.firstIndex(of: quote) else { break }
      node.attributes[key] = unescaped(String(rest[..<end]))
      rest = rest[rest.index(after: end)...]
    }
    return node
  }

  private func unescaped(_ text: String) -> String {
    guard text.contains("&") else { return text }
    var result = ""
    var rest = Substring(text)
    while let ampersand = rest.firstIndex(of: "&"), let end = rest[ampersand...].firstIndex(of: ";") {
      result += rest[..<ampersand]
      let entity = rest[rest.index(after: ampersand)..<end]
      switch entity {
      case "amp": result += "&"
      case "lt": result += "<"
      case "gt": result += ">"
      case "quot": result += "\""
      case "apos": result += "'"
      default:
        let hexadecimal = entity.hasPrefix("#x")
        if let code = UInt32(entity.dropFirst(hexadecimal ? 2 : 1), radix: hexadecimal ? 16 : 10),
          let scalar = Unicode.Scalar(code)
        {
          result.unicodeScalars.append(scalar)
        }
      }
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }
}

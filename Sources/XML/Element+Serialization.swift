// SPDX-License-Identifier: Apache-2.0

extension Element {
  /// The element as text.
  ///
  /// - Parameter namespace: the default namespace at the place where it goes; it is not declared again.
  public func serialized(within namespace: String = "") -> String {
    String(decoding: bytes(within: namespace), as: UTF8.self)
  }

  /// The element as UTF-8; see ``serialized(within:)``.
  public func bytes(within namespace: String = "") -> [UInt8] {
    var writer = Writer()
    writer.write(self, within: namespace)
    return writer.output
  }
}

/// Text for places where no ``Element`` fits: a stream's header, which stays open (RFC 6120 §4.2).
public enum XMLText {
  /// `text` as it stands in character data or in a quoted attribute value.
  ///
  /// What XML cannot carry at all (control characters) becomes U+FFFD: a peer would end the stream over it.
  public static func escaped(_ text: String) -> String {
    var writer = Writer()
    writer.escape(Array(text.utf8)[...], inAttribute: true)
    return String(decoding: writer.output, as: UTF8.self)
  }
}

/// Writes elements as UTF-8, each in its namespace as the default one.
private struct Writer {
  var output: [UInt8] = []

  mutating func write(_ element: Element, within outer: String) {
    let fragment = element.fragment
    let name = element.name
    let namespace = element.namespace
    put("<")
    put(name)
    if namespace != outer { putAttribute("xmlns", Array(namespace.utf8)[...]) }
    var prefixes = 0
    for attribute in fragment.attributes(of: element.node) {
      var name = fragment.name(attribute.name)
      let namespace = fragment.name(attribute.namespace)
      if namespace == xmlNamespace {
        name = "xml:" + name
      } else if !namespace.isEmpty {
        prefixes += 1
        putAttribute("xmlns:a\(prefixes)", Array(namespace.utf8)[...])
        name = "a\(prefixes):" + name
      }
      putAttribute(name, fragment.bytes[Int(attribute.start)..<Int(attribute.start + attribute.count)])
    }
    guard Int(element.node.end) > element.index + 1 else { return put("/>") }
    put(">")
    element.forEachChild { node, index in
      if node.isText {
        escape(fragment.bytes[Int(node.start)..<Int(node.start + node.count)], inAttribute: false)
      } else {
        write(Element(fragment, at: index), within: namespace)
      }
      return true
    }
    put("</")
    put(name)
    put(">")
  }

  private mutating func put(_ text: String) { output.append(contentsOf: text.utf8) }

  private mutating func putAttribute(_ name: String, _ value: ArraySlice<UInt8>) {
    put(" ")
    put(name)
    put("='")
    escape(value, inAttribute: true)
    put("'")
  }

  mutating func escape(_ bytes: ArraySlice<UInt8>, inAttribute: Bool) {
    for index in bytes.indices {
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "&"): put("&amp;")
      case UInt8(ascii: "<"): put("&lt;")
      case UInt8(ascii: ">"): put("&gt;")
      case UInt8(ascii: "'") where inAttribute: put("&apos;")
      case UInt8(ascii: "\"") where inAttribute: put("&quot;")
      // A parser would turn these into blanks or line feeds.
      case UInt8(ascii: "\t") where inAttribute: put("&#9;")
      case UInt8(ascii: "\n") where inAttribute: put("&#10;")
      case UInt8(ascii: "\r"): put("&#13;")
      case UInt8(ascii: "\t"), UInt8(ascii: "\n"): output.append(byte)
      case ..<0x20: put("\u{fffd}")
      // U+FFFE and U+FFFF, EF BF BE and EF BF BF, are no characters of XML either.
      case 0xbe...0xbf where bytes[..<index].suffix(2) == [0xef, 0xbf]: output.append(0xbd)
      default: output.append(byte)
      }
    }
  }
}

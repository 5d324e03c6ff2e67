// SPDX-License-Identifier: Apache-2.0

internal import CXML

/// A start tag as libxml2 reports it. Valid only within the callback.
struct StartTag {
  let name: UnsafePointer<UInt8>?
  let prefix: UnsafePointer<UInt8>?
  let uri: UnsafePointer<UInt8>?
  let namespaceCount: Int
  let attributeCount: Int
  // Prefix and URI for each declaration.
  fileprivate let namespaces: UnsafeMutablePointer<UnsafePointer<UInt8>?>?
  // Name, prefix, URI, begin and end of the value for each attribute.
  fileprivate let attributes: UnsafeMutablePointer<UnsafePointer<UInt8>?>?

  struct Attribute {
    let name: UnsafePointer<UInt8>?
    let uri: UnsafePointer<UInt8>?
    let value: UnsafeBufferPointer<UInt8>
  }

  func attribute(_ index: Int) -> Attribute {
    guard let attributes, index < attributeCount, let begin = attributes[index * 5 + 3],
      let end = attributes[index * 5 + 4]
    else { return Attribute(name: nil, uri: nil, value: UnsafeBufferPointer(start: nil, count: 0)) }
    return Attribute(
      name: attributes[index * 5], uri: attributes[index * 5 + 2],
      value: UnsafeBufferPointer(start: begin, count: end - begin))
  }

  /// The declarations in the tag; the prefix of the default namespace is empty.
  var declarations: [(prefix: String, uri: String)] {
    guard let namespaces else { return [] }
    return (0..<namespaceCount).map { index in
      let (prefix, uri) = (namespaces[index * 2], namespaces[index * 2 + 1])
      return (prefix.map { String(cString: $0) } ?? "", uri.map { String(cString: $0) } ?? "")
    }
  }
}

/// A start tag that declares what a stream's header declared, for a context that starts in the middle.
struct StreamHeader {
  private(set) var tag: [UInt8] = []
  /// The namespace of what has no prefix; empty where none was declared.
  private(set) var contentNamespace = ""

  init() {}

  init(_ start: StartTag) {
    let prefix = start.prefix.map { String(cString: $0) + ":" } ?? ""
    var text = "<" + prefix + (start.name.map { String(cString: $0) } ?? "")
    for (prefix, uri) in start.declarations {
      text += " xmlns" + (prefix.isEmpty ? "" : ":" + prefix) + "='" + XMLText.escaped(uri) + "'"
      if prefix.isEmpty { contentNamespace = uri }
    }
    tag = Array((text + ">").utf8)
  }
}

private func assembly(_ data: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<Assembly>? {
  data?.assumingMemoryBound(to: Assembly.self)
}

/// The functions that libxml2 calls; their data is the address of an ``Assembly``.
func streamHandler() -> xmlSAXHandler {
  var handler = xmlSAXHandler()
  handler.initialized = XML_SAX2_MAGIC
  handler.startElementNs = { data, name, prefix, uri, namespaceCount, namespaces, attributeCount, _, attributes in
    assembly(data)?.pointee.startElement(
      StartTag(
        name: name, prefix: prefix, uri: uri, namespaceCount: Int(namespaceCount), attributeCount: Int(attributeCount),
        namespaces: namespaces, attributes: attributes))
  }
  handler.endElementNs = { data, _, _, _ in assembly(data)?.pointee.endElement() }
  let characters: charactersSAXFunc = { data, start, count in
    assembly(data)?.pointee.characters(UnsafeBufferPointer(start: start, count: Int(count)))
  }
  handler.characters = characters
  handler.ignorableWhitespace = characters
  handler.cdataBlock = characters
  handler.comment = { data, _ in assembly(data)?.pointee.fail(.restrictedXML("a comment")) }
  handler.processingInstruction = { data, _, _ in
    assembly(data)?.pointee.fail(.restrictedXML("a processing instruction"))
  }
  handler.internalSubset = { data, _, _, _ in
    assembly(data)?.pointee.fail(.restrictedXML("a document type declaration"))
  }
  handler.reference = { data, _ in assembly(data)?.pointee.fail(.restrictedXML("an entity reference")) }
  handler.serror = { data, error in
    guard let error, error.pointee.level.rawValue >= XML_ERR_ERROR.rawValue else { return }
    assembly(data)?.pointee.noteError(code: error.pointee.code)
  }
  return handler
}

extension StreamParserError {
  /// The error for one of libxml2's; `nil` for what other parsers let pass: a namespace need not be a URI, and a
  /// stranger must not be able to end our stream with one.
  init?(libraryCode code: Int32) {
    switch xmlParserErrors(rawValue: UInt32(bitPattern: code)) {
    case XML_WAR_NS_URI, XML_WAR_NS_URI_RELATIVE: return nil
    case XML_ERR_UNDECLARED_ENTITY, XML_WAR_UNDECLARED_ENTITY: self = .restrictedXML("an entity reference")
    case XML_NS_ERR_UNDEFINED_NAMESPACE: self = .unboundPrefix
    case XML_ERR_INVALID_ENCODING, XML_ERR_UNKNOWN_ENCODING, XML_ERR_UNSUPPORTED_ENCODING:
      self = .unsupportedEncoding
    default: self = .notWellFormed(code: Int(code))
    }
  }
}

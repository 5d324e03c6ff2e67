// SPDX-License-Identifier: Apache-2.0

// A stanza is kept as three flat arrays instead of a tree of objects: its nodes in the order of the document, their
// attributes, and the bytes of every text and attribute value. Making one costs a few allocations whatever its
// size, and strings are made only of what somebody reads.

/// An element or a run of text.
struct Node: Sendable {
  /// Index into ``Fragment/names``; ``Node/text`` for a run of text.
  var name: Int32
  /// Index into ``Fragment/names``; 0 for none.
  var namespace: Int32
  /// The index of the first node behind this one and all that it contains.
  var end: Int32
  /// An element's first attribute, a text's first byte.
  var start: Int32
  /// How many attributes, or bytes.
  var count: Int32

  /// Stands for a name where a run of text has none.
  static let text: Int32 = -1
  var isText: Bool { name == Node.text }
}

/// An attribute; its value is a range of ``Fragment/bytes``.
struct AttributeRecord: Sendable {
  var name: Int32
  var namespace: Int32
  var start: Int32
  var count: Int32
}

/// The immutable storage that all elements of one stanza share.
final class Fragment: Sendable {
  let nodes: [Node]
  let attributes: [AttributeRecord]
  let bytes: [UInt8]
  /// Names and namespaces; the first is empty. Shared with other stanzas of the same stream.
  let names: [String]
  /// The language of the stream around the stanza (RFC 6120 §4.7.4).
  let language: String?

  init(
    nodes: [Node], attributes: [AttributeRecord], bytes: [UInt8], names: [String], language: String? = nil
  ) {
    self.nodes = nodes
    self.attributes = attributes
    self.bytes = bytes
    self.names = names
    self.language = language
  }

  func name(_ index: Int32) -> String { names[Int(index)] }

  func string(from start: Int32, count: Int32) -> String {
    bytes.withUnsafeBufferPointer { bytes in
      String(decoding: UnsafeBufferPointer(rebasing: bytes[Int(start)..<Int(start + count)]), as: UTF8.self)
    }
  }

  func attributes(of node: Node) -> ArraySlice<AttributeRecord> {
    attributes[Int(node.start)..<Int(node.start + node.count)]
  }
}

/// The namespace that the prefix `xml` is bound to without a declaration.
let xmlNamespace = "http://www.w3.org/XML/1998/namespace"

// SPDX-License-Identifier: Apache-2.0

internal import XML
internal import XMPP

/// What a client on the bus wants to have in a stanza: read, and judged, before it gets anywhere near the stream.
struct StanzaPayload {
  /// The namespace of elements that declare none.
  static let namespace = "jabber:client"
  /// Bytes of the text.
  static let mostBytes = 64 << 10
  /// Bytes of it when it is written: more is put for some characters, and each element names its namespace. Servers end
  /// the stream of whoever sends stanzas of more than 256 KiB.
  static let mostWrittenBytes = 192 << 10
  /// Elements beside each other in a message.
  static let mostElements = 16
  /// Elements within one another.
  static let depth = 32
  /// Attributes of one element.
  static let mostAttributes = 64

  /// The elements.
  let elements: [Element]

  /// Reads the payload of a question or of its answer: one element that says which protocol it belongs to.
  /// - Throws: ``AccountError`` `invalidArgument` or `limitExceeded`.
  static func ofIQ(_ text: String) throws(AccountError) -> Element {
    let elements = try StanzaPayload(text).elements
    guard elements.count == 1 else {
      throw AccountError(
        .invalidArgument, "payload has \(elements.count) elements, but an IQ carries exactly one.")
    }
    guard !elements[0].namespace.isEmpty, elements[0].namespace != namespace else {
      throw AccountError(
        .invalidArgument, "payload is <\(elements[0].name)> without the namespace of a protocol: add an xmlns.")
    }
    return elements[0]
  }

  /// Reads what goes into a message.
  /// - Throws: ``AccountError`` `invalidArgument` or `limitExceeded`.
  static func ofMessage(_ text: String) throws(AccountError) -> [Element] {
    let elements = try StanzaPayload(text).elements
    guard !elements.isEmpty else {
      throw AccountError(.invalidArgument, "payload is empty: a message says something, such as <body>Hello</body>.")
    }
    guard !elements.contains(where: { $0.matches("error", namespace) }) else {
      throw AccountError(.invalidArgument, "payload has an <error>, but a message that is sent reports none.")
    }
    return elements
  }

  /// Reads the error that answers a question; nothing is that we do not know what was asked.
  /// - Throws: ``AccountError`` `invalidArgument` or `limitExceeded`.
  static func ofError(_ text: String) throws(AccountError) -> StanzaError {
    let elements = try StanzaPayload(text).elements
    guard let first = elements.first else { return StanzaError(.serviceUnavailable) }
    guard elements.count == 1, first.matches("error", namespace) else {
      throw AccountError(
        .invalidArgument, "payload must be one <error> with its condition inside (RFC 6120 §8.3.2), or nothing.")
    }
    return StanzaError(first)
  }

  private init(_ text: String) throws(AccountError) {
    guard text.utf8.count <= Self.mostBytes else {
      throw AccountError(
        .limitExceeded, "payload has \(text.utf8.count) bytes, but \(Self.mostBytes) are the most.")
    }
    var limits = XML.Limits()
    // The parser leaves out what breaks these, which is right for what strangers send. A caller is told instead.
    limits.attributes = .max
    limits.depth = Self.mostBytes
    limits.namespaceBytes = .max / 2
    do throws(StreamParserError) {
      elements = try Element.parseAll(text, namespace: Self.namespace, limits: limits)
    } catch {
      throw AccountError(.invalidArgument, "payload cannot be read: \(error).")
    }
    guard elements.count <= Self.mostElements else {
      throw AccountError(
        .limitExceeded, "payload has \(elements.count) elements, but \(Self.mostElements) are the most.")
    }
    try Self.check(elements)
    guard elements.reduce(0, { $0 + $1.writtenBytes }) <= Self.mostWrittenBytes else { throw Self.tooLong }
  }

  private static let tooLong = AccountError(
    .limitExceeded, "payload takes more than \(mostWrittenBytes) bytes when it is sent.")

  /// Refuses what is too deep or too wide, layer by layer, and what has long namespaces again and again before all of them
  /// are written.
  private static func check(_ elements: [Element]) throws(AccountError) {
    var layer = elements.map { (element: $0, outer: namespace) }
    var namespaceBytes = 0
    for _ in 0..<depth {
      for (element, outer) in layer {
        guard element.attributes.count <= mostAttributes else {
          throw AccountError(
            .limitExceeded, "payload has an element with more than \(mostAttributes) attributes.")
        }
        if element.namespace != outer { namespaceBytes += element.namespace.utf8.count }
        for attribute in element.attributes { namespaceBytes += attribute.namespace.utf8.count }
        guard namespaceBytes <= mostWrittenBytes else { throw tooLong }
      }
      layer = layer.flatMap { parent in parent.element.children.map { ($0, parent.element.namespace) } }
      if layer.isEmpty { return }
    }
    throw AccountError(.limitExceeded, "payload nests elements deeper than \(depth).")
  }
}

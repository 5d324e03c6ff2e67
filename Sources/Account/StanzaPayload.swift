// SPDX-License-Identifier: Apache-2.0

package import XML
package import XMPP

/// What a client on the bus wants to have in a stanza: read, and judged, before it gets anywhere near the stream.
package struct StanzaPayload {
  /// The namespace of elements that declare none.
  package static let namespace = "jabber:client"
  /// Bytes of the text.
  static let mostBytes = 64 << 10
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
  package static func ofIQ(_ text: String) throws(AccountError) -> Element {
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
  package static func ofMessage(_ text: String) throws(AccountError) -> [Element] {
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
  package static func ofError(_ text: String) throws(AccountError) -> StanzaError {
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
    // The parser leaves out what breaks these two, which is right for what strangers send. A caller is told instead.
    limits.attributes = .max
    limits.depth = Self.mostBytes
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
  }

  /// Refuses what is too deep or too wide, layer by layer.
  private static func check(_ elements: [Element]) throws(AccountError) {
    var layer = elements
    for _ in 0..<depth {
      for element in layer where element.attributes.count > mostAttributes {
        throw AccountError(
          .limitExceeded, "payload has an element with more than \(mostAttributes) attributes.")
      }
      layer = layer.flatMap(\.children)
      if layer.isEmpty { return }
    }
    throw AccountError(.limitExceeded, "payload nests elements deeper than \(depth).")
  }
}

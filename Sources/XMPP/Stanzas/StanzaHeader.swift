// SPDX-License-Identifier: Apache-2.0

internal import XML

/// What the three kinds of stanza have in common (RFC 6120 §8.1).
struct StanzaHeader {
  let from: JID?
  let to: JID?
  let id: String?
  let type: String?
  let language: String?
  /// The elements inside, but for the error.
  let children: [Element]
  let error: StanzaError?

  init(_ element: Element, _ name: String) throws(MalformedStanza) {
    guard element.matches(name, Namespace.client) else {
      throw MalformedStanza(.badRequest, "it is no <\(name)/> of \(Namespace.client)")
    }
    from = try Self.address(element, "from")
    to = try Self.address(element, "to")
    id = element.attribute("id")
    type = element.attribute("type")
    language = element.language
    let children = element.children
    let errorElement = type == "error" ? children.first { $0.matches("error", Namespace.client) } : nil
    error = errorElement.map(StanzaError.init)
    self.children = errorElement == nil ? children : children.filter { !$0.matches("error", Namespace.client) }
  }

  private static func address(_ element: Element, _ attribute: String) throws(MalformedStanza) -> JID? {
    guard let text = element.attribute(attribute) else { return nil }
    do {
      return try JID(text)
    } catch {
      throw MalformedStanza(.jidMalformed, "its attribute \"\(attribute)\" is no address: \(error)")
    }
  }
}

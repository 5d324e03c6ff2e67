// SPDX-License-Identifier: Apache-2.0

public import XML

/// A message stanza (RFC 6121 §5.2).
public struct Message: Hashable, Sendable {
  /// The types.
  public enum Kind: String, Hashable, Sendable {
    /// A single message; what a message of no or of an unknown type is (RFC 6121 §5.2.2).
    case normal
    /// Part of a conversation of two.
    case chat
    /// Part of a conversation of many.
    case groupchat
    /// News, to which nobody answers.
    case headline
    /// What was sent could not be delivered.
    case error
  }

  /// Who sent it.
  public var from: JID?
  /// Whom it is for.
  public var to: JID?
  /// What its sender calls it.
  public var id: String?
  /// The type.
  public var type: Kind
  /// The language of the text inside.
  public var language: String?
  /// What is wrong, in a stanza of the type `error`.
  public var error: StanzaError?
  /// The other elements, the body among them.
  public var payload: [Element]

  /// A message for sending.
  public init(to: JID?, type: Kind = .normal, id: String? = nil, payload: [Element] = []) {
    self.to = to
    self.type = type
    self.id = id
    self.payload = payload
  }

  /// Reads a message.
  /// - Throws: ``MalformedStanza`` when it is no message, or an address cannot be read.
  public init(_ element: Element) throws(MalformedStanza) {
    let header = try StanzaHeader(element, "message")
    from = header.from
    to = header.to
    id = header.id
    type = header.type.flatMap(Kind.init) ?? .normal
    language = header.language
    error = header.error
    payload = header.children
  }

  /// The stanza as it goes over the wire.
  public var element: Element {
    Element(
      "message", Namespace.client,
      [
        "from": from?.description, "to": to?.description, "id": id,
        "type": type == .normal ? nil : type.rawValue, "xml:lang": language,
      ], children: payload + (error.map { [$0.element] } ?? []))
  }
}

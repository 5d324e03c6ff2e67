// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

let clientNamespace = "jabber:client"
/// What the server's headers say of the language (RFC 6120 §4.7.4).
private let ownStreams = "en"

extension Element {
  /// The stanza as it goes on: from whom it really is, to whom it goes (RFC 6120 §8.1), and in which language where
  /// neither it nor the stream that it goes to says so.
  ///
  /// No byte tells it from one of the server's own making: else what a hidden session answers could be told from what the
  /// server says for one that is not there.
  func stamped(from: Address, to: Address?) -> Element {
    var result = [Attribute("from", from.description)]
    if let to { result.append(Attribute("to", to.description)) }
    for name in ["id", "type"] { attribute(name).map { result.append(Attribute(name, $0)) } }
    result += attributes.filter { !(["from", "to", "id", "type"].contains($0.name) && $0.namespace.isEmpty) }
    if ownLanguage == nil, let language, language != ownStreams { result.append(Attribute("xml:lang", language)) }
    return with(attributes: result)
  }

  /// The stanza's type.
  var type: String? { attribute("type") }

  /// Whom it is for, as a client of that address would say it: in its prepared form, and not as the sender wrote it.
  private var recipient: String? { attribute("to").map { (try? JID($0))?.description ?? $0 } }

  /// Whether it may be answered by an error (RFC 6120 §8.3.1): answers and errors must not be.
  var mayFail: Bool {
    switch name {
    case "iq": type == "get" || type == "set"
    default: type != "error"
    }
  }

  /// The error that tells its sender that it was not delivered. What it said is not repeated.
  func failure(_ error: StanzaError, to sender: Address) -> Element {
    Element(
      name, clientNamespace,
      ["from": recipient, "to": sender.description, "id": attribute("id"), "type": "error"],
      children: [error.element])
  }

  /// The answer to it, from whomever it asked.
  func result(_ payload: Element?, to sender: Address) -> Element {
    Element(
      "iq", clientNamespace,
      ["from": recipient, "to": sender.description, "id": attribute("id"), "type": "result"],
      children: payload.map { [$0] } ?? [])
  }

  /// A presence of the server's own making.
  static func presence(type: String? = nil) -> Element { Element("presence", clientNamespace, ["type": type]) }
}

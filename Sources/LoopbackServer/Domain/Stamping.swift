// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

let clientNamespace = "jabber:client"

extension Element {
  /// The stanza as it goes on: from whom it really is, to whom it goes (RFC 6120 §8.1), and in which language where it
  /// does not say so itself.
  func stamped(from: Address, to: Address?) -> Element {
    var result = [Attribute("from", from.description)]
    if let to { result.append(Attribute("to", to.description)) }
    result += attributes.filter { !(($0.name == "from" || $0.name == "to") && $0.namespace.isEmpty) }
    if ownLanguage == nil, let language { result.append(Attribute("xml:lang", language)) }
    return with(attributes: result)
  }

  /// The stanza's type.
  var type: String? { attribute("type") }

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
      ["from": attribute("to"), "to": sender.description, "id": attribute("id"), "type": "error"],
      children: [error.element])
  }

  /// The answer to it, from whomever it asked.
  func result(_ payload: Element?, to sender: Address) -> Element {
    Element(
      "iq", clientNamespace,
      ["from": attribute("to"), "to": sender.description, "id": attribute("id"), "type": "result"],
      children: payload.map { [$0] } ?? [])
  }

  /// A presence of the server's own making.
  static func presence(type: String? = nil) -> Element { Element("presence", clientNamespace, ["type": type]) }
}

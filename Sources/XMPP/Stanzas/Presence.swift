// SPDX-License-Identifier: Apache-2.0

public import XML

/// A presence stanza (RFC 6121 §4.7).
public struct Presence: Hashable, Sendable {
  /// The types.
  public enum Kind: Hashable, Sendable {
    /// No type on the wire: its sender is there.
    case available
    /// Its sender is gone, or wants to be for whoever gets this.
    case unavailable
    /// A request to see the presence of whoever gets this.
    case subscribe
    /// Leave to see the presence of its sender.
    case subscribed
    /// Its sender no longer wants to see the presence of whoever gets this.
    case unsubscribe
    /// Refusal, or the end of the leave.
    case unsubscribed
    /// A server's question for presence.
    case probe
    /// What was sent could not be delivered.
    case error
    /// A type that the specification does not know, or `invisible` and `visible` of XEP-0018.
    case other(String)

    init(_ text: String?) {
      self =
        switch text {
        case nil: .available
        case "unavailable": .unavailable
        case "subscribe": .subscribe
        case "subscribed": .subscribed
        case "unsubscribe": .unsubscribe
        case "unsubscribed": .unsubscribed
        case "probe": .probe
        case "error": .error
        case let text?: .other(text)
        }
    }

    /// The attribute on the wire; nil for ``available``.
    public var text: String? {
      switch self {
      case .available: nil
      case .unavailable: "unavailable"
      case .subscribe: "subscribe"
      case .subscribed: "subscribed"
      case .unsubscribe: "unsubscribe"
      case .unsubscribed: "unsubscribed"
      case .probe: "probe"
      case .error: "error"
      case .other(let text): text
      }
    }
  }

  /// How its sender is available (RFC 6121 §4.7.2.1); plain "available" has no element.
  public enum Show: String, Hashable, Sendable, CaseIterable {
    /// Wants to talk.
    case chat
    /// Is away for a moment.
    case away
    /// Is away for longer.
    case xa
    /// Does not want to be disturbed.
    case dnd
  }

  /// Who sent it.
  public var from: JID?
  /// Whom it is for; everybody who may know where there is none.
  public var to: JID?
  /// What its sender calls it.
  public var id: String?
  /// The type.
  public var type: Kind
  /// How its sender is available; nil for plain "available", also where the stanza has an unknown value.
  public var show: Show?
  /// What its sender says about it; the first where there are several languages.
  public var status: String?
  /// The priority of its sender's session, −128 to 127; nil where the stanza has none that can be read.
  public var priority: Int8?
  /// The language of the text inside.
  public var language: String?
  /// What is wrong, in a stanza of the type `error`.
  public var error: StanzaError?
  /// The other elements.
  public var payload: [Element]

  /// A presence stanza for sending.
  public init(to: JID? = nil, type: Kind = .available, payload: [Element] = []) {
    self.to = to
    self.type = type
    self.payload = payload
  }

  /// Reads a presence stanza. Values of an unknown type, `show` and `priority` do no harm; they are left to others.
  /// - Throws: ``MalformedStanza`` when it is no presence, or an address cannot be read.
  public init(_ element: Element) throws(MalformedStanza) {
    let header = try StanzaHeader(element, "presence")
    from = header.from
    to = header.to
    id = header.id
    type = Kind(header.type)
    language = header.language
    error = header.error
    payload = []
    for child in header.children {
      switch child.namespace == Namespace.client ? child.name : "" {
      case "show": show = show ?? Show(rawValue: child.text)
      case "status": status = status ?? child.text
      case "priority": priority = priority ?? Int8(child.text)
      default: payload.append(child)
      }
    }
  }

  /// The stanza as it goes over the wire.
  public var element: Element {
    var children: [Element] = []
    if let show { children.append(Element("show", Namespace.client, text: show.rawValue)) }
    if let status { children.append(Element("status", Namespace.client, text: status)) }
    if let priority { children.append(Element("priority", Namespace.client, text: String(priority))) }
    children += payload
    if let error { children.append(error.element) }
    return Element(
      "presence", Namespace.client,
      [
        "from": from?.description, "to": to?.description, "id": id, "type": type.text, "xml:lang": language,
      ], children: children)
  }
}

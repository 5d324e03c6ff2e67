// SPDX-License-Identifier: Apache-2.0

public import XML

/// A stanza of RFC 6120, coming or going.
public enum Stanza: Hashable, Sendable {
  /// Who is there, and who may know.
  case presence(Presence)
  /// Something said.
  case message(Message)
  /// A question, or its answer.
  case iq(IQ)

  /// Reads a stanza.
  /// - Throws: ``MalformedStanza`` when it is none, or breaks a rule of RFC 6120 §8.
  public init(_ element: Element) throws(MalformedStanza) {
    switch element.name {
    case "presence": self = .presence(try Presence(element))
    case "message": self = .message(try Message(element))
    case "iq": self = .iq(try IQ(element))
    default: throw MalformedStanza(.badRequest, "it is neither presence nor message nor IQ")
    }
  }

  /// The stanza as it goes over the wire.
  public var element: Element {
    switch self {
    case .presence(let presence): presence.element
    case .message(let message): message.element
    case .iq(let iq): iq.element
    }
  }

  /// Who sent it. None in a stanza from our server on behalf of our own account (RFC 6120 §8.1.2.1).
  public var from: JID? {
    switch self {
    case .presence(let presence): presence.from
    case .message(let message): message.from
    case .iq(let iq): iq.from
    }
  }

  /// Whom it is for.
  public var to: JID? {
    switch self {
    case .presence(let presence): presence.to
    case .message(let message): message.to
    case .iq(let iq): iq.to
    }
  }

  /// What its sender calls it.
  public var id: String? {
    switch self {
    case .presence(let presence): presence.id
    case .message(let message): message.id
    case .iq(let iq): iq.id
    }
  }

  /// What is wrong, in a stanza of the type `error`.
  public var error: StanzaError? {
    switch self {
    case .presence(let presence): presence.error
    case .message(let message): message.error
    case .iq(let iq): iq.error
    }
  }

  /// The elements inside that the stanza's own properties do not tell of.
  public var payload: [Element] {
    switch self {
    case .presence(let presence): presence.payload
    case .message(let message): message.payload
    case .iq(let iq): iq.payload
    }
  }
}

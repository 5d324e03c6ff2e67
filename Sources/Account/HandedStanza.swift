// SPDX-License-Identifier: Apache-2.0

internal import XML
internal import XMPP

/// A stanza as it is handed to a handler.
public struct HandedStanza: Hashable, Sendable {
  /// For a question what its answer names; for a message what its sender called it, which may be nothing.
  public let id: String
  /// Who sent it.
  public let from: String
  /// The stanza's type.
  public let type: String
  /// The elements inside, one behind the other. Those that declare no namespace are of `jabber:client`.
  public let payload: String
  /// Who is to have it, and nobody else: the names that the handlers were added by.
  public let recipients: [String]

  init(_ iq: IQ, id: String, from: JID, to client: String) {
    self.id = id
    self.from = from.description
    type = iq.type.rawValue
    payload = Self.text(iq.payload)
    recipients = [client]
  }

  init(_ message: Message, from: JID, to clients: [String]) {
    id = message.id ?? ""
    self.from = from.description
    type = message.type.rawValue
    payload = Self.text(message.payload + (message.error.map { [$0.element] } ?? []))
    recipients = clients
  }

  private static func text(_ elements: [Element]) -> String {
    elements.map { $0.serialized(within: StanzaPayload.namespace) }.joined()
  }
}

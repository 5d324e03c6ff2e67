// SPDX-License-Identifier: Apache-2.0

package import XML
package import XMPP

/// A stanza as it is handed to a handler.
public struct HandedStanza: Hashable, Sendable {
  /// For a question what its answer names; for a message what its sender called it, which may be nothing.
  public let id: String
  /// Who sent it.
  public let from: String
  /// The stanza's type.
  public let type: String
  /// The elements inside, one behind the other, or the whole stanza. Those that declare no namespace are of
  /// `jabber:client`.
  public let payload: String
  /// Who is to have it, and nobody else: the names that the handlers were added by.
  public let recipients: [String]

  /// A question.
  /// - Parameter whole: the stanza as it came, for whoever wants to know whom it was for.
  package init(_ iq: IQ, whole: Element? = nil, id: String, from: JID, to client: String) {
    self.id = id
    self.from = from.description
    type = iq.type.rawValue
    payload = Self.text(whole.map { [$0] } ?? iq.payload)
    recipients = [client]
  }

  /// A message; the same.
  package init(_ message: Message, whole: Element? = nil, from: JID, to clients: [String]) {
    id = message.id ?? ""
    self.from = from.description
    type = message.type.rawValue
    payload = Self.text(whole.map { [$0] } ?? message.payload + (message.error.map { [$0.element] } ?? []))
    recipients = clients
  }

  private static func text(_ elements: [Element]) -> String {
    elements.map { $0.serialized(within: StanzaPayload.namespace) }.joined()
  }
}

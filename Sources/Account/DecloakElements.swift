// SPDX-License-Identifier: Apache-2.0

package import Audience
package import XML
package import XMPP

/// The elements of Presence Decloaking in their three dialects, and what in a stanza keeps it from being a request.
package enum DecloakElements {
  package static let namespace = "urn:xmpp:decloak:0"

  /// Each dialect's element and namespace. The first one's reason wins: it is the specification's; the second is
  /// what came before it (XEP-0276 §1), the third is what Gabble shipped.
  package static let dialects: [(name: String, namespace: String)] = [
    ("decloak", namespace),
    ("decloak", "http://telepathy.freedesktop.org/xmpp/protocol/decloak"),
    ("temppres", "urn:xmpp:temppres:0"),
  ]

  /// The request in a presence stanza, however many dialects it speaks; `nil` when there is none.
  package static func request(in presence: Presence) -> (reason: DecloakReason, namespaces: [String])? {
    let found = dialects.compactMap { dialect in
      presence.payload.first { $0.name == dialect.name && $0.namespace == dialect.namespace }
    }
    guard let first = found.first else { return nil }
    return (DecloakReason(attribute: first.attribute("reason")), found.map(\.namespace))
  }

  /// What we add to our presence when we ask.
  package static func elements(_ reason: DecloakReason) -> [Element] {
    dialects.map { Element($0.name, $0.namespace, reason == .unstated ? [:] : ["reason": reason.rawValue]) }
  }

  /// Whether the server kept the stanza for us while we were away (XEP-0203): its sender may long be gone.
  package static func isDelayed(_ presence: Presence) -> Bool { isDelayed(presence.payload) }

  /// As ``isDelayed(_:)-(Presence)``, of what is in any stanza.
  package static func isDelayed(_ payload: [Element]) -> Bool {
    // The second is what some servers still write (XEP-0091).
    payload.contains { $0.matches("delay", "urn:xmpp:delay") || $0.matches("x", "jabber:x:delay") }
  }

  /// Whether the stanza comes from the occupant of a chat room (XEP-0045), who is nobody's stranger.
  package static func isFromRoom(_ presence: Presence) -> Bool { isFromRoom(presence.payload) }

  /// As ``isFromRoom(_:)-(Presence)``, of what is in any stanza.
  package static func isFromRoom(_ payload: [Element]) -> Bool {
    payload.contains { $0.matches("x", "http://jabber.org/protocol/muc#user") }
  }
}

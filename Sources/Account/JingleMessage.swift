// SPDX-License-Identifier: Apache-2.0

internal import XML
internal import XMPP

/// Jingle Message Initiation (XEP-0353), as far as it has to be known to be kept apart from other messages.
enum JingleMessage {
  /// The namespaces in which it is spoken; the second is that of its versions 0.4 and 0.5.
  static let namespaces = ["urn:xmpp:jingle-message:0", "urn:xmpp:jingle-message:1"]

  /// A proposal, or what takes it back.
  struct Part: Hashable, Sendable {
    let namespace: String
    /// What the proposer calls the call.
    let id: String
  }

  /// The proposal of a call in a message; `nil` where there is none. Only from one to one, and not what a server kept for
  /// us: whoever proposed that has long hung up.
  static func proposal(in message: Message) -> Part? {
    guard message.type == .chat || message.type == .normal, !DecloakElements.isDelayed(message.payload),
      !DecloakElements.isFromRoom(message.payload)
    else { return nil }
    return part("propose", of: message)
  }

  /// What takes a proposal back.
  static func retraction(in message: Message) -> Part? { part("retract", of: message) }

  /// Whether there is a proposal in a message at all, be it one that nobody can be asked about.
  static func hasProposal(_ message: Message) -> Bool { part("propose", of: message) != nil }

  private static func part(_ name: String, of message: Message) -> Part? {
    for element in message.payload where element.name == name && namespaces.contains(element.namespace) {
      return Part(namespace: element.namespace, id: element.attribute("id") ?? "")
    }
    return nil
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import XML
package import XMPP

/// Who handles which protocols for an account: programs that the person runs, each known by a name that is its own.
///
/// A namespace has one handler at most, so that a question has one answer. Messages that belong to none of these go to all
/// who take messages, since the server then keeps them for nobody else.
package struct StanzaHandlers {
  /// Programs that handle something.
  static let mostClients = 16
  /// Namespaces of all of them.
  static let mostNamespaces = 256
  /// Bytes of a namespace.
  static let longestNamespace = 256
  /// Messages whose senders are remembered, so that a bounce finds its way back.
  static let mostSent = 64

  /// What the account answers or does itself.
  private static let reserved: Set = [
    "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/caps", "urn:xmpp:ping",
    "urn:ietf:params:xml:ns:xmpp-stanzas",
  ]
  /// What is said in messages to the account, whichever of its resources takes it.
  private static let ofMessages: Set = Set(JingleMessage.namespaces).union([StanzaPayload.namespace])

  private var takers: [String: Bool] = [:]
  private var wholes: Set<String> = []
  private var owners: [String: String] = [:]
  private var sent: [(id: String, client: String)] = []

  /// Nobody handles anything.
  package init() {}

  /// Whether somebody takes messages.
  package var takesMessages: Bool { takers.keys.contains { takesMessages($0) } }

  /// What they add to what we can do, in order.
  package var features: [String] { owners.keys.filter { $0 != StanzaPayload.namespace }.sorted() }

  /// Adds to what a client handles. What it handles already stays.
  /// - Parameter wantsWhole: whether it is handed whole stanzas.
  /// - Throws: ``AccountError`` `invalidArgument`, `alreadyExists` or `limitExceeded`; then nothing is changed.
  package mutating func add(
    _ namespaces: [String], takesMessages: Bool, wantsWhole: Bool = false, for client: String
  ) throws(AccountError) {
    guard !namespaces.isEmpty || takesMessages else {
      throw AccountError(.invalidArgument, "namespaces is empty: name at least one protocol that you handle.")
    }
    guard takers[client] != nil || takers.count < Self.mostClients else {
      throw AccountError(.limitExceeded, "\(Self.mostClients) handlers are the most for one account.")
    }
    for namespace in namespaces { try check(namespace, for: client) }
    guard Set(owners.keys).union(namespaces).count <= Self.mostNamespaces else {
      throw AccountError(
        .limitExceeded, "\(Self.mostNamespaces) namespaces are the most that are handled for one account.")
    }
    for namespace in namespaces { owners[namespace] = client }
    takers[client] = takesMessages || takers[client] == true
    if wantsWhole { wholes.insert(client) }
  }

  private func check(_ namespace: String, for client: String) throws(AccountError) {
    guard !namespace.isEmpty, namespace.utf8.count <= Self.longestNamespace,
      namespace.unicodeScalars.allSatisfy({ $0.value >= 0x20 })
    else {
      throw AccountError(
        .invalidArgument, "A namespace has 1 to \(Self.longestNamespace) bytes and no control characters.")
    }
    guard !Self.reserved.contains(namespace), !ServiceNamespaces.areOurs(namespace),
      !DecloakElements.dialects.contains(where: { $0.namespace == namespace })
    else {
      throw AccountError(.invalidArgument, "\"\(namespace)\" is handled by the daemon itself.")
    }
    guard owners[namespace].map({ $0 == client }) ?? true else {
      throw AccountError(.alreadyExists, "\"\(namespace)\" is handled by another program already.")
    }
  }

  /// Takes away from what a client handles; all of it where nothing is named.
  package mutating func remove(_ namespaces: [String], for client: String) {
    guard !namespaces.isEmpty else { return removeClient(client) }
    for namespace in namespaces where owners[namespace] == client { owners[namespace] = nil }
    if takers[client] == false, !owners.values.contains(client) { removeClient(client) }
  }

  /// Whether a client handles anything, or may be told of a bounce.
  func knows(_ client: String) -> Bool { takers[client] != nil || sent.contains { $0.client == client } }

  /// The client is gone.
  package mutating func removeClient(_ client: String) {
    takers[client] = nil
    wholes.remove(client)
    owners = owners.filter { $0.value != client }
    sent.removeAll { $0.client == client }
  }

  /// Remembers who sent a message.
  package mutating func noteSent(_ id: String, by client: String) {
    if sent.count == Self.mostSent { sent.removeFirst() }
    sent.append((id, client))
  }

  /// Whether a client is handed whole stanzas.
  package func wantsWhole(_ client: String) -> Bool { wholes.contains(client) }

  /// Whether a message is the bounce of one that was sent.
  package func isBounce(_ message: Message) -> Bool { message.type == .error && sent.contains { $0.id == message.id } }

  /// Who answers a question.
  package func handler(of namespace: String) -> String? { owners[namespace] }

  /// Who gets a message.
  package func recipients(of message: Message) -> [String] {
    if message.type == .error, let sender = sent.last(where: { $0.id == message.id }) { return [sender.client] }
    let handlers = Set(message.payload.compactMap { owners[$0.namespace] })
    return (handlers.isEmpty ? takers.keys.filter { takesMessages($0) } : Array(handlers)).sorted()
  }

  private func takesMessages(_ client: String) -> Bool {
    takers[client] == true || Self.ofMessages.contains { owners[$0] == client }
  }
}

/// Namespaces with which a person's programs could get round Visibility and Connection.
package enum ServiceNamespaces {
  private static let ours: Set = [
    "jabber:iq:privacy", "jabber:iq:roster", "urn:xmpp:blocking", "urn:xmpp:invisible",
    // One server binds a second resource to a stream (measured), and from then on takes nothing that does not name one.
    "urn:ietf:params:xml:ns:xmpp-bind", "urn:ietf:params:xml:ns:xmpp-session", "jabber:iq:auth",
  ]

  /// Whether only the account itself speaks the protocol.
  package static func areOurs(_ namespace: String) -> Bool {
    ours.contains(namespace) || namespace.hasPrefix("urn:xmpp:invisible:")
  }

  /// Whether our server goes to others for us when we set it: to channels (XEP-0405).
  static func arePassedOn(_ namespace: String) -> Bool { namespace.hasPrefix("urn:xmpp:mix:pam:") }

  /// Whether the server tells contacts of it when we set it: personal events and vCards.
  package static func areTold(_ namespace: String) -> Bool {
    namespace.hasPrefix("http://jabber.org/protocol/pubsub") || namespace == "vcard-temp"
      || namespace == "urn:ietf:params:xml:ns:vcard-4.0"
  }
}

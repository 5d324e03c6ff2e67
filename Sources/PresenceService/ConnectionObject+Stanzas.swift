// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import XMPP

// org.nightcloak.Presence1.Stanzas

extension ConnectionObject {
  /// Refuses whoever has left the bus: it will not leave again, and would handle what it asked for for ever.
  func requirePresent(_ caller: Caller) throws(DBusError) {
    guard server.connection.isPresent(caller) else { throw DBusError(.failed, "\(caller.name) has left the bus.") }
  }

  func removeHandler(namespaces: [String], caller: Caller) async throws {
    client.removeHandler(namespaces, for: caller.name)
    try await delivered()
  }

  func answerIQ(id: String, type: String, payload: String, caller: Caller) async throws {
    let kind = try oneOf([IQ.Kind.result, .error], type, "type")
    try client.answerIQ(id, isError: kind == .error, payload: payload, from: caller.name)
  }

  /// Hands a question to its handler, and to nobody else whatever the bus.
  func hand(iq: HandedStanza) {
    signals(for: iq).iqReceived(id: iq.id, from: iq.from, type: iq.type, payload: iq.payload)
  }

  /// Hands a message to its handlers, and to nobody else whatever the bus.
  func hand(message: HandedStanza) {
    signals(for: message).messageReceived(
      id: message.id, from: message.from, type: message.type, payload: message.payload)
  }

  private func signals(for stanza: HandedStanza) -> StanzasEmitter {
    StanzasEmitter(server, path, to: stanza.recipients)
  }
}

/// How a question is sent, in the options of SendIQ.
struct Questioning {
  static let known = "reveal, timeout"
  /// Milliseconds that SendIQ waits unless it is told otherwise: callers on the bus give up soon after.
  private static let usualTimeout: UInt32 = 19_000
  private static let longestTimeout: UInt32 = 120_000

  let reveal: Bool
  let limit: Duration

  init(_ options: inout Options) throws(DBusError) {
    reveal = try options.take("reveal") ?? false
    let timeout: UInt32 = try options.take("timeout") ?? Self.usualTimeout
    guard (1...Self.longestTimeout).contains(timeout) else {
      throw DBusError(.invalidArgs, "\"timeout\" is \(timeout) ms, but must be from 1 to \(Self.longestTimeout).")
    }
    limit = .milliseconds(timeout)
  }

  /// The type of a question.
  static func kind(_ text: String) throws(DBusError) -> IQ.Kind { try oneOf([.get, .set], text, "type") }
}

/// The type of a message that a call sends.
func messageKind(_ text: String) throws(DBusError) -> Message.Kind {
  try oneOf([.chat, .normal, .headline, .groupchat], text, "type")
}

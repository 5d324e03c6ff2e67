// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import XMPP

// org.nightcloak.Presence1.Stanzas

extension AccountObject: StanzasServer {
  /// Milliseconds that SendIQ waits unless it is told otherwise: callers on the bus give up soon after.
  private static let usualTimeout: UInt32 = 19_000
  private static let longestTimeout: UInt32 = 120_000

  func sendIQ(
    to: String, type: String, payload: String, options: [String: Value], caller: Caller
  ) async throws -> String {
    let jid = to.isEmpty ? nil : try anyJID(to, "to")
    let kind = try oneOf([IQ.Kind.get, .set], type, "type")
    var options = Options(options, in: "options of SendIQ")
    let reveal: Bool = try options.take("reveal") ?? false
    let timeout: UInt32 = try options.take("timeout") ?? Self.usualTimeout
    try options.end(known: "reveal, timeout")
    guard (1...Self.longestTimeout).contains(timeout) else {
      throw DBusError(.invalidArgs, "\"timeout\" is \(timeout) ms, but must be from 1 to \(Self.longestTimeout).")
    }
    return try await client.sendIQ(kind, to: jid, payload: payload, reveal: reveal, limit: .milliseconds(timeout))
  }

  func sendMessage(
    to: String, type: String, payload: String, options: [String: Value], caller: Caller
  ) async throws -> String {
    let jid = try anyJID(to, "to")
    let kind = try oneOf([Message.Kind.chat, .normal, .headline, .groupchat], type, "type")
    var options = Options(options, in: "options of SendMessage")
    let reveal: Bool = try options.take("reveal") ?? false
    try options.end(known: "reveal")
    return try client.sendMessage(kind, to: jid, payload: payload, reveal: reveal, from: caller.name)
  }

  func addHandler(namespaces: [String], options: [String: Value], caller: Caller) async throws {
    var options = Options(options, in: "options of AddHandler")
    let messages: Bool = try options.take("messages") ?? false
    try options.end(known: "messages")
    // Who has left will not leave again, and would handle these for ever.
    guard server.connection.isPresent(caller) else { throw DBusError(.failed, "\(caller.name) has left the bus.") }
    try client.addHandler(namespaces, takesMessages: messages, for: caller.name)
    try await delivered()
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

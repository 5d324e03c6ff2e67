// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import XMPP

// org.nightcloak.Presence1.Stanzas

extension AccountObject {
  func sendIQ(
    to: String, type: String, payload: String, options: [String: Value], caller: Caller
  ) async throws -> String {
    let jid = to.isEmpty ? nil : try anyJID(to, "to")
    let kind = try Questioning.kind(type)
    var options = Options(options, in: "options of SendIQ")
    let questioning = try Questioning(&options)
    try options.end(known: Questioning.known)
    return try await client.sendIQ(
      kind, to: jid, payload: payload, reveal: questioning.reveal, limit: questioning.limit)
  }

  func sendMessage(
    to: String, type: String, payload: String, options: [String: Value], caller: Caller
  ) async throws -> String {
    let jid = try anyJID(to, "to")
    let kind = try messageKind(type)
    var options = Options(options, in: "options of SendMessage")
    let reveal: Bool = try options.take("reveal") ?? false
    try options.end(known: "reveal")
    return try client.sendMessage(kind, to: jid, payload: payload, reveal: reveal, from: caller.name)
  }

  func addHandler(namespaces: [String], options: [String: Value], caller: Caller) async throws {
    var options = Options(options, in: "options of AddHandler")
    let messages: Bool = try options.take("messages") ?? false
    try options.end(known: "messages")
    try requirePresent(caller)
    try client.addHandler(namespaces, takesMessages: messages, for: caller.name)
    try await delivered()
  }
}

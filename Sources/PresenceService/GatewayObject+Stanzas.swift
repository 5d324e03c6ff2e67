// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import Gateway
internal import XMPP

// org.nightcloak.Presence1.Stanzas

extension GatewayObject {
  func sendIQ(
    to: String, type: String, payload: String, options: [String: Value], caller: Caller
  ) async throws -> String {
    let jid = try anyJID(to, "to")
    let kind = try Questioning.kind(type)
    var options = Options(options, in: "options of SendIQ at a gateway")
    let from = try from(&options)
    let questioning = try Questioning(&options)
    try options.end(known: "from, \(Questioning.known)")
    return try await client.sendIQ(
      kind, to: jid, from: from, payload: payload, reveal: questioning.reveal, limit: questioning.limit)
  }

  func sendMessage(
    to: String, type: String, payload: String, options: [String: Value], caller: Caller
  ) async throws -> String {
    let jid = try anyJID(to, "to")
    let kind = try messageKind(type)
    var options = Options(options, in: "options of SendMessage at a gateway")
    let from = try from(&options)
    let reveal: Bool = try options.take("reveal") ?? false
    try options.end(known: "from, reveal")
    return try client.sendMessage(kind, to: jid, from: from, payload: payload, reveal: reveal, from: caller.name)
  }

  func addHandler(namespaces: [String], options: [String: Value], caller: Caller) async throws {
    var options = Options(options, in: "options of AddHandler at a gateway")
    let messages: Bool = try options.take("messages") ?? false
    let whole: Bool = try options.take("whole") ?? false
    try options.end(known: "messages, whole")
    try requirePresent(caller)
    try client.addHandler(namespaces, takesMessages: messages, wantsWhole: whole, for: caller.name)
    try await delivered()
  }
}

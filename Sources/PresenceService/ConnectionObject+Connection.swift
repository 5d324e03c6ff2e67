// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import TLS
internal import XMPP

// org.nightcloak.Presence1.Connection

extension ConnectionObject {
  var account: String { client.jid.description }
  var status: String { client.status.rawValue }
  var statusReason: String { client.statusReason }
  var show: String { client.presence.show?.rawValue ?? "available" }
  var statusText: String { client.presence.status }
  var security: [String: Value] {
    guard let security = client.security else { return [:] }
    var entry: Entry = ["Mechanism": security.mechanism.value]
    if let binding = security.channelBinding { entry["ChannelBinding"] = binding.rawValue.value }
    entry["Tls"] = (security.tls?.version ?? "none").value
    if let tls = security.tls {
      entry["Cipher"] = tls.cipher.value
      entry["CertificateSHA256"] = tls.certificateSHA256.value
    }
    return entry
  }

  func connect(caller: Caller) async throws {
    // It gives up by itself in time, and says why, unless it waits behind a Disconnect.
    try await CallLimit.within(
      "An earlier Disconnect has not come to its end yet. Connecting goes on behind it: Status tells how far it is.",
      limit: CallLimit.answer + .milliseconds(500)
    ) { [client] in try await client.connect() }
  }

  func disconnect(caller: Caller) async throws {
    try await CallLimit.within(
      """
      The server has not taken all goodbyes within \(CallLimit.answer.components.seconds) seconds. Disconnecting goes \
      on: Status tells when it is done.
      """
    ) { [client] in await client.disconnect() }
  }
}

/// The show of a call; `nil` for plain "available".
func presenceShow(_ text: String) throws(DBusError) -> Presence.Show? {
  guard text != "available" else { return nil }
  guard let show = Presence.Show(rawValue: text) else {
    throw DBusError(
      .invalidArgs, "show is \"\(text.prefix(100))\", but must be \"available\", \"chat\", \"away\", \"xa\" or \"dnd\"."
    )
  }
  return show
}

/// The words of a call that go with a show.
func presenceStatus(_ text: String) throws(DBusError) -> String {
  guard text.utf8.count <= 1024 else {
    throw DBusError(.invalidArgs, "status has \(text.utf8.count) bytes, but 1024 are the most.")
  }
  return text
}

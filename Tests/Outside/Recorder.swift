// SPDX-License-Identifier: Apache-2.0

import Support

/// Somebody outside: a client of its own, with one resource, who writes down all that comes of our account.
final class Recorder {
  /// What our presence said when it last came.
  struct Seen: Equatable {
    let show: String
    let status: String
  }

  /// What the story calls them.
  let role: String
  let user: String
  let resource: String
  /// Whether they broadcast presence of their own.
  let broadcasts: Bool
  /// Their bare and full JID.
  var bare: String { "\(user)@localhost" }
  var full: String { "\(bare)/\(resource)" }
  /// The client while it is logged in.
  private(set) var client: RawClient?
  /// What they see of us: our full JIDs that are there for them.
  private(set) var seen: [String: Seen] = [:]
  /// What came of us lately, for complaints.
  private(set) var recent: [String] = []
  /// They logged in, or were shown us while they were away, and it is not sure that they know of us.
  var isLate = false

  init(_ role: String, user: String, resource: String, broadcasts: Bool = true) {
    self.role = role
    self.user = user
    self.resource = resource
    self.broadcasts = broadcasts
  }

  func logIn(_ port: UInt16) throws {
    client = try RawClient.login(name: role, port: port, user: user, password: "pass-\(user)", resource: resource)
    seen = [:]
    // Without it some servers send no subscription requests.
    try client?.iq("get", to: nil, "<query xmlns='jabber:iq:roster'/>")
    if broadcasts { try client?.send("<presence/>") }
    try client?.ping()
  }

  /// Logs out, and gives what came until the stream was closed.
  func logOut() throws -> [RawClient.Received] {
    defer { client = nil }
    try client?.close()
    return client?.takeAll() ?? []
  }

  /// Receives the rest after the server has gone.
  func wasLeft() -> [RawClient.Received] {
    defer { client = nil }
    client?.receiveRest(within: .seconds(5))
    return client?.takeAll() ?? []
  }

  func send(_ xml: String) throws {
    guard let client else { throw WitnessError("\(role) is not logged in") }
    try client.send(xml)
  }

  /// Knows nothing of us any more.
  func forget() { seen = [:] }

  /// Takes note of what came of us.
  func note(_ stanza: RawClient.Received) {
    recent.append(stanza.raw)
    if recent.count > 20 { recent.removeFirst(10) }
    let presence = stanza.node
    guard presence.name == "presence", let from = presence["from"] else { return }
    switch presence["type"] {
    case nil:
      seen[from] = Seen(
        show: presence.child("show")?.text ?? "available", status: presence.child("status")?.text ?? "")
    case "unavailable" where from.contains("/"): seen[from] = nil
    // Whose subscription has ended knows nothing any more; Prosody sends such contacts no unavailable (measured). An
    // unavailable from our bare JID is a server's answer to a probe, where it counts us as offline because we broadcast
    // nothing: clients keep presence by full JID, and what was directed to them stands.
    case "unsubscribed": seen = [:]
    default: break
    }
  }

  /// What they see in one line.
  var view: String {
    seen.isEmpty
      ? "nothing"
      : seen.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.show) \"\($0.value.status)\"" }
        .joined(separator: ", ")
  }
}

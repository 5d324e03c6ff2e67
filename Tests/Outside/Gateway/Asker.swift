// SPDX-License-Identifier: Apache-2.0

import Support

/// Somebody who asks the gateway, at one resource, and writes down all that comes of its addresses.
final class Asker {
  /// What the story calls them.
  let role: String
  let user: String
  let resource: String
  let domain: String
  var bare: String { "\(user)@\(domain)" }
  var full: String { "\(bare)/\(resource)" }
  /// A domain that is a component itself, so that no server stands between it and the gateway.
  var isForeign: Bool { domain != "localhost" }

  /// Whether they are online.
  var isThere = false
  /// The client, where they are our server's.
  var client: RawClient?
  /// What they see: addresses of the gateway that are there for them.
  private(set) var seen: [String: Recorder.Seen] = [:]
  /// Addresses that were shown to them, or may have been, while they were away.
  var late: Set<String> = []
  /// Addresses that they have sent presence to, and not told yet that they go.
  var directed: Set<String> = []
  /// Addresses that told them of a subscription, as their roster has it.
  var roster: Set<String> = []
  /// What came of the gateway lately, for complaints.
  private var recent: [String] = []

  init(_ user: String, _ resource: String, at domain: String = "localhost") {
    role = "\(user)/\(resource)\(domain == "localhost" ? "" : "@\(domain)")"
    (self.user, self.resource, self.domain) = (user, resource, domain)
  }

  func forget() {
    seen = [:]
    directed = []
  }

  /// It has gone offline to an address.
  func left(_ address: String) { seen[address] = nil }

  /// Takes note of what came of the gateway.
  func note(_ stanza: RawClient.Received) {
    let node = stanza.node
    guard node.name == "presence", let from = node["from"].map(bareJID) else { return }
    recent.append(stanza.raw)
    if recent.count > 40 { recent.removeFirst(20) }
    switch node["type"] {
    case nil:
      seen[from] = Recorder.Seen(
        show: node.child("show")?.text ?? "available", status: node.child("status")?.text ?? "")
      late.remove(from)
    case "unavailable": seen[from] = nil
    case "subscribed": roster.insert(from)
    // What was seen in a session is shown again behind it.
    case "unsubscribed":
      roster.remove(from)
      seen[from] = nil
    default: break
    }
  }

  /// What came of an address lately.
  func lately(_ address: String) -> String {
    recent.filter { $0.contains(escaped(address)) }.suffix(6).map { "\n    came: \($0)" }.joined()
  }
}

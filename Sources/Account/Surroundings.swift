// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XMPP

/// What our server says of itself (XEP-0030).
struct Surroundings {
  /// The mechanisms that it announces.
  let announced: Set<Mechanism>
  /// The mechanisms that can be used, the best first.
  let supported: [Mechanism]
  /// The namespace of the invisible command, where it has it.
  let invisibleNamespace: String
  /// What was measured of such servers.
  let traits: ServerTraits

  init(_ info: DiscoInfo? = nil, trustsUnannounced: Bool = false) {
    let features = Set(info?.features ?? [])
    // Servers that had presence of type invisible announced it so (ejabberd 2.1; Gabble looked for it).
    var announced: Set<Mechanism> = features.contains("presence-invisible") ? [.invisiblePresence] : []
    let commands = ["urn:xmpp:invisible:1", "urn:xmpp:invisible:0"].filter(features.contains)
    if !commands.isEmpty { announced.insert(.invisibleCommand) }
    if features.contains(PrivacyLists.namespace) { announced.insert(.privacyList) }
    self.announced = announced
    let usable = announced.union(trustsUnannounced ? [.invisiblePresence, .directed] : [.directed])
    supported = Mechanism.allCases.filter(usable.contains)
    invisibleNamespace = commands.first ?? "urn:xmpp:invisible:1"
    traits = ServerTraits(named: info?.identities.first { $0.category == "server" }?.name)
  }
}

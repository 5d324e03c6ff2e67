// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

// The invisible command (XEP-0186), in both its namespaces. The forwarding is the same as for presence of the type
// `invisible`; what differs is that the way back is to a session that has not sent presence yet.

extension LoopbackDomain {
  static let invisibleCommands = ["urn:xmpp:invisible:0", "urn:xmpp:invisible:1"]

  static func isInvisibleCommand(_ namespace: String, _ features: LoopbackFeatures) -> Bool {
    features.invisibleCommand && invisibleCommands.contains(namespace)
  }

  mutating func beInvisible(_ command: Element, _ id: SessionID) throws(StanzaError) -> Element? {
    guard let session = sessions[id] else { return nil }
    let probes = try probes(command)
    perform(sessions[id]?.forwarding.invisible() ?? [], of: id, present: .presence())
    gone(id)
    if !session.isAvailable {
      sessions[id]?.isAvailable = true
      // It gets presence (§3.1.1). Messages to the account would be swallowed by a session that has not said yet that it
      // wants them.
      sessions[id]?.priority = -1
      if probes != .none { seeOthers(id, asking: probes) }
    }
    return nil
  }

  private func probes(_ command: Element) throws(StanzaError) -> Probes {
    switch command.attribute("probe") {
    case "true", "1": .everywhere
    // Version 0 has no such attribute, and says nothing of probes: what nobody else learns of does no harm.
    case nil where command.namespace == Self.invisibleCommands[0]: .here
    case nil, "false", "0": .none
    default: throw StanzaError(.badRequest)
    }
  }

  mutating func beVisible(_ id: SessionID) -> Element? {
    sessions[id]?.forwarding.restart()
    sessions[id]?.presence = nil
    sessions[id]?.isAvailable = false
    return nil
  }
}

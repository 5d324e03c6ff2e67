// SPDX-License-Identifier: Apache-2.0

internal import XML
public import XMPP

/// What an entity says that it is and can do (XEP-0030), as far as it has been verified.
public struct Capabilities: Hashable, Sendable {
  /// The namespaces of the protocols that it speaks, sorted.
  public var features: [String] = []
  /// What it is.
  public var identities: [DiscoInfo.Identity] = []
  /// The software's node (XEP-0115); empty when none was announced.
  public var node = ""

  /// Nothing known.
  public init() {}

  package init(_ info: DiscoInfo, node: String) {
    features = info.features.sorted()
    identities = Array(info.identities)
    self.node = node
  }
}

/// Entity capabilities as they stand in a presence stanza (XEP-0115 §4): a claim.
package struct AnnouncedCapabilities: Hashable, Sendable {
  /// What the hash of the capabilities is called.
  struct Hash: Hashable, Sendable {
    let algorithm: String
    let value: String
  }

  let node: String
  let hash: Hash

  /// Reads the element; `nil` where there is none, or one from before there were hashes.
  package init?(in presence: Presence) {
    guard
      let element = presence.payload.first(where: { $0.matches("c", EntityCapabilities.namespace) }),
      let node = element.attribute("node"), let value = element.attribute("ver"),
      let algorithm = element.attribute("hash"), node.utf8.count + value.utf8.count + algorithm.utf8.count <= 1024
    else { return nil }
    self.node = node
    hash = Hash(algorithm: algorithm, value: value)
  }
}

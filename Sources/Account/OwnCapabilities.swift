// SPDX-License-Identifier: Apache-2.0

internal import XML
internal import XMPP

/// What we are and can do, and its hash.
enum OwnCapabilities {
  static let node = "https://nightcloak.org"

  static let info = DiscoInfo(
    identities: [DiscoInfo.Identity(category: "client", type: "pc", language: nil, name: "nightcloak")],
    features: [
      "http://jabber.org/protocol/caps", DiscoInfo.namespace, DecloakElements.namespace, "urn:xmpp:ping",
    ])

  static let hash = EntityCapabilities.hash(info)

  /// What goes into our presence (XEP-0115 §4).
  static let element = Element(
    "c", EntityCapabilities.namespace, ["hash": "sha-1", "node": node, "ver": hash])
}

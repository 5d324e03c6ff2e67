// SPDX-License-Identifier: Apache-2.0

internal import XML
internal import XMPP

/// What we are and can do, and its hash.
struct OwnCapabilities: Hashable, Sendable {
  static let node = "https://nightcloak.org"
  private static let own = [
    "http://jabber.org/protocol/caps", DiscoInfo.namespace, DecloakElements.namespace, "urn:xmpp:ping",
  ]

  let info: DiscoInfo
  let hash: String

  /// - Parameter handled: the namespaces that others handle for us.
  init(handled: [String] = []) {
    info = DiscoInfo(
      identities: [DiscoInfo.Identity(category: "client", type: "pc", language: nil, name: "nightcloak")],
      features: Self.own + handled.filter { !Self.own.contains($0) })
    hash = EntityCapabilities.hash(info)
  }

  /// What goes into our presence (XEP-0115 §4).
  var element: Element {
    Element("c", EntityCapabilities.namespace, ["hash": "sha-1", "node": Self.node, "ver": hash])
  }
}

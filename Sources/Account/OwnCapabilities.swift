// SPDX-License-Identifier: Apache-2.0

package import XML
package import XMPP

/// What we are and can do, and its hash.
package struct OwnCapabilities: Hashable, Sendable {
  static let node = "https://nightcloak.org"
  private static let own = [
    "http://jabber.org/protocol/caps", DiscoInfo.namespace, DecloakElements.namespace, "urn:xmpp:ping",
  ]

  package let info: DiscoInfo
  package let hash: String

  /// What an account is.
  package static let client = DiscoInfo.Identity(category: "client", type: "pc", language: nil, name: "nightcloak")

  /// - Parameters:
  ///   - identities: what we are; what is said twice counts once.
  ///   - handled: the namespaces that others handle for us; the same.
  package init(identities: [DiscoInfo.Identity] = [client], handled: [String] = []) {
    var known = Set(Self.own)
    var named: Set<DiscoInfo.Identity> = []
    info = DiscoInfo(
      identities: identities.filter { named.insert($0).inserted },
      features: Self.own + handled.filter { known.insert($0).inserted })
    hash = EntityCapabilities.hash(info)
  }

  /// What goes into our presence (XEP-0115 §4).
  package var element: Element {
    Element("c", EntityCapabilities.namespace, ["hash": "sha-1", "node": Self.node, "ver": hash])
  }
}

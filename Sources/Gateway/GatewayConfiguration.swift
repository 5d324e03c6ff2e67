// SPDX-License-Identifier: Apache-2.0

public import Account
public import Audience
public import XMPP

/// What a gateway is given once, when it is added.
public struct GatewayConfiguration: Sendable {
  /// How to connect to the server, and as which domain.
  public var component: ComponentConfiguration
  /// What can be done with those whom our addresses stand for: the namespaces of protocols, beside those that handlers
  /// add.
  public var features: [String]
  /// What our addresses are (XEP-0030).
  public var identities: [DiscoInfo.Identity]
  /// Who may see any of our addresses before anything else is said. Its groups do not count: there is no roster.
  public var visibility: VisibilityWish
  /// Whether it connects as soon as it is added, and goes on trying.
  public var connectsByItself: Bool

  /// What is said of a gateway's addresses where nothing else is: that calls go to SIP.
  public static let usualIdentities = [DiscoInfo.Identity(category: "gateway", type: "sip", name: "nightcloak")]
  /// What can be done there: audio calls (XEP-0166, XEP-0167, XEP-0176).
  public static let usualFeatures = [
    "urn:xmpp:jingle:1", "urn:xmpp:jingle:apps:rtp:1", "urn:xmpp:jingle:apps:rtp:audio",
    "urn:xmpp:jingle:transports:ice-udp:1",
  ]
  /// Features that one gateway may announce.
  public static let mostFeatures = 256
  /// Identities that one gateway may have.
  public static let mostIdentities = 16

  /// Describes a gateway.
  public init(
    component: ComponentConfiguration, features: [String] = usualFeatures,
    identities: [DiscoInfo.Identity] = usualIdentities, visibility: VisibilityWish = .visible,
    connectsByItself: Bool = false
  ) {
    self.component = component
    self.features = features
    self.identities = identities
    self.visibility = visibility
    self.connectsByItself = connectsByItself
  }

  /// Finds out whether all of it can be said.
  /// - Throws: ``AccountError`` `invalidArgument` or `limitExceeded`, naming what cannot.
  public func check() throws(AccountError) {
    guard features.count <= Self.mostFeatures, identities.count <= Self.mostIdentities else {
      throw AccountError(
        .limitExceeded,
        "\(Self.mostFeatures) features and \(Self.mostIdentities) identities are the most that a gateway can have.")
    }
    for feature in features where !Self.isText(feature) {
      throw AccountError(
        .invalidArgument, "features: \"\(feature.prefix(100))\" is no namespace: it is empty, too long, or no text.")
    }
    for identity in identities {
      let names = [identity.category, identity.type]
      guard names.allSatisfy(Self.isText),
        [identity.language, identity.name].allSatisfy({ $0.map(Self.isText) ?? true })
      else {
        throw AccountError(
          .invalidArgument,
          "identities: each has a category and a type (XEP-0030), and no part of more than \(Self.longestText) bytes.")
      }
    }
    let own = OwnCapabilities(identities: identities, handled: features)
    guard EntityCapabilities.verify(own.info, hash: own.hash, algorithm: "sha-1") else {
      throw AccountError(
        .invalidArgument,
        "identities: there is none, or one that others could take for another (XEP-0115): no \"/\" in category and type."
      )
    }
    guard visibility.groups.isEmpty else {
      throw AccountError(.invalidArgument, "contacts: a gateway has no roster with groups: name contacts instead.")
    }
  }

  /// Bytes of a feature, or of a part of an identity.
  private static let longestText = 256

  private static func isText(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= longestText
      && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value & 0xFFFE != 0xFFFE }
  }
}

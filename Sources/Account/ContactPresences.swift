// SPDX-License-Identifier: Apache-2.0

internal import XML
public import XMPP

/// The presence of contacts, resource by resource (RFC 6121 §4).
public struct ContactPresences: Sendable {
  static let mostResources = 64
  /// Code points of a status text that are kept: whoever asks us to decloak can say as much as a stanza holds.
  static let longestStatus = 1024

  /// What one resource says of itself.
  public struct Resource: Hashable, Sendable {
    /// What it is doing; `nil` is plain "available".
    public let show: Presence.Show?
    /// What it says about it.
    public let status: String
    /// Its priority.
    public let priority: Int8
    /// The entity capabilities that it announced, not verified.
    let announced: AnnouncedCapabilities?
  }

  private var contacts: [BareJID: [String: Resource]] = [:]

  /// The resources of a contact that are available; the empty name stands for an entity without resources.
  public func resources(of contact: BareJID) -> [String: Resource] { contacts[contact] ?? [:] }

  /// What was announced in the presence of `jid`.
  func announced(by jid: JID) -> AnnouncedCapabilities? { contacts[jid.bare]?[jid.resource ?? ""]?.announced }

  /// The resource that counts when one is to stand for the contact: that with the highest priority.
  public func best(of contact: BareJID) -> Resource? {
    resources(of: contact).sorted { $0.key < $1.key }.map(\.value).max { $0.priority < $1.priority }
  }

  /// Takes available presence.
  /// - Returns: whether anything changed.
  mutating func available(_ jid: JID, _ presence: Presence) -> Bool {
    let resource = Resource(
      show: presence.show, status: Self.shortened(presence.status), priority: presence.priority ?? 0,
      announced: AnnouncedCapabilities(in: presence))
    let name = jid.resource ?? ""
    guard contacts[jid.bare]?[name] != resource else { return false }
    guard contacts[jid.bare]?[name] != nil || (contacts[jid.bare]?.count ?? 0) < Self.mostResources else {
      return false
    }
    contacts[jid.bare, default: [:]][name] = resource
    return true
  }

  private static func shortened(_ status: String?) -> String {
    String(String.UnicodeScalarView((status ?? "").unicodeScalars.prefix(longestStatus)))
  }

  /// Takes unavailable presence; from a bare JID it means all resources.
  /// - Returns: whether anything changed.
  mutating func unavailable(_ jid: JID) -> Bool {
    guard let resource = jid.resource else { return contacts.removeValue(forKey: jid.bare) != nil }
    let gone = contacts[jid.bare]?.removeValue(forKey: resource) != nil
    if contacts[jid.bare]?.isEmpty == true { contacts[jid.bare] = nil }
    return gone
  }

  mutating func removeAll() { contacts.removeAll() }
}

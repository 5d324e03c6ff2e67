// SPDX-License-Identifier: Apache-2.0

package import XML
public import XMPP

/// Our own presence, and the forms in which it is sent.
public struct OwnPresence: Hashable, Sendable {
  /// What we are doing; `nil` is plain "available".
  public var show: Presence.Show?
  /// What we say about it.
  public var status = ""
  /// Our priority (RFC 6121 §4.7.2.3).
  public var priority: Int8

  /// Entity capabilities' element (XEP-0115 §4).
  package var capabilities: Element

  /// Plain "available".
  package init(priority: Int8, capabilities: Element) {
    self.priority = priority
    self.capabilities = capabilities
  }

  /// Prosody's mod_vcard_legacy adds the avatar's hash to presence that says nothing of it; an empty photo
  /// (XEP-0153 §4.1) keeps it from doing so (measured).
  private static let noPhoto = Element(
    "x", "vcard-temp:x:update", children: [Element("photo", "vcard-temp:x:update")])

  /// What is broadcast, or sent to somebody who may see all of it.
  package func full(to jid: JID? = nil) -> Presence {
    var presence = Presence(to: jid, payload: [capabilities])
    presence.show = show
    presence.status = status.isEmpty ? nil : status
    presence.priority = jid == nil ? priority : nil
    return presence
  }

  /// What a session shows: that we are there and what we can do, and nothing else (XEP-0276 §7).
  package func bare(to jid: JID, extra: [Element] = []) -> Presence {
    Presence(to: jid, payload: [capabilities, Self.noPhoto] + extra)
  }
}

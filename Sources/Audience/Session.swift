// SPDX-License-Identifier: Apache-2.0

/// A time during which somebody outside our subscriptions sees that we are online (XEP-0276 §3).
public struct Session: Hashable, Sendable {
  /// How a session came to be.
  public enum Origin: String, Hashable, Sendable {
    /// Somebody asked, and a person or a policy said yes.
    case approved
    /// We asked, and so showed ourselves first.
    case requested
    /// We showed ourselves unasked.
    case shared
  }

  /// Who sees us: the resource that asked, or the whole account that we asked.
  public let address: Address
  /// How it came to be.
  public let origin: Origin
  /// Whether show and status are sent too (XEP-0276 §7 says bare presence otherwise).
  public let full: Bool
  /// When it began.
  public let since: Instant
  /// When it ends by itself.
  public var expiresAt: Instant
  /// When stanzas were last exchanged in it: its lifetime counts from there.
  var exchangedAt: Instant?
  /// Whether it turns into a subscription once the roster says so.
  public var upgrading = false
}

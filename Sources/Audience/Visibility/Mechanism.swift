// SPDX-License-Identifier: Apache-2.0

/// How a server is made to keep our presence from some (the API's `Visibility.Mechanism`).
public enum Mechanism: String, CaseIterable, Hashable, Sendable {
  /// Nothing is needed: everybody may see us.
  case none
  /// Presence of type `invisible` and `visible` (XEP-0018).
  case invisiblePresence = "invisible-presence"
  /// The invisible command (XEP-0186).
  case invisibleCommand = "invisible-command"
  /// A privacy list (XEP-0016, XEP-0126).
  case privacyList = "privacy-list"
  /// Presence goes to each who may see it, and is never broadcast. Any server can do it.
  case directed

  /// Whether the server can be told that all but some may see us.
  public var canExcept: Bool { self == .invisiblePresence || self == .privacyList }

  /// Whether hiding, for those who saw us, takes a new stream whose resource nobody knows: otherwise what was seen can be
  /// asked, and the answer told from that of somebody who is not there.
  public var takesNewStream: Bool { self == .privacyList || self == .directed }

  /// Whether the server broadcasts our presence to those who may see it while others may not.
  public var broadcasts: Bool { self == .invisiblePresence || self == .privacyList }
}

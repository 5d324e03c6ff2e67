// SPDX-License-Identifier: Apache-2.0

/// Which extensions the embedded server knows: each can be switched off, so that it looks like another server.
public struct LoopbackFeatures: Sendable, Hashable {
  /// Presence of the types `visible` and `invisible` (XEP-0018), announced as `presence-invisible`. Without it such
  /// presence is answered with `bad-request`, as Prosody does.
  public var invisiblePresence = true
  /// The invisible command (XEP-0186), `urn:xmpp:invisible:0` and `:1`.
  public var invisibleCommand = true
  /// Privacy lists (XEP-0016).
  public var privacyLists = true
  /// Blocking (XEP-0191).
  public var blocking = true

  /// Everything.
  public init() {}

  /// What people's servers have: no extension that hides anybody.
  public static let none = LoopbackFeatures(
    invisiblePresence: false, invisibleCommand: false, privacyLists: false, blocking: false)

  /// Some of it.
  public init(invisiblePresence: Bool, invisibleCommand: Bool, privacyLists: Bool, blocking: Bool) {
    self.invisiblePresence = invisiblePresence
    self.invisibleCommand = invisibleCommand
    self.privacyLists = privacyLists
    self.blocking = blocking
  }
}

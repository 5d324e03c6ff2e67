// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XMPP

/// Finds out about contacts, and about our own other resources, while the server does not tell us by itself.
@LoopActor
final class ContactWatch {
  /// Called when ``degradations`` has changed.
  var onChange: @LoopActor () -> Void = {}

  private let doorkeeper: Doorkeeper
  private let time: any TimeSource

  init(_ doorkeeper: Doorkeeper, time: any TimeSource) {
    self.doorkeeper = doorkeeper
    self.time = time
  }

  /// What cannot be known.
  var degradations: Set<Degradation> {
    doorkeeper.audience.mechanism == .directed ? [.noContactPresence] : []
  }

  /// A stream has come up, or what is in force has changed.
  /// - Parameter contacts: those whose presence we are subscribed to and want to see.
  func begin(_ contacts: [BareJID]) {}

  /// Presence has arrived from somebody whom we are subscribed to, or from a resource of our own.
  func arrived(_ from: JID, _ presence: Presence) {}

  /// The session is over.
  func forget() {}
}

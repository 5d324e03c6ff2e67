// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XML
internal import XMPP

/// Our privacy list at the server (XEP-0016), and nobody else's.
@LoopActor
final class PrivacyLists {
  /// The name of our list.
  nonisolated static let name = "nightcloak"
  nonisolated static let namespace = "jabber:iq:privacy"

  private let requests: IQRequests

  init(requests: IQRequests) { self.requests = requests }

  /// Sets our list so that it keeps to a visibility.
  /// - Throws: ``AccountError``.
  func set(_ visibility: Visibility) async throws(AccountError) {
    throw AccountError(.notSupported, "Privacy lists are not built yet.")
  }

  /// Makes our list the active one of this session.
  /// - Throws: ``AccountError``.
  func activate() async throws(AccountError) {}

  /// Has no active list in this session.
  /// - Throws: ``AccountError``.
  func decline() async throws(AccountError) {}

  /// Removes our list from the server. It does no harm there: should it stay, nobody is told.
  func remove() async {}

  /// Whether the list that is active keeps directed presence from somebody.
  func stops(_ address: Address) -> Bool { false }

  /// The server tells that a list was changed, by us or by another client.
  func pushed(_ name: String) {}

  /// The session is over.
  func forget() {}
}

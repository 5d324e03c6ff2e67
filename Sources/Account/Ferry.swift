// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XMPP

/// Takes directed presence to those from whom the active privacy list keeps it: the list lets them through for the one
/// stanza, and no longer (COMPAT: an item left standing leaks).
@LoopActor
final class Ferry {
  /// Sends a stanza that the list lets through now. It is judged once more.
  var send: @LoopActor (Stanza, _ reveal: Bool) throws(AccountError) -> Void = { _, _ in }

  private let lists: PrivacyLists

  init(_ lists: PrivacyLists) { self.lists = lists }

  /// Whether a stanza has to go this way: it would be stopped, or others to the same wait still.
  func takes(_ stanza: Stanza) -> Bool { false }

  /// Takes a stanza.
  func board(_ stanza: Stanza, reveal: Bool) {}

  /// Waits until nobody is on board.
  /// - Throws: ``AccountError`` when the server did not let something out.
  func drained() async throws(AccountError) {}

  /// The session is over: what has not left stays.
  func forget() {}
}

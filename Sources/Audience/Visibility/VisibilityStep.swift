// SPDX-License-Identifier: Apache-2.0

/// One step of a change of visibility. The next one is taken when this one is confirmed: a question by its answer,
/// presence, which has none, by the ``fence`` behind it.
public enum VisibilityStep: Hashable, Sendable {
  /// Whose sessions end.
  public enum Leaving: Hashable, Sendable {
    /// Everybody's.
    case all
    /// Those with these contacts.
    case contacts([BareAddress])
  }

  /// End sessions, each with its directed unavailable.
  case end(Leaving)
  /// From here on this is who may know. Everything that leaves is checked against it.
  case audience(Visibility)
  /// Tell contacts who see us by subscription that we are gone, one by one. They must still be in the audience, and the
  /// server must not keep it from them yet.
  case sayGone([BareAddress])
  /// Send contacts our presence, one by one.
  case show([BareAddress])
  /// Send undirected presence. The server passes it to those who may see us, or to nobody yet.
  case broadcast
  /// Send undirected unavailable.
  case withdraw
  /// Send `type='invisible'` (XEP-0018 §3.1, §3.3).
  case invisible(BareAddress?)
  /// Send `type='visible'` (XEP-0018 §3.2, §3.4).
  case visible(BareAddress?)
  /// Ask the server to make the session invisible (XEP-0186), and whether it is to probe contacts for us.
  case invisibleCommand(probe: Bool)
  /// Ask the server to make it visible again.
  case visibleCommand
  /// Set our privacy list so that it keeps to this visibility.
  case list(Visibility)
  /// Make our privacy list the active one.
  case activateList
  /// Have no active list.
  case declineList
  /// Nothing needs our privacy list any more.
  case releaseList
  /// The server keeps to the audience now (`true`), or will not any more: whether undirected presence may leave while not
  /// everybody may see it.
  case covered(Bool)
  /// Wait until the server has dealt with all that was sent. Presence errors that came before fail the change.
  case fence
  /// Log out, and log in again with a new random resource that nobody can know. Always the last step: the new stream
  /// begins with what ``VisibilityPlan/start(in:by:among:probe:)`` says.
  case newStream
}

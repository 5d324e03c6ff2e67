// SPDX-License-Identifier: Apache-2.0

/// One step of a change of visibility. The next one is taken when the server has confirmed the one before.
public enum VisibilityStep: Hashable, Sendable {
  /// End all sessions, each with its directed unavailable.
  case endSessions
  /// Broadcast our presence to all who are subscribed.
  case broadcast
  /// Withdraw what was broadcast.
  case withdraw
  /// Log out, and log in again with a new random resource that nobody can know.
  case newStream
}

/// Invisible presence on a server that knows nothing of it: by sending directed presence only.
///
/// The orders below were measured on real servers. Undirected unavailable with nothing broadcast before goes to
/// every contact with the full JID, so it is only ever sent by somebody who broadcast before; and who once saw a
/// full JID can test it, so hiding takes a new one.
public enum VisibilityPlan {
  /// What a change from one mode to another takes on a stream that is up.
  public static func change(from old: Mode, to new: Mode) -> [VisibilityStep] {
    switch (old, new) {
    case (.visible, .invisible): [.endSessions, .withdraw, .newStream]
    case (.invisible, .visible): [.broadcast]
    case (.visible, .visible), (.invisible, .invisible): []
    }
  }

  /// What a new stream takes before it counts as up.
  public static func start(in mode: Mode) -> [VisibilityStep] {
    switch mode {
    case .visible: [.broadcast]
    case .invisible: []
    }
  }

  /// What comes before a stream is closed.
  public static func close(in mode: Mode) -> [VisibilityStep] {
    switch mode {
    case .visible: [.endSessions, .withdraw]
    case .invisible: [.endSessions]
    }
  }
}

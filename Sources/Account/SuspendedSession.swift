// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XMPP

/// A session whose stream was lost and which the server keeps for a while (XEP-0198 §5): to everybody outside nothing
/// has happened yet.
struct SuspendedSession {
  /// What it takes to go on with it.
  var resumption: Resumption
  /// Ends it when the server does.
  var expiry: TimerToken
  /// What we had sent and the server has not confirmed.
  var unconfirmed: UnconfirmedPresence
}

/// Presence that may or may not have arrived before the stream was lost. It is made anew when the session goes on, and
/// never sent again as it was: what it said may not be true any more.
struct UnconfirmedPresence: Hashable {
  /// What is in doubt about one of those who see us, or about all contacts.
  private struct Doubt: Hashable {
    /// Whether nothing had been shown before.
    let isFirst: Bool
    /// Whether the last word was that we are there.
    var isShown: Bool
  }
  private var doubts: [Address?: Doubt] = [:]

  /// Who was sent directed presence.
  var shown: Set<Address> { addresses { $0.isShown } }
  /// Who was told that we are gone.
  var hidden: Set<Address> { addresses { !$0.isShown } }
  /// Who has seen nothing of us where none of it has arrived.
  var unseen: Set<Address> { addresses { $0.isFirst } }
  /// Whether our presence was broadcast last.
  var broadcast: Bool { doubts[nil]?.isShown == true }
  /// Whether it was withdrawn last.
  var withdrawal: Bool { doubts[nil]?.isShown == false }
  /// Whether it takes back what was shown.
  var isFarewell: Bool { doubts.values.contains { !$0.isShown } }
  /// Whether nothing has been broadcast where none of it has arrived.
  var isUnseen: Bool { doubts[nil]?.isFirst == true }

  /// Sorts what the server has not confirmed.
  init(_ sent: [SentStanza]) {
    for stanza in sent {
      guard let presence = stanza.presence else { continue }
      let address = presence.to.map(Address.init)
      let isShown = presence.type == .available
      let isFirst = doubts[address]?.isFirst ?? stanza.notes.contains(.first)
      doubts[address] = Doubt(isFirst: isFirst, isShown: isShown)
    }
  }

  private func addresses(_ isIncluded: (Doubt) -> Bool) -> Set<Address> {
    Set(doubts.compactMap { isIncluded($0.value) ? $0.key : nil })
  }
}

extension SentStanza {
  /// The stanza, where it says that we are there or gone.
  var presence: Presence? {
    guard case .presence(let presence)? = try? Stanza(element),
      presence.type == .available || presence.type == .unavailable
    else { return nil }
    return presence
  }
}

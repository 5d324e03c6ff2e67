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
  /// Who was sent directed presence.
  var shown: Set<Address> = []
  /// Who was told that we are gone.
  var hidden: Set<Address> = []
  /// Whether the broadcast of our presence is among it.
  var broadcast = false
  /// Whether its withdrawal is.
  var withdrawal = false

  /// Sorts what the server has not confirmed.
  init(_ sent: [SentStanza]) {
    for stanza in sent {
      guard let presence = stanza.presence else { continue }
      switch (presence.type, presence.to.map(Address.init)) {
      case (.available, let address?): shown.insert(address)
      case (.available, nil): broadcast = true
      case (.unavailable, let address?): hidden.insert(address)
      case (.unavailable, nil): withdrawal = true
      default: break
      }
    }
  }

  /// What remains when the server, on going on with the session, has said what it had (XEP-0198 §5): who was shown
  /// something is not shown it twice. A withdrawal stays, since we have counted on its loss already.
  /// - Parameter lost: what the server has not had.
  func without(theArrivedOf lost: [SentStanza]) -> UnconfirmedPresence {
    let remaining = UnconfirmedPresence(lost)
    var result = self
    result.shown.formIntersection(remaining.shown)
    result.broadcast = broadcast && remaining.broadcast
    return result
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

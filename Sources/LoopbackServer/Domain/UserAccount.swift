// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML

/// An account of the domain, as the rules see it.
struct UserAccount {
  let address: BareAddress
  var roster: RosterBook
  /// Its sessions, by resource.
  var resources: [String: SessionID] = [:]
  /// Subscription requests that nobody has answered yet, by who asks.
  var requests: [BareAddress: Element] = [:]
  var offline = OfflineMessages()
  var privacy = PrivacyLists()
  var blocked: Set<Address> = []
  /// What it has put on its visiting card (XEP-0054).
  var card: Element?
  /// When it was last seen to go, or to begin to hide; in seconds since 1970.
  var lastGone: UInt64

  init(_ user: LoopbackUser, now: UInt64) {
    address = BareAddress(user.jid)
    roster = RosterBook(of: address, user.roster)
    lastGone = now
  }
}

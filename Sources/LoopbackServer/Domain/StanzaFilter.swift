// SPDX-License-Identifier: Apache-2.0

internal import Audience

/// What an account does not want to get, or to be sent: its privacy list and what it blocks.
///
/// Blocking is kept apart from privacy lists, though XEP-0191 §4 would have it be a part of the default list: a person who
/// has blocked somebody does not expect to hear from them because a program of theirs makes another list active.
struct StanzaFilter {
  let owner: BareAddress
  let list: PrivacyList?
  let blocked: Set<Address>
  /// The roster that the list's rules are about; not held where there is no list.
  let roster: RosterBook?

  init(_ account: UserAccount, list name: String?) {
    owner = account.address
    list = name.flatMap { account.privacy.lists[$0] }
    blocked = account.blocked
    roster = list == nil ? nil : account.roster
  }

  /// Whether it lets everything through.
  var isOpen: Bool { list == nil && blocked.isEmpty }

  /// Whether a kind of stanza does not go to, or come from, somebody. Nothing stands between the account's own sessions.
  func denies(_ kind: PrivacyList.Kind, _ peer: Address) -> Bool {
    guard !isOpen, peer.account != owner else { return false }
    return blocks(peer) || listDenies(kind, peer)
  }

  /// As ``denies(_:_:)``, by the list alone.
  func listDenies(_ kind: PrivacyList.Kind, _ peer: Address) -> Bool {
    peer.account != owner && list?.denies(kind, peer, roster?[peer.account]) ?? false
  }

  /// Whether somebody is blocked.
  func blocks(_ peer: Address) -> Bool {
    guard !blocked.isEmpty else { return false }
    return blocked.contains(peer) || blocked.contains(.bare(peer.account))
      || blocked.contains(.bare(BareAddress(String(peer.account.domain))))
  }
}

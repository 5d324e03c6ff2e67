// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XMPP

/// The policies of accounts that have been removed, for the day when the same user adds them again. In memory, for as
/// long as the daemon runs. Who may see an account is kept in the store.
struct KeptSettings {
  private struct Key: Hashable {
    let uid: UInt32
    let account: BareJID
  }

  /// How many are kept for one user; then the one kept longest makes room.
  static let mostPerUID = 256

  private var policies: [Key: Decloak.Policy] = [:]
  private var order: [UInt32: [BareJID]] = [:]

  /// What was kept of an account.
  func policy(_ account: BareJID, of uid: UInt32) -> Decloak.Policy? { policies[Key(uid: uid, account: account)] }

  /// Keeps what was decided for an account.
  mutating func keep(_ policy: Decloak.Policy, _ account: BareJID, of uid: UInt32) {
    forget(account, of: uid)
    policies[Key(uid: uid, account: account)] = policy
    order[uid, default: []].append(account)
    if let first = order[uid]?.first, (order[uid]?.count ?? 0) > Self.mostPerUID { forget(first, of: uid) }
  }

  /// Drops what was kept of an account.
  mutating func forget(_ account: BareJID, of uid: UInt32) {
    guard policies.removeValue(forKey: Key(uid: uid, account: account)) != nil else { return }
    order[uid]?.removeAll { $0 == account }
    if order[uid]?.isEmpty == true { order[uid] = nil }
  }
}

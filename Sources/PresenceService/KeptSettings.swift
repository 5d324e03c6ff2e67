// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import XMPP

/// What was decided for accounts that have been removed, for the day when the same user adds them again: somebody who
/// hid must not come back visible. In memory, for as long as the daemon runs.
struct KeptSettings {
  /// What is kept of one account.
  struct Settings: Equatable {
    var policy: Decloak.Policy
    var visibility: VisibilityWish
  }

  private struct Key: Hashable {
    let uid: UInt32
    let account: BareJID
  }

  /// How many are kept for one user; then the one kept longest makes room.
  static let mostPerUID = 256

  private var settings: [Key: Settings] = [:]
  private var order: [UInt32: [BareJID]] = [:]

  /// What was kept of an account.
  func settings(_ account: BareJID, of uid: UInt32) -> Settings? { settings[Key(uid: uid, account: account)] }

  /// Keeps what was decided for an account.
  mutating func keep(_ new: Settings, _ account: BareJID, of uid: UInt32) {
    forget(account, of: uid)
    settings[Key(uid: uid, account: account)] = new
    order[uid, default: []].append(account)
    if let first = order[uid]?.first, (order[uid]?.count ?? 0) > Self.mostPerUID { forget(first, of: uid) }
  }

  /// Drops what was kept of an account.
  mutating func forget(_ account: BareJID, of uid: UInt32) {
    guard settings.removeValue(forKey: Key(uid: uid, account: account)) != nil else { return }
    order[uid]?.removeAll { $0 == account }
    if order[uid]?.isEmpty == true { order[uid] = nil }
  }
}

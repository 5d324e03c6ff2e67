// SPDX-License-Identifier: Apache-2.0

package import Audience
package import EventLoop
package import Store

/// Who is wanted to see us, as it is written down: before it is put in force, so that who hid does not come back visible.
@LoopActor
package struct KeptWish {
  /// What stands in the store.
  private var kept: VisibilityWish

  /// - Parameter kept: what stands in the store.
  package init(_ kept: VisibilityWish) { self.kept = kept }

  /// Whether this is what will hold after a restart.
  package func isKept(_ wish: VisibilityWish) -> Bool { wish == kept }

  /// Writes a wish down. A full disk keeps nobody from hiding: what shows us to nobody more is put in force all the same.
  /// - Parameters:
  ///   - wish: what is wanted from now on.
  ///   - wanted: what is wanted until now.
  ///   - store: of the account.
  /// - Returns: why it was not written down, to be told when it is in force.
  /// - Throws: ``AccountError`` `storageFailed`, or `limitExceeded`; then nothing is changed.
  package mutating func keep(
    _ wish: VisibilityWish, insteadOf wanted: VisibilityWish, in store: AccountStore
  ) throws(AccountError) -> AccountError? {
    do throws(AccountError) {
      try wish.keep(in: store, since: kept)
    } catch {
      guard error.code == .storageFailed, !wish.showsMore(than: wanted) else { throw error }
      return Self.untilRestart(error)
    }
    kept = wish
    return nil
  }

  /// What to tell of something that holds, but was not written down.
  package static func untilRestart(_ error: AccountError) -> AccountError {
    AccountError(
      .storageFailed,
      "\(error.text) It holds now, but after a restart of the service what was set before it will: say it again when "
        + "there is room.")
  }
}

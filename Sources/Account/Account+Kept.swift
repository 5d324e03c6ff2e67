// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import Store

// What a person decided for the account, as it is kept beyond the life of the program.

extension Account {
  /// Writes down who is wanted to see us, before it is put in force: who hid must not come back visible.
  /// - Throws: ``AccountError`` `storageFailed`; then nothing is changed.
  func keep(_ wish: VisibilityWish) throws(AccountError) {}

  /// Returns when what was decided is on the disk.
  /// - Throws: ``AccountError`` `storageFailed`.
  func flushKept() async throws(AccountError) {}
}

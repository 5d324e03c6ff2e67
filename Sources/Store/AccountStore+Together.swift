// SPDX-License-Identifier: Apache-2.0

extension AccountStore {
  /// Does all that `work` writes or, where it throws, nothing of it. What it writes is what one call means: whoever finds it
  /// after a crash finds all of it.
  /// - Throws: ``StoreError``; then nothing is changed.
  public func together(_ work: () throws(StoreError) -> Void) throws(StoreError) {
    // An account that has to be begun stays so, whatever comes of the rest.
    _ = try begin()
    do throws(StoreError) {
      try store.state.database.transaction(work)
    } catch {
      // What was counted within it is not so any more.
      (countOfExceptions, countOfRules, countOfDisclosures) = (nil, nil, nil)
      throw error
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

// Who may see the account.

extension AccountStore {
  /// Who was wanted to see the account; nil where nobody ever said.
  /// - Throws: ``StoreError``; then it is not known, and to take it for everybody would be wrong.
  public func visibility() throws(StoreError) -> StoredVisibility? {
    guard let id = try id() else { return nil }
    return try store.state.visibility(id)
  }

  /// Keeps who is wanted to see the account, in place of all that was kept of it.
  /// - Throws: ``StoreError``; then nothing is changed.
  public func setVisibility(_ new: StoredVisibility) throws(StoreError) {
    try change(new.base, removing: nil, adding: Array(new.exceptions))
  }

  /// Keeps a change of it. What it costs depends on what is changed, and not on what there is.
  /// - Parameters:
  ///   - base: what holds beside the exceptions from now on.
  ///   - removed: exceptions that are none any more; those that are not there are passed over.
  ///   - added: exceptions from now on; those that are there already are passed over.
  /// - Throws: ``StoreError``; then nothing is changed.
  public func changeVisibility(
    _ base: StoredVisibility.Base, removing removed: [StoredVisibility.Exception],
    adding added: [StoredVisibility.Exception]
  ) throws(StoreError) {
    try change(base, removing: removed, adding: added)
  }

  private func change(
    _ base: StoredVisibility.Base, removing removed: [StoredVisibility.Exception]?,
    adding added: [StoredVisibility.Exception]
  ) throws(StoreError) {
    let id = try begin()
    // Counted once, since that means looking at each.
    let present: StateDatabase.ExceptionCounts
    if let countOfExceptions { present = countOfExceptions } else { present = try store.state.countExceptions(id) }
    countOfExceptions = try store.state.changeVisibility(base, removing: removed, adding: added, id, present: present)
    store.changed()
  }
}

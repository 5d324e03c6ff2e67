// SPDX-License-Identifier: Apache-2.0

public import EventLoop

/// What is kept of one account.
///
/// Calls that do not await have written when they return: what they wrote survives the end of the program, however it
/// comes, and after ``flush()`` also that of the machine. The roster is written off the loop, in order.
@LoopActor
public final class AccountStore {
  /// Whose it is.
  public let key: AccountKey

  private let store: Store
  private var mechanism: String?
  private var shown: [Disclosure] = []
  private var kept: StoredRoster?

  init(_ key: AccountKey, _ store: Store) {
    self.key = key
    self.store = store
  }

  // MARK: Logging in

  /// The strongest way of logging in that has worked before; nil if none was noted.
  /// - Throws: ``StoreError``; then it is not known, which is something else than that there was none.
  public func leastMechanism() throws(StoreError) -> String? { mechanism }

  /// Notes the strongest way of logging in that has worked; nil forgets it.
  /// - Throws: ``StoreError``.
  public func setLeastMechanism(_ name: String?) throws(StoreError) { mechanism = name }

  // MARK: Disclosures

  /// Who was shown which session, in the order it was noted.
  /// - Throws: ``StoreError``.
  public func disclosures() throws(StoreError) -> [Disclosure] { shown }

  /// Notes that somebody is about to be shown a session. Noting it again changes nothing.
  /// - Throws: ``StoreError``; then nobody may be shown anything, since nothing would clean up after us.
  public func noteDisclosure(resource: String, jid: String) throws(StoreError) {
    try noteDisclosures(resource: resource, jids: [jid])
  }

  /// Notes that several are about to be shown a session: all of them, or none when it throws.
  /// - Throws: ``StoreError``, as ``noteDisclosure(resource:jid:)``.
  public func noteDisclosures(resource: String, jids: [String]) throws(StoreError) {
    for jid in jids where !shown.contains(Disclosure(resource: resource, jid: jid)) {
      shown.append(Disclosure(resource: resource, jid: jid))
    }
  }

  /// Notes that somebody has been told that a session ended.
  /// - Throws: ``StoreError``.
  public func removeDisclosure(resource: String, jid: String) throws(StoreError) {
    shown.removeAll { $0 == Disclosure(resource: resource, jid: jid) }
  }

  /// Notes that everybody knows that a session ended.
  /// - Throws: ``StoreError``.
  public func removeDisclosures(resource: String) throws(StoreError) { shown.removeAll { $0.resource == resource } }

  // MARK: Roster

  /// The roster, with everything that was queued before; nil if there is none, or none that can be read.
  public func roster() async -> StoredRoster? { kept }

  /// Keeps a whole roster, in place of what there was.
  public func replaceRoster(_ roster: StoredRoster) { kept = roster }

  /// Keeps what a roster push changed. Without a roster that it could be a change of, nothing is kept.
  /// - Parameters:
  ///   - version: of the roster with this change.
  ///   - contact: as it is now, new or not.
  public func updateRoster(version: String, contact: StoredContact) {
    removeFromRoster(version: version, jid: contact.jid)
    kept?.contacts.append(contact)
    kept?.contacts.sort { $0.jid < $1.jid }
  }

  /// Keeps that a roster push removed a contact. Without a roster, nothing is kept.
  /// - Parameters:
  ///   - version: of the roster with this change.
  ///   - jid: who was removed.
  public func removeFromRoster(version: String, jid: String) {
    kept?.contacts.removeAll { $0.jid == jid }
    kept?.version = version
  }

  /// Keeps the roster no longer, as after a push without a version.
  public func forgetRoster() { kept = nil }

  // MARK: All of it

  /// Returns when all that was written or queued before is on the disk.
  /// - Throws: ``StoreError`` when that of this account cannot be said.
  public func flush() async throws(StoreError) {}

  /// Removes everything that is kept of the account. What is written afterwards begins anew.
  /// - Throws: ``StoreError``; then it may still be there.
  public func forget() async throws(StoreError) {
    mechanism = nil
    shown = []
    kept = nil
  }
}

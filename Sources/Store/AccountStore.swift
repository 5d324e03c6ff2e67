// SPDX-License-Identifier: Apache-2.0

public import EventLoop

/// What is kept of one account.
///
/// Calls that throw and do not await have written when they return: what they wrote survives the end of the program,
/// however it comes, and after ``flush()`` also that of the machine. The roster is written off the loop, in order; what
/// is kept of it is always a roster that there was, of an older version after a crash.
@LoopActor
public final class AccountStore {
  /// Whose it is.
  public let key: AccountKey

  /// The account's id in the databases, once something was written to them.
  private(set) var knownID: Int64?

  let store: Store
  var countOfExceptions: StateDatabase.ExceptionCounts?
  var countOfRules: Int?
  private var isBegun = false
  private var countOfDisclosures: Int?

  init(_ key: AccountKey, _ store: Store) {
    self.key = key
    self.store = store
  }

  /// The id for reading; nil when nothing is kept.
  func id() throws(StoreError) -> Int64? {
    try store.check()
    if knownID == nil { knownID = try store.id(of: key) }
    return knownID
  }

  /// The id for writing.
  func begin() throws(StoreError) -> Int64 {
    try store.checkForWriting()
    if isBegun, let knownID { return knownID }
    let id = try store.begin(key)
    (knownID, isBegun) = (id, true)
    return id
  }

  // MARK: Logging in

  /// The strongest way of logging in that has worked before; nil if none was noted.
  /// - Throws: ``StoreError``; then it is not known, which is something else than that there was none.
  public func leastMechanism() throws(StoreError) -> String? {
    guard let id = try id() else { return nil }
    return try store.state.mechanism(id)
  }

  /// Notes the strongest way of logging in that has worked; nil forgets it.
  /// - Throws: ``StoreError``.
  public func setLeastMechanism(_ name: String?) throws(StoreError) {
    guard try leastMechanism() != name else { return }
    try store.state.setMechanism(name, try begin())
    store.changed()
  }

  // MARK: Disclosures

  /// Who was shown which session and has not been told of its end, sorted.
  /// - Throws: ``StoreError``.
  public func disclosures() throws(StoreError) -> [Disclosure] {
    guard let id = try id() else { return [] }
    return try store.state.disclosures(id)
  }

  /// Notes that somebody is about to be shown a session. Noting it again changes nothing.
  /// - Parameters:
  ///   - resource: of the session.
  ///   - jid: who is to be shown it, bare or full.
  /// - Throws: ``StoreError``; then nobody may be shown anything, since nothing would clean up after us.
  public func noteDisclosure(resource: String, jid: String) throws(StoreError) {
    try noteDisclosures(resource: resource, jids: [jid])
  }

  /// Notes that several are about to be shown a session: all of them, or none when it throws.
  /// - Throws: ``StoreError``, as ``noteDisclosure(resource:jid:)``.
  public func noteDisclosures(resource: String, jids: [String]) throws(StoreError) {
    guard !jids.isEmpty else { return }
    let id = try begin()
    let present = try count(id)
    let added = try store.state.addDisclosures(resource, jids, id, present: present)
    countOfDisclosures = present + added
    if added > 0 { store.changed() }
  }

  /// Counted once, since that means looking at each.
  private func count(_ id: Int64) throws(StoreError) -> Int {
    if let countOfDisclosures { return countOfDisclosures }
    let count = try store.state.countDisclosures(id)
    countOfDisclosures = count
    return count
  }

  /// Notes that somebody has been told that a session ended.
  /// - Throws: ``StoreError``.
  public func removeDisclosure(resource: String, jid: String) throws(StoreError) {
    try removeDisclosures(resource, jid)
  }

  /// Notes that everybody knows that a session ended.
  /// - Throws: ``StoreError``.
  public func removeDisclosures(resource: String) throws(StoreError) { try removeDisclosures(resource, nil) }

  private func removeDisclosures(_ resource: String, _ jid: String?) throws(StoreError) {
    guard let id = try id() else { return }
    let removed = try store.state.removeDisclosures(resource, jid, id)
    if let present = countOfDisclosures { countOfDisclosures = present - removed }
    if removed > 0 { store.changed() }
  }

  // MARK: Roster

  /// The roster, with everything that was queued before; nil if there is none, or none that can be read. What is changed
  /// afterwards is taken for a change of this one.
  public func roster() async -> StoredRoster? {
    guard let id = attempt({ () throws(StoreError) in try id() }) else { return nil }
    return await store.cache.roster(of: id)
  }

  /// Keeps a whole roster, in place of what there was.
  public func replaceRoster(_ roster: StoredRoster) {
    guard let id = attempt({ () throws(StoreError) in try begin() }) else { return }
    store.cache.replace(roster, of: id)
  }

  /// Keeps what a roster push changed. Without a roster that it could be a change of, nothing is kept.
  /// - Parameters:
  ///   - version: of the roster with this change.
  ///   - contact: as it is now, new or not.
  public func updateRoster(version: String, contact: StoredContact) {
    guard let id = attempt({ () throws(StoreError) in try id() }) else { return }
    store.cache.add(.updated(contact), contact.jid, version: version, of: id)
  }

  /// Keeps that a roster push removed a contact. Without a roster, nothing is kept.
  /// - Parameters:
  ///   - version: of the roster with this change.
  ///   - jid: who was removed.
  public func removeFromRoster(version: String, jid: String) {
    guard let id = attempt({ () throws(StoreError) in try id() }) else { return }
    store.cache.add(.removed, jid, version: version, of: id)
  }

  /// Keeps the roster no longer, as after a push without a version.
  public func forgetRoster() {
    guard let id = attempt({ () throws(StoreError) in try id() }) else { return }
    store.cache.forget(id)
  }

  /// For what nobody waits for.
  func attempt<Result>(_ body: () throws(StoreError) -> Result?) -> Result? {
    do throws(StoreError) {
      return try body()
    } catch {
      store.onFault(error)
      return nil
    }
  }

  // MARK: All of it

  /// Returns when all that was written before is on the disk. The roster is not waited for.
  /// - Throws: ``StoreError`` when that cannot be said.
  public func flush() async throws(StoreError) {
    try store.check()
    try await store.log?.flush()
  }

  /// Removes everything that is kept of the account. What is written afterwards begins anew.
  /// - Throws: ``StoreError``; then some of it may still be there.
  public func forget() async throws(StoreError) {
    guard let id = try id() else { return }
    try store.state.forget(id)
    store.changed()
    (knownID, isBegun, countOfDisclosures, countOfExceptions, countOfRules) = (nil, false, nil, nil, nil)
    // Should we not get further than this: a roster without an account goes when the cache is opened.
    try await store.cache.remove(id)
    try await flush()
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import Store
internal import XMPP

/// Who was shown us by directed presence alone, as it is kept beyond the life of the program.
///
/// Servers tell contacts of the roster that a session ended only where it had broadcast its presence (COMPAT.md): when a
/// hidden one ends without a goodbye, those whom it was shown to would take us for available for ever. What is written
/// down here is what a later stream says goodbye for.
@LoopActor
final class Disclosures {
  /// The resource of the present session.
  var resource: String? {
    didSet { if resource != oldValue { noted.removeAll() } }
  }
  /// Who stands in the store for it: most goodbyes are to others, and cost no look into it.
  private var noted: Set<JID> = []
  private let store: AccountStore
  private let account: BareJID
  private let faults: StoreFaults
  /// What was said, but could not be struck out: it is not said again and again.
  private var settled: Set<String> = []

  init(_ store: AccountStore, account: BareJID, faults: StoreFaults) {
    self.store = store
    self.account = account
    self.faults = faults
  }

  /// What an earlier session left behind: the resource that was shown, and to whom. One resource at a time.
  /// - Throws: ``AccountError`` `storageFailed`.
  func owed() throws(AccountError) -> (resource: String, addresses: [Address])? {
    try AccountError.storing { () throws(StoreError) in
      let all = try store.disclosures().filter { !settled.contains($0.resource) }
      guard let first = all.first else { return nil }
      let jids = all.filter { $0.resource == first.resource }.compactMap { try? JID($0.jid) }
      return (first.resource, jids.filter { $0.bare != account }.map(Address.init))
    }
  }

  /// The present session has the resource of one that owes these goodbyes: each is struck out as it is said.
  func takeUp(_ owed: [Address]) { noted.formUnion(owed.compactMap(\.jid)) }

  /// Notes presence that is about to leave.
  /// - Throws: ``AccountError`` `storageFailed`; then it must not leave.
  func note(_ departure: Departure, to: JID?, _ mode: Mode) throws(AccountError) {
    guard let resource else { return }
    switch (departure, to) {
    case (.available, let to?) where mode != .visible && to.bare != account && !noted.contains(to):
      try AccountError.storing { () throws(StoreError) in
        try store.noteDisclosure(resource: resource, jid: to.description)
      }
      noted.insert(to)
      // A server may give the same resource again.
      settled.remove(resource)
      // Written already, should the program end; on the disk soon, should the machine.
      spawn { await self.flush() }
    case (.unavailable, let to?): settle(to)
    default: break
    }
  }

  /// Notes whom a decision is about to show us to.
  /// - Throws: ``AccountError`` `storageFailed`; then it must not be taken.
  func announce(_ addresses: [Address], _ mode: Mode) throws(AccountError) {
    for jid in addresses.compactMap(\.jid) { try note(.available, to: jid, mode) }
  }

  /// Notes that a goodbye was lost on its way.
  func lostFarewell(to jid: JID, _ mode: Mode) {
    guard let resource, mode != .visible, jid.bare != account, !settled.contains(resource) else { return }
    noted.insert(jid)
    faults.attempt { () throws(StoreError) in try store.noteDisclosure(resource: resource, jid: jid.description) }
  }

  /// The server has our presence for everybody, and tells all of them itself when the session ends. Until it has, they
  /// are owed a goodbye still. What cannot be struck out is at worst taken back twice.
  func broadcastArrived() {
    guard let resource, !noted.isEmpty else { return }
    noted.removeAll()
    faults.attempt { () throws(StoreError) in try store.removeDisclosures(resource: resource) }
  }

  /// Somebody sees nothing of the present session.
  func settle(_ jid: JID) {
    guard let resource, noted.remove(jid) != nil else { return }
    faults.attempt { () throws(StoreError) in try store.removeDisclosure(resource: resource, jid: jid.description) }
  }

  /// Undirected unavailable told all of them that we went, but for some whom it does not reach.
  func settle(allBut others: Set<Address>) {
    let others = Set(others.compactMap(\.jid))
    for jid in noted.subtracting(others) where jid.bare != account { settle(jid) }
  }

  // MARK: The session itself

  /// The present session hides behind a list. Should it end uncleanly the server keeps it for a while, and shows it to
  /// whoever a list of a later session lets through, since both have the same: so that it does not outlive us, its
  /// resource is bound once more, as where somebody is owed a goodbye.
  /// - Throws: ``AccountError`` `storageFailed`.
  func noteSession() throws(AccountError) {
    guard let resource, !noted.contains(JID(account)) else { return }
    try AccountError.storing { () throws(StoreError) in
      try store.noteDisclosure(resource: resource, jid: account.description)
    }
    noted.insert(JID(account))
    settled.remove(resource)
  }

  /// The present session is given up, and the server keeps it for a while: whoever saw it sees it until then, whatever is
  /// wanted by now. So its resource is bound once more, which ends it.
  func leaveSession() {
    guard let resource else { return }
    faults.attempt { () throws(StoreError) in
      try store.noteDisclosure(resource: resource, jid: account.description)
      settled.remove(resource)
    }
  }

  /// The session hides behind a list no longer, or has ended in order.
  func settleSession() { settle(JID(account)) }

  /// Everybody has been told that a resource is gone, or nobody can be any more.
  func settle(_ resource: String) {
    settled.insert(resource)
    if resource == self.resource { noted.removeAll() }
    faults.attempt { () throws(StoreError) in try store.removeDisclosures(resource: resource) }
  }

  private func flush() async {
    do throws(StoreError) { try await store.flush() } catch { faults.tell(error) }
  }
}

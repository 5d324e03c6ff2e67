// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import EventLoop
internal import Store

/// Somebody who was sent presence of one of our addresses.
struct Shown: Hashable, Sendable {
  let target: BareAddress
  let address: Address

  var disclosure: Disclosure { Disclosure(resource: target.text, jid: address.description) }
}

/// What one turn of the loop decides, until it is written down: all of it in one transaction, and before any of it is shown.
///
/// No server takes the presence of a component back when its connection breaks (XEP-0114). So who was shown which address is
/// kept beyond the life of the program, and a later run says goodbye.
@LoopActor
final class GatewayLedger {
  /// What could not be written, and so must not be.
  struct Failure: Error {
    let error: StoreError
    let shown: Set<Shown>
    let subscribed: Set<GatewaySubscription>
  }

  private let store: AccountStore
  private let faults: StoreFaults
  private var changes = GatewayChanges()
  private var shown: Set<Shown> = []
  private var hidden: Set<Shown> = []
  private var subscribed: Set<GatewaySubscription> = []
  /// Who stands in the store, or will with the next writing.
  private var noted: Set<Shown> = []
  private var isFlushing = false
  private var isDirty = false

  init(_ store: AccountStore, faults: StoreFaults) {
    self.store = store
    self.faults = faults
  }

  /// Whether there is something to be written.
  var isEmpty: Bool { changes.isEmpty && shown.isEmpty && hidden.isEmpty && subscribed.isEmpty }

  /// Takes up those who stand in the store already.
  func takeUp(_ shown: some Sequence<Shown>) { noted.formUnion(shown) }

  /// Somebody is about to be shown an address.
  func note(_ shown: Shown) {
    if noted.insert(shown).inserted { self.shown.insert(shown) }
  }

  /// Whether somebody stands in the store.
  func knows(_ shown: Shown) -> Bool { noted.contains(shown) }

  /// Somebody sees an address no longer.
  func settle(_ shown: Shown) {
    guard noted.remove(shown) != nil else { return }
    self.shown.remove(shown)
    hidden.insert(shown)
  }

  func keep(_ subscription: GatewaySubscription) { subscribed.insert(subscription) }

  func drop(_ subscription: GatewaySubscription) {
    // What both began and ended within the turn ends.
    subscribed.remove(subscription)
    changes.unsubscribed.append(subscription.stored)
  }

  /// Somebody is to be told that a subscription is over: should the program end before, the next run does.
  func owe(_ subscription: GatewaySubscription) { changes.ended.append(subscription.stored) }

  /// It has been told.
  func told(_ subscription: GatewaySubscription) { changes.told.append(subscription.stored) }

  func record(_ decision: StoredDecision) { changes.decisions.append(decision) }

  func recount(_ id: String, _ count: UInt32) { changes.recounts.append((id, count)) }

  /// Writes what there is.
  /// - Throws: ``Failure``; then nothing of it is written.
  func write() throws(Failure) {
    guard !isEmpty else { return }
    let (shown, subscribed) = (shown, subscribed)
    var batch = changes
    batch.shown = shown.map(\.disclosure)
    batch.hidden = hidden.map(\.disclosure)
    batch.subscribed = subscribed.map(\.stored)
    changes = GatewayChanges()
    self.shown.removeAll()
    hidden.removeAll()
    self.subscribed.removeAll()
    do throws(StoreError) {
      try store.write(batch)
    } catch {
      faults.tell(error)
      noted.subtract(shown)
      // At worst a goodbye is said twice.
      throw Failure(error: error, shown: shown, subscribed: subscribed)
    }
    flushSoon()
  }

  /// Written already, should the program end; on the disk soon, should the machine.
  private func flushSoon() {
    isDirty = true
    guard !isFlushing else { return }
    isFlushing = true
    spawn {
      while self.isDirty {
        self.isDirty = false
        do throws(StoreError) { try await self.store.flush() } catch { self.faults.tell(error) }
      }
      self.isFlushing = false
    }
  }
}

extension GatewaySubscription {
  var stored: StoredSubscription { StoredSubscription(contact: contact.text, target: target.text) }
}

// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Store
internal import XMPP

/// The strongest way of logging in that has worked: whoever offers only weaker ones may not be our server.
@LoopActor
struct LoginMemory {
  private let store: AccountStore
  /// Whether a person has said that weaker ways are accepted once more.
  private let acceptsWeaker: Bool
  private let faults: StoreFaults
  /// The way of the last try, as long as none has worked since: what failed may have been made to fail, so that the next
  /// try gives more away.
  private var tried: SASLMechanism?

  init(_ store: AccountStore, acceptsWeaker: Bool, faults: StoreFaults) {
    self.store = store
    self.acceptsWeaker = acceptsWeaker
    self.faults = faults
  }

  /// The weakest way that is accepted; `nil` for any.
  /// - Throws: ``AccountError`` `storageFailed`: not to know it is not the same as that there is none.
  func leastMechanism() throws(AccountError) -> String? {
    if acceptsWeaker { return nil }
    let worked = try AccountError.storing { () throws(StoreError) in try store.leastMechanism() }
    // What is remembered and not known is left as it is: it is refused by name.
    guard let tried, worked.map({ SASLMechanism(rawValue: $0).map { $0 < tried } ?? false }) ?? true else {
      return worked
    }
    return tried.rawValue
  }

  /// Notes how a log-in is tried.
  mutating func trying(_ name: String) { tried = SASLMechanism(rawValue: name) ?? tried }

  /// Notes how a log-in went.
  mutating func loggedIn(by security: Security) {
    tried = nil
    guard let mechanism = SASLMechanism(rawValue: security.mechanism) else { return }
    faults.attempt { () throws(StoreError) in
      let earlier = acceptsWeaker ? nil : try store.leastMechanism()
      try store.setLeastMechanism(mechanism.remembered(after: earlier.flatMap(SASLMechanism.init)).rawValue)
    }
  }
}

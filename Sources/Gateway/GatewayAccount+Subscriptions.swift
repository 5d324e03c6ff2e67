// SPDX-License-Identifier: Apache-2.0

public import Account
public import Audience
internal import EventLoop
internal import Store
public import XMPP

// Subscriptions to our addresses, as far as people decide about them.

extension GatewayAccount {
  /// Lets somebody who asked see an address for good.
  /// - Parameters:
  ///   - contact: who asked.
  ///   - target: for which address; `nil` for all that it asks for.
  ///   - reveal: that we mean it although we hide from the contact.
  /// - Throws: ``AccountError``: `invalidArgument` where no such request waits, `wouldReveal`, `limitExceeded`,
  ///   `storageFailed`; then nothing is changed.
  public func authorizeSubscription(
    _ contact: BareJID, target: BareAddress?, reveal: Bool
  ) throws(AccountError) {
    try checkWritable()
    try requireConnected()
    let (address, now) = (BareAddress(contact), now)
    let effects = try AccountError.deciding { () throws(DecloakError) in
      try doorkeeper.gateway.authorizeSubscription(address, to: target, reveal: reveal, now: now)
    }
    guard let effects else { throw Self.noRequest(contact, target) }
    carryOut(effects)
    if let failure = doorkeeper.flush() { throw AccountError(failure.error) }
  }

  /// Does not let somebody who asked see an address. The other side learns nothing.
  /// - Parameters:
  ///   - contact: who asked.
  ///   - target: for which address; `nil` for all that it asks for.
  /// - Throws: ``AccountError`` `invalidArgument` where no such request waits.
  public func denySubscription(_ contact: BareJID, target: BareAddress?) throws(AccountError) {
    guard doorkeeper.gateway.denySubscription(BareAddress(contact), to: target) else {
      throw Self.noRequest(contact, target)
    }
  }

  /// Takes subscriptions back.
  /// - Parameters:
  ///   - contact: whose.
  ///   - target: to which address; `nil` for all that the contact has.
  /// - Returns: how many there were.
  /// - Throws: ``AccountError`` `storageFailed`; then they may come back with the next run.
  @discardableResult
  public func cancelSubscription(_ contact: BareJID, target: BareAddress?) throws(AccountError) -> Int {
    try checkWritable()
    let (address, now) = (BareAddress(contact), now)
    let effects = decide { $0.cancelSubscription(address, to: target, now: now) }
    if let failure = doorkeeper.flush() { throw AccountError(failure.error) }
    return effects.count { if case .drop = $0 { true } else { false } }
  }

  private static func noRequest(_ contact: BareJID, _ target: BareAddress?) -> AccountError {
    AccountError(
      .invalidArgument,
      "\(contact) has not asked to see \(target?.text ?? "any address"): ListSubscriptionRequests shows who has.")
  }
}

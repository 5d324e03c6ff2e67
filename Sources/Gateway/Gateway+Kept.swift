// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import EventLoop
internal import Store
internal import XMPP

extension Gateway {
  /// A gateway with what was decided for it before, and who was shown which of its addresses by a run of the program that
  /// took nothing back.
  /// - Throws: ``StoreError``: not to know it is not the same as that there is nothing.
  @LoopActor
  static func kept(
    in store: AccountStore, _ configuration: GatewayConfiguration, nonce: String
  ) throws(StoreError) -> (gateway: Gateway, shown: [Shown]) {
    let kept = try KeptDecisions(in: store)
    let subscriptions = try store.subscriptions().compactMap(GatewaySubscription.init)
    let ended = try store.endedSubscriptions().compactMap(GatewaySubscription.init)
    let shown = try store.disclosures().compactMap { kept -> Shown? in
      guard let target = try? BareJID(kept.resource), let jid = try? JID(kept.jid) else { return nil }
      return Shown(target: BareAddress(target), address: Address(jid))
    }
    var gateway = Gateway(
      domain: configuration.component.domain, nonce: nonce, policy: kept.policy, rules: kept.rules,
      visibility: Visibility(configuration.visibility), subscriptions: subscriptions,
      isBalanced: configuration.component.isBalanced)
    gateway.inherit(shown: shown.map { ($0.target, $0.address) })
    gateway.owe(ended: ended)
    return (gateway, shown)
  }
}

extension Visibility {
  /// What is wanted, where there is no roster that could have groups.
  init(_ wish: VisibilityWish) { self.init(showsOthers: wish.showsOthers, exceptions: wish.contacts) }
}

extension GatewaySubscription {
  /// - Returns: `nil` for what no run of ours can have written.
  fileprivate init?(_ kept: StoredSubscription) {
    guard let contact = try? BareJID(kept.contact), let target = try? BareJID(kept.target) else { return nil }
    self.init(contact: BareAddress(contact), target: BareAddress(target))
  }
}

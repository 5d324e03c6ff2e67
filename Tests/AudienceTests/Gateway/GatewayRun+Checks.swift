// SPDX-License-Identifier: Apache-2.0

@testable import Audience

// What must hold.

extension GatewayRun {
  /// Notes which subscriptions were granted.
  mutating func take(_ effects: [GatewayEffect]) {
    model.subscriptions.formUnion(effects.kept)
  }

  mutating func check(_ effects: [GatewayEffect]) {
    for effect in effects {
      switch effect {
      case .decloak(let target, .show(let address, _)):
        if !model.contains(address, target) { fail("\(address) was shown \(target) from outside") }
      case .decloak(let target, .hide(let address)):
        if model.contains(address, target) { fail("\(address) was told that \(target) is gone though inside") }
      case .subscribed(let subscription):
        let isSubscribed = model.isSubscribed(subscription.contact, subscription.target)
        if !isSubscribed, !model.revealed.contains(subscription) { fail("\(subscription) was told of") }
      case .unsubscribed(let subscription):
        if model.subscriptions.contains(subscription) { fail("\(subscription) was told to be over") }
      default: break
      }
    }
  }

  mutating func compare() {
    for address in Self.everybody {
      for target in Self.targets {
        let contains = model.contains(address, target)
        if world.gateway.shows(target, to: address) != contains, target != address.account {
          fail("\(address) sees \(target): the model says \(contains)")
        }
        let session = GatewaySession(target: target, address: address)
        if world.isConnected, !world.isWaiting, world.seen.contains(session), !contains {
          fail("\(session) was not told")
        }
      }
    }
    if world.kept != model.subscriptions { fail("\(world.kept) are kept") }
    if !world.refused.isEmpty { fail("\(world.refused) were refused") }
    if !world.toldInVain.isEmpty { fail("\(world.toldInVain) were told though they saw nothing") }
    if let fault = GatewayBooks(gateway: world.gateway).fault { fail(fault) }
    if world.gateway.order.count != model.grants.count { fail("\(world.gateway.order.count) sessions are counted") }
  }
}

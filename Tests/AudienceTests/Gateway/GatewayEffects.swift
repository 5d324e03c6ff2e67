// SPDX-License-Identifier: Apache-2.0

@testable import Audience

extension [GatewayEffect] {
  /// Who is sent presence of which address.
  var shown: [GatewaySession] {
    compactMap {
      if case .decloak(let target, .show(let address, _)) = $0 { .init(target: target, address: address) } else { nil }
    }
  }

  /// Subscriptions that were granted.
  var kept: [GatewaySubscription] { compactMap { if case .keep(let subscription) = $0 { subscription } else { nil } } }

  /// Whose requests were granted.
  var answered: [GatewaySession] {
    flatMap { effect -> [GatewaySession] in
      guard case .decloak(let target, .resolved(let request, .approved)) = effect else { return [] }
      return request.requesters.map { GatewaySession(target: target, address: $0) }
    }
  }

  var hidden: [GatewaySession] {
    compactMap {
      if case .decloak(let target, .hide(let address)) = $0 { .init(target: target, address: address) } else { nil }
    }
  }
}

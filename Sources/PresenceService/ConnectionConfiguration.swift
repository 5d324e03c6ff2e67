// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import Gateway

/// How a connection is made, as `AddConnection` names it in the parameter `protocol`.
enum ConnectionProtocol: String, CaseIterable {
  /// A person's account.
  case xmpp
  /// A gateway: a domain of its own (XEP-0114).
  case component = "xmpp-component"
}

/// What a connection is given once, when it is added.
enum ConnectionConfiguration {
  case account(AccountConfiguration)
  case gateway(GatewayConfiguration)

  /// Who may see us before anything else is said.
  var visibility: VisibilityWish {
    get {
      switch self {
      case .account(let account): account.visibility
      case .gateway(let gateway): gateway.visibility
      }
    }
    set {
      switch self {
      case .account(var account):
        account.visibility = newValue
        self = .account(account)
      case .gateway(var gateway):
        gateway.visibility = newValue
        self = .gateway(gateway)
      }
    }
  }

  /// Whether it connects as soon as it is added.
  var connectsByItself: Bool {
    switch self {
    case .account(let account): account.connectsByItself
    case .gateway(let gateway): gateway.connectsByItself
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

/// What a gateway is to do after an event. Carried out in the order given.
public enum GatewayEffect: Hashable, Sendable {
  /// What Decloak wants done on behalf of one of our addresses.
  case decloak(BareAddress, DecloakEffect)
  /// Keep a subscription across restarts, before anything is sent that follows.
  case keep(GatewaySubscription)
  /// Keep it no longer.
  case drop(GatewaySubscription)
  /// Send `subscribed` (RFC 6121 §3.1.5).
  case subscribed(GatewaySubscription)
  /// Send `unsubscribed` (RFC 6121 §3.2.1).
  case unsubscribed(GatewaySubscription)
  /// Tell that somebody asks to subscribe and waits.
  case announceSubscription(GatewaySubscriptions.Request)
}

/// That somebody is sent the presence of one of our addresses for good (RFC 6121 §3).
public struct GatewaySubscription: Hashable, Comparable, Sendable {
  /// Who sees.
  public let contact: BareAddress
  /// Which of our addresses.
  public let target: BareAddress

  /// Names both sides.
  public init(contact: BareAddress, target: BareAddress) {
    self.contact = contact
    self.target = target
  }

  /// By contact, then by address.
  public static func < (left: GatewaySubscription, right: GatewaySubscription) -> Bool {
    (left.contact, left.target) < (right.contact, right.target)
  }
}

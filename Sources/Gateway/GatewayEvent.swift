// SPDX-License-Identifier: Apache-2.0

public import Account
public import Audience

/// What a gateway tells of itself. Where an address of ours is concerned, `target` is which.
public enum GatewayEvent: Sendable {
  /// `status`, `statusReason` or `security` changed.
  case statusChanged
  /// Our own show or status text changed.
  case presenceChanged
  /// Somebody has subscribed to an address of ours, or is subscribed no longer.
  case subscriberChanged(GatewaySubscription)
  /// Somebody asks for a subscription.
  case subscriptionRequested(GatewaySubscriptions.Request)
  /// A request to decloak was announced, changed, or ended.
  case requestAnnounced(DecloakRequest, target: BareAddress)
  case requestChanged(DecloakRequest, target: BareAddress)
  case requestResolved(DecloakRequest, RequestOutcome, target: BareAddress)
  /// Somebody whom we asked has shown itself, and its capabilities are known (or cannot be).
  case peerDecloaked(id: String, PeerInfo, target: BareAddress)
  case sessionEnded(BareAddress, SessionDirection, SessionEndCause, target: BareAddress)
  case policyChanged
  case rulesChanged
  /// The number of requests that wait changed.
  case pendingChanged
  /// The mode or its exceptions changed.
  case visibilityChanged
  /// A question is handed to who handles its namespace, and waits for its answer.
  case iqHanded(HandedStanza)
  /// A message is handed to those who handle what is in it.
  case messageHanded(HandedStanza)
}

// SPDX-License-Identifier: Apache-2.0

public import Audience
public import XMPP

/// What an account tells of itself.
public enum AccountEvent: Sendable {
  /// `status`, `statusReason`, `fullJID` or `security` changed.
  case statusChanged
  /// Our own show or status text changed.
  case presenceChanged
  /// A contact's presence or roster entry changed.
  case contactChanged(BareJID)
  /// Somebody asks for a subscription.
  case subscriptionRequested(SubscriptionRequests.Request)
  /// A request to decloak was announced, changed, or ended.
  case requestAnnounced(DecloakRequest)
  case requestChanged(DecloakRequest)
  case requestResolved(DecloakRequest, RequestOutcome)
  /// Somebody whom we asked has shown itself, and its capabilities are known (or cannot be).
  case peerDecloaked(id: String, PeerInfo)
  case sessionEnded(BareAddress, SessionDirection, SessionEndCause)
  case policyChanged
  case rulesChanged
  /// The number of requests that wait changed.
  case pendingChanged
  /// The mode, or whether it is confirmed, changed.
  case visibilityChanged
  /// A question is handed to who handles its namespace, and waits for its answer.
  case iqHanded(HandedStanza)
  /// A message is handed to those who handle what is in it.
  case messageHanded(HandedStanza)
}

/// Somebody whom we see in a session, with what it can do.
public struct PeerInfo: Hashable, Sendable {
  /// Where it is.
  public let jid: JID
  /// Its capabilities, verified; empty when it did not tell any.
  public let capabilities: Capabilities

  package init(jid: JID, capabilities: Capabilities) {
    self.jid = jid
    self.capabilities = capabilities
  }
}

/// The connection's state, as dbus-interfaces names it.
public enum AccountStatus: String, Hashable, Sendable {
  case disconnected, connecting, connected, waiting
}

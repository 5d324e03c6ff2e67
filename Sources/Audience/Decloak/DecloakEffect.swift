// SPDX-License-Identifier: Apache-2.0

/// Who sees whom in a session.
public enum SessionDirection: String, Hashable, Sendable {
  /// The contact sees that we are online.
  case theySeeMe = "they-see-me"
  /// We see that the contact is online.
  case iSeeThem = "i-see-them"
}

/// Why a session ended.
public enum SessionEndCause: String, Hashable, Sendable {
  /// A person took it back.
  case revoked
  /// The other side left.
  case peerLeft = "peer-left"
  /// Its time was over.
  case expired
  /// We went invisible.
  case hidden
  /// Our stream ended.
  case disconnected
  /// It became a subscription.
  case upgraded
  /// We became visible to the contact in another way.
  case absorbed
}

/// What is to be done after an event. Carried out in the order given.
public enum DecloakEffect: Hashable, Sendable {
  /// Send directed presence: capabilities alone, or with show and status.
  case show(Address, full: Bool)
  /// Send directed presence with a request to decloak.
  case request(BareAddress, DecloakReason)
  /// Send directed unavailable.
  case hide(Address)
  /// Pre-approve the contact's subscription and ask for one (RFC 6121 §3.1, §3.4).
  case subscribeBothWays(BareAddress)
  /// Find out the capabilities of somebody who answered our request `id`, then tell of the peer.
  case peerAppeared(Address, id: String)
  /// Tell that a request arrived.
  case announce(DecloakRequest)
  /// Tell that more came for a request.
  case changed(DecloakRequest)
  /// Tell how a request ended.
  case resolved(DecloakRequest, RequestOutcome)
  /// Write down how a request was answered.
  case decided(DecloakDecision)
  /// Write down how often a request was asked in all, with the repeats that came in the silence after its end.
  case recounted(id: String, count: UInt32)
  /// Tell that a session ended.
  case sessionEnded(BareAddress, SessionDirection, SessionEndCause)
}

/// Why Decloak cannot do what it was asked to.
public enum DecloakError: Error, Hashable, Sendable {
  /// No request waits under that id.
  case noSuchRequest(id: String)
  /// Another answer came first.
  case alreadyResolved(id: String, RequestOutcome)
  /// There are too many of something; the text names it.
  case limitExceeded(String)
  /// It would show us to somebody who must not see us, and the call did not say that this is meant.
  case wouldReveal(BareAddress)
  /// There is no session with that contact.
  case noSession(BareAddress)
  /// Our own account cannot be asked or shown to: it knows.
  case ourselves
  /// The rules about a gateway's addresses do not show this one, or it stands for nobody.
  case hiddenAddress(BareAddress)
}

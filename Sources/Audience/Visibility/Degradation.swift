// SPDX-License-Identifier: Apache-2.0

/// In what a mechanism, or the server, falls short (the API's `Visibility.Degraded`).
public enum Degradation: String, CaseIterable, Hashable, Comparable, Sendable {
  /// Contacts' presence is not seen while we are hidden.
  case noContactPresence = "no-contact-presence"
  /// Messages to the bare JID are stored instead of delivered here.
  case bareMessagesStored = "bare-messages-stored"
  /// Contacts that come online later are not told of us.
  case lateContactsMissUs = "late-contacts-miss-us"
  /// Another client of the same account is seen.
  case otherResourceVisible = "other-resource-visible"
  /// Whether there is such a client cannot be known.
  case otherResourcesUnknown = "other-resources-unknown"
  /// Somebody saw the present full JID and may not see it any more, and can test it.
  case resourceKnown = "resource-known"
  /// Contacts' servers were asked for their presence.
  case probesSent = "probes-sent"
  /// The server does not announce the mechanism that is used.
  case unverified
  /// A lost connection makes the server tell contacts that we went; or any end, those whom directed presence went to before
  /// they were contacts.
  case uncleanCloseShowsUnavailable = "unclean-close-shows-unavailable"
  /// The server tells others when we were last active.
  case serverTellsLastActivity = "server-tells-last-activity"
  /// The server lists our resource to others.
  case serverListsResource = "server-lists-resource"
  /// The server answers some questions to our full JID by itself, as for a session.
  case serverAnswersFullJID = "server-answers-full-jid"
  /// The server asks strangers for their capabilities in our full JID's name.
  case serverAsksStrangers = "server-asks-strangers"

  /// The order of the words.
  public static func < (left: Degradation, right: Degradation) -> Bool { left.rawValue < right.rawValue }
}

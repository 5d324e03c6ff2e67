// SPDX-License-Identifier: Apache-2.0

package import Audience
package import XMPP

// Which row of the doorkeeper's tables a stanza stands in.

extension Arrival {
  /// The kind of a stanza that has arrived.
  package init(_ stanza: Stanza) {
    switch stanza {
    case .presence(let presence): self.init(presence)
    case .message(let message):
      switch message.type {
      case .groupchat: self = .bouncedMessage
      // What an absent resource bounces is bounced, whatever it proposes: it would tell where we are.
      case .chat where message.isPassing, .normal where message.isPassing: self = .bouncedMessage
      case .chat, .normal: self = JingleMessage.proposal(in: message) == nil ? .message : .propose
      case .headline, .error: self = .message
      }
    case .iq(let iq):
      switch iq.type {
      case .get, .set: self = .iqRequest
      case .result, .error: self = .iqResponse
      }
    }
  }

  private init(_ presence: Presence) {
    switch presence.type {
    case .available: self = Self.isRequest(presence) ? .decloak : .available
    case .unavailable, .error: self = .departure
    case .probe: self = .probe
    case .subscribe: self = .subscribe
    case .subscribed, .unsubscribe, .unsubscribed: self = .subscriptionChange
    default: self = .other
    }
  }

  /// What a server kept for us, and what comes from a chat room, is presence but no request.
  private static func isRequest(_ presence: Presence) -> Bool {
    DecloakElements.request(in: presence) != nil && !DecloakElements.isDelayed(presence)
      && !DecloakElements.isFromRoom(presence)
  }
}

extension Departure {
  /// The kind of a stanza that wants to leave; `nil` for one that nobody here has reason to send.
  package init?(_ stanza: Stanza) {
    switch stanza {
    case .message: self = .message
    case .iq(let iq):
      switch iq.type {
      case .get, .set: self = .iqRequest
      case .result, .error: self = .iqResponse
      }
    case .presence(let presence):
      switch presence.type {
      case .available: self = .available
      case .unavailable: self = .unavailable
      case .probe: self = .probe
      case .subscribe, .subscribed, .unsubscribe, .unsubscribed: self = .subscription
      case .other("invisible"), .other("visible"): self = .invisibility
      case .error, .other: return nil
      }
    }
  }
}

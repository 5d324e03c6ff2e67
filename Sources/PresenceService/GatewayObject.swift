// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import Gateway
internal import XMPP

/// A gateway as the bus sees it: the same interfaces as an account's, where every address of a domain is ours.
@LoopActor
final class GatewayObject: ConnectionObject {
  let client: GatewayAccount
  let owner: UInt32
  let path: ObjectPath
  private(set) lazy var exported = ExportedObject(
    path, [ConnectionSkeleton(self), DecloakSkeleton(self), VisibilitySkeleton(self), StanzasSkeleton(self)])

  let server: ObjectServer
  private let connectionSignals: ConnectionEmitter
  private let decloakSignals: DecloakEmitter
  private let visibilitySignals: VisibilityEmitter
  private var visibilityNews: VisibilityNews

  init(_ client: GatewayAccount, owner: UInt32, path: ObjectPath, server: ObjectServer) {
    self.client = client
    self.owner = owner
    self.path = path
    self.server = server
    connectionSignals = ConnectionEmitter(server, path)
    decloakSignals = DecloakEmitter(server, path)
    visibilitySignals = VisibilityEmitter(server, path)
    visibilityNews = VisibilityNews(client)
    client.onEvent = { [weak self] in self?.tell($0) }
  }

  /// Passes on what the gateway tells. Who gets to hear it is the signal policy's to say.
  private func tell(_ event: GatewayEvent) {
    switch event {
    case .statusChanged:
      connectionSignals.propertiesChanged([.jid, .status, .statusReason, .security], of: self)
      tellVisibility()
    case .presenceChanged: connectionSignals.propertiesChanged([.show, .statusText], of: self)
    case .subscriberChanged(let subscription):
      connectionSignals.contactChanged(contact: subscription.contact.text, details: entry(subscription))
    case .subscriptionRequested(let request):
      connectionSignals.subscriptionRequested(
        contact: request.subscription.contact.text, details: entry(request))
    case .requestAnnounced(let request, let target):
      decloakSignals.decloakRequested(
        id: request.id, requester: (request.requesters.first ?? .bare(request.contact)).description,
        reason: request.reason.rawValue, details: entry(request, target))
    case .requestChanged(let request, let target):
      decloakSignals.requestChanged(id: request.id, details: entry(request, target))
    case .requestResolved(let request, let outcome, let target):
      decloakSignals.requestResolved(id: request.id, outcome: outcome.rawValue, details: entry(request, target))
    case .peerDecloaked(let id, let peer, let target):
      decloakSignals.peerDecloaked(
        id: id, jid: peer.jid.description, details: client.entry(peer.capabilities).naming(target, at: client))
    case .sessionEnded(let contact, let direction, let cause, target: _):
      decloakSignals.sessionEnded(contact: contact.text, direction: direction.rawValue, cause: cause.rawValue)
    case .policyChanged: decloakSignals.propertiesChanged([.policy], of: self)
    case .rulesChanged: decloakSignals.propertiesChanged([.rules], of: self)
    case .pendingChanged: decloakSignals.propertiesChanged([.pendingRequests], of: self)
    case .visibilityChanged: tellVisibility()
    case .iqHanded(let iq): hand(iq: iq)
    case .messageHanded(let message): hand(message: message)
    }
  }

  func tellVisibility() {
    let changed = visibilityNews.update(to: VisibilityNews(client))
    if !changed.isEmpty { visibilitySignals.propertiesChanged(changed, of: self) }
  }

  // MARK: Our addresses

  /// One of our addresses, on whose behalf something is said.
  /// - Parameter key: of the option.
  /// - Throws: `InvalidArgs` for an address elsewhere.
  func ours(_ text: String, _ key: String) throws -> JID {
    let jid = try anyJID(text, "\"\(key)\"")
    guard jid.bare.domain == client.jid.domain else {
      throw DBusError(
        .invalidArgs, "\"\(key)\" is \(jid), but must be an address of this gateway, which ends in @\(client.jid).")
    }
    return jid
  }

  /// The address that a call speaks for: a gateway has many, so it has to be said.
  func from(_ options: inout Options) throws -> JID {
    guard let text: String = try options.take("from") else {
      throw DBusError(
        .invalidArgs, "\"from\" is missing: say which address of this gateway it is from, as +15551234@\(client.jid).")
    }
    return try ours(text, "from")
  }

  /// The address that a call is about; `nil` for all of them.
  func target(_ options: inout Options) throws -> BareAddress? {
    guard let text: String = try options.take("target") else { return nil }
    let jid = try ours(text, "target")
    guard jid.isBare else {
      throw AccountError(
        .invalidJID, "\"target\" must be a bare JID, as \(jid.bare), without \"/\(jid.resource ?? "")\".")
    }
    return BareAddress(jid.bare)
  }
}

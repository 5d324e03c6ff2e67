// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import XMPP

/// A person's account as the bus sees it.
@LoopActor
final class AccountObject: ConnectionObject {
  let client: Account
  let owner: UInt32
  let path: ObjectPath
  private(set) lazy var exported = ExportedObject(
    path, [ConnectionSkeleton(self), DecloakSkeleton(self), VisibilitySkeleton(self), StanzasSkeleton(self)])

  let server: ObjectServer
  private let connectionSignals: ConnectionEmitter
  private let decloakSignals: DecloakEmitter
  private let visibilitySignals: VisibilityEmitter
  private var visibilityNews: VisibilityNews

  init(_ client: Account, owner: UInt32, path: ObjectPath, server: ObjectServer) {
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

  /// Passes on what the account tells. Who gets to hear it is the signal policy's to say.
  private func tell(_ event: AccountEvent) {
    switch event {
    case .statusChanged:
      connectionSignals.propertiesChanged([.jid, .status, .statusReason, .security], of: self)
      tellVisibility()
    case .presenceChanged: connectionSignals.propertiesChanged([.show, .statusText], of: self)
    case .contactChanged(let contact):
      let details = client.roster.items[contact].map { client.entry($0) } ?? [:]
      connectionSignals.contactChanged(contact: contact.description, details: details)
    case .subscriptionRequested(let request):
      connectionSignals.subscriptionRequested(contact: request.contact.text, details: client.entry(request))
    case .requestAnnounced(let request):
      let details = client.entry(request)
      decloakSignals.decloakRequested(
        id: request.id, requester: (request.requesters.first ?? .bare(request.contact)).description,
        reason: request.reason.rawValue, details: details)
    case .requestChanged(let request):
      decloakSignals.requestChanged(id: request.id, details: client.entry(request))
    case .requestResolved(let request, let outcome):
      decloakSignals.requestResolved(id: request.id, outcome: outcome.rawValue, details: client.entry(request))
    case .peerDecloaked(let id, let peer):
      decloakSignals.peerDecloaked(id: id, jid: peer.jid.description, details: client.entry(peer.capabilities))
    case .sessionEnded(let contact, let direction, let cause):
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
}

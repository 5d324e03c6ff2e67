// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import EventLoop
internal import Store
internal import XMPP

// What the core knows, as the dictionaries that dbus-interfaces describes.

typealias Entry = [String: Value]

extension PresenceClient {
  func entry(_ request: DecloakRequest) -> Entry {
    let requester = request.requesters.first ?? .bare(request.contact)
    return [
      "Id": request.id.value,
      "Requester": requester.description.value,
      "Requesters": request.requesters.map(\.description).value,
      "Contact": request.contact.text.value,
      "Domain": String(request.contact.domain).value,
      "Reason": request.reason.rawValue.value,
      "Account": jid.description.value,
      "ReceivedAt": microsecondsSinceEpoch(request.receivedAt).value,
      "ExpiresAt": microsecondsSinceEpoch(request.expiresAt).value,
      "Count": request.count.value,
      "InRoster": request.isInRoster.value,
      "HiddenFrom": request.isHiddenFrom.value,
      "Automatic": request.isAutomatic.value,
      "Namespaces": request.namespaces.value,
    ]
  }

  func entry(_ decision: StoredDecision) -> Entry {
    var entry: Entry = [
      "Id": decision.id.value,
      "Requester": decision.requester.value,
      "Contact": decision.contact.value,
      "Domain": String(BareAddress(decision.contact).domain).value,
      "Reason": decision.reason.value,
      "Account": jid.description.value,
      "ReceivedAt": UInt64(clamping: decision.receivedAt).value,
      "DecidedAt": UInt64(clamping: decision.decidedAt).value,
      "Outcome": decision.outcome.value,
      "DecidedBy": decision.kindOfJudge.value,
      "Automatic": ["rule", "policy"].contains(decision.kindOfJudge).value,
      "Count": decision.count.value,
      "InRoster": decision.isInRoster.value,
    ]
    if let rule = decision.rule { entry["Rule"] = rule.value }
    if let uid = decision.decidedBy { entry["Uid"] = uid.value }
    return entry
  }

  func entry(_ peer: PeerInfo) -> Entry {
    ["Jid": peer.jid.description.value].merging(entry(peer.capabilities)) { old, _ in old }
  }

  func entry(_ capabilities: Capabilities) -> Entry {
    [
      "Features": capabilities.features.value,
      "Identities": capabilities.busIdentities.value,
      "Node": capabilities.node.value,
    ]
  }

  func entry(_ session: Session) -> Entry {
    sessionEntry(
      session.address, .theySeeMe, since: session.since, expiresAt: session.expiresAt,
      cause: session.origin.rawValue, full: session.full)
  }

  func entry(_ peer: Decloak.Peer) -> Entry {
    sessionEntry(
      peer.address, .iSeeThem, since: peer.since, expiresAt: peer.expiresAt,
      cause: (peer.askID == nil ? Session.Origin.approved : .requested).rawValue, full: false)
  }

  private func sessionEntry(
    _ address: Address, _ direction: SessionDirection, since: Instant, expiresAt: Instant, cause: String, full: Bool
  ) -> Entry {
    let capabilities = knownCapabilities(address)
    return [
      "Contact": address.account.text.value,
      "Jid": address.description.value,
      "Direction": direction.rawValue.value,
      "Since": microsecondsSinceEpoch(since).value,
      "ExpiresAt": microsecondsSinceEpoch(expiresAt).value,
      "Cause": cause.value,
      "Features": capabilities.features.value,
      "Identities": capabilities.busIdentities.value,
      "Full": full.value,
    ]
  }

  func entry(_ address: Address, _ why: Audience.Why, since: Instant) -> Entry {
    [
      "Contact": address.account.text.value, "Jid": address.description.value, "Why": why.rawValue.value,
      "Since": microsecondsSinceEpoch(since).value,
    ]
  }
}

extension Account {
  func entry(_ request: SubscriptionRequests.Request) -> Entry {
    [
      "Contact": request.contact.text.value,
      "ReceivedAt": microsecondsSinceEpoch(request.receivedAt).value,
      "Count": request.count.value,
    ]
  }

  func entry(_ item: Roster.Item) -> Entry {
    let best = presences.best(of: item.jid)
    let resources = presences.resources(of: item.jid).sorted { $0.key < $1.key }.map { name, resource in
      [
        "Resource": name.value, "Show": resource.showText.value, "Status": resource.status.value,
        "Priority": Int16(resource.priority).value,
      ] as Entry
    }
    return [
      "Contact": item.jid.description.value,
      "Name": item.name.value,
      "Groups": item.groups.value,
      "Subscription": item.subscription.rawValue.value,
      "Pending": item.isPending.value,
      "HiddenFrom": audience.isHiddenFrom(BareAddress(item.jid)).value,
      "Show": (best?.showText ?? "").value,
      "Status": (best?.status ?? "").value,
      "Resources": resources.value,
    ]
  }
}

extension ContactPresences.Resource {
  var showText: String { show?.rawValue ?? "available" }
}

extension Capabilities {
  /// Category, type, language and name of each identity (XEP-0030).
  var busIdentities: [Structure<String, String, String, String>] {
    identities.map { Structure($0.category, $0.type, $0.language ?? "", $0.name ?? "") }
  }
}

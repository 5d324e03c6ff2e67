// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop
internal import Gateway
internal import XMPP

// org.nightcloak.Presence1.Connection

extension GatewayObject {
  var jid: String { client.status == .connected ? client.jid.description : "" }
  var `protocol`: String { ConnectionProtocol.component.rawValue }

  func setPresence(show: String, status: String, options: [String: Value], caller: Caller) async throws {
    let (show, status) = (try presenceShow(show), try presenceStatus(status))
    try Options(options, in: "options of SetPresence at a gateway").end(known: "")
    client.setPresence(show: show, status: status)
  }

  func listRoster(options: [String: Value], caller: Caller) async throws -> [[String: Value]] {
    var options = Options(options, in: "options of ListRoster at a gateway")
    let contact = try options.take("contact", String.self).map { BareAddress(try bareJID($0, "\"contact\"")) }
    let page = try Page(&options)
    try options.end(known: "contact, after, limit")
    let subscriptions = client.gateway.subscriptions
    guard let contact else { return page.cut(subscriptions.all, by: Self.key).map(entry) }
    let its = subscriptions.targets(of: contact).map { GatewaySubscription(contact: contact, target: $0) }
    return page.cut(its, by: Self.key).map(entry)
  }

  /// Behind what a page of the roster begins. No bare JID has a space.
  private static func key(_ subscription: GatewaySubscription) -> String {
    "\(subscription.contact) \(subscription.target)"
  }

  func subscribe(contact: String, options: [String: Value], caller: Caller) async throws {
    throw DBusError(.notSupported, "A gateway has no roster of its own: it subscribes to nobody.")
  }

  func unsubscribe(contact: String, options: [String: Value], caller: Caller) async throws {
    throw DBusError(.notSupported, "A gateway is subscribed to nobody: RemoveContact ends what others have of it.")
  }

  func authorizeSubscription(contact: String, options: [String: Value], caller: Caller) async throws {
    let contact = try bareJID(contact, "contact")
    var options = Options(options, in: "options of AuthorizeSubscription at a gateway")
    let target = try target(&options)
    let reveal: Bool = try options.take("reveal") ?? false
    try options.end(known: "target, reveal")
    try client.authorizeSubscription(contact, target: target, reveal: reveal)
    try await settled()
  }

  func denySubscription(contact: String, options: [String: Value], caller: Caller) async throws {
    let (contact, target) = try subscriber(contact, options, "DenySubscription")
    let isAsked = client.gateway.subscriptions.requests.contains { request in
      request.subscription.contact == BareAddress(contact)
        && (target == nil || request.subscription.target == target)
    }
    // Also takes back what was given, as for an account.
    let ended = try client.cancelSubscription(contact, target: target)
    if isAsked || ended == 0 { try client.denySubscription(contact, target: target) }
    try await settled()
  }

  func removeContact(contact: String, options: [String: Value], caller: Caller) async throws {
    let (contact, target) = try subscriber(contact, options, "RemoveContact")
    guard try client.cancelSubscription(contact, target: target) > 0 else {
      throw DBusError(
        .invalidArgs, "\(contact) is not subscribed to \(target?.text ?? "any address of this gateway").")
    }
    try await settled()
  }

  private func subscriber(
    _ contact: String, _ options: [String: Value], _ method: String
  ) throws -> (BareJID, BareAddress?) {
    let contact = try bareJID(contact, "contact")
    var options = Options(options, in: "options of \(method) at a gateway")
    let target = try target(&options)
    try options.end(known: "target")
    return (contact, target)
  }

  func listSubscriptionRequests(caller: Caller) async throws -> [[String: Value]] {
    client.gateway.subscriptions.requests.map(entry)
  }

  /// A hint to servers about clients; to a component nothing is held back.
  func setActive(active: Bool, caller: Caller) async throws {}
}

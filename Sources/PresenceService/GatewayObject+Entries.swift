// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import EventLoop
internal import Gateway
internal import Store
internal import XMPP

// As an account's entries, each with the address that it is about.

extension GatewayObject {
  func entry(_ request: DecloakRequest, _ target: BareAddress) -> Entry {
    client.entry(request).naming(target, at: client)
  }

  func listed(_ decision: StoredDecision) -> Entry {
    let entry = client.entry(decision)
    return decision.target.map { entry.naming(BareAddress($0), at: client) } ?? entry
  }

  func entry(_ request: GatewaySubscriptions.Request) -> Entry {
    let entry: Entry = [
      "Contact": request.subscription.contact.text.value,
      "ReceivedAt": client.microsecondsSinceEpoch(request.receivedAt).value,
      "Count": request.count.value,
    ]
    return entry.naming(request.subscription.target, at: client)
  }

  /// A subscriber as one of the roster: it sees us, and we see nothing of it.
  func entry(_ subscription: GatewaySubscription) -> Entry {
    let (contact, target) = (subscription.contact, subscription.target)
    let isSubscribed = client.gateway.subscriptions.contains(subscription)
    let entry: Entry = [
      "Contact": contact.text.value,
      "Name": "".value,
      "Groups": [String]().value,
      "Subscription": (isSubscribed ? "from" : "remove").value,
      "Pending": false.value,
      "HiddenFrom": (isSubscribed && !client.gateway.shows(target, to: .bare(contact))).value,
      "Show": "".value,
      "Status": "".value,
      "Resources": [Entry]().value,
    ]
    return entry.naming(target, at: client)
  }
}

extension Entry {
  /// With the address of ours that it is about, and whom that stands for.
  @LoopActor
  func naming(_ target: BareAddress, at gateway: GatewayAccount) -> Entry {
    merging(["Target": target.text.value, "Callee": gateway.callee(of: target).value]) { _, new in new }
  }
}

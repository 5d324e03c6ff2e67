// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

// Who asks for the presence of whom (RFC 6121 §4.3).

/// Whose presence is asked for on behalf of a session.
enum Probes {
  /// Nobody's.
  case none
  /// That of accounts of the domain, who do not hear of it.
  case here
  /// That of components' contacts as well, who do: they are asked by those whom they may see.
  case everywhere
}

extension LoopbackDomain {
  /// Shows a session those whose presence its account may see, and asks those that are elsewhere.
  mutating func seeOthers(_ id: SessionID, asking probes: Probes) {
    guard let session = sessions[id], let roster = accounts[session.address.bare]?.roster else { return }
    let asker = Address.full(session.address)
    for other in sessions(of: session.address.bare) where other != id { show(other, to: asker) }
    let own = filter(id)
    for item in roster.items.values.sorted(by: { $0.address < $1.address }) where item.subscription.hasTo {
      guard own?.denies(.presenceIn, .bare(item.address)) != true else { continue }
      if isLocal(item.address) {
        probe(item.address, by: asker)
      } else if probes == .everywhere, own?.denies(.presenceOut, .bare(item.address)) != true,
        let component = component(of: item.address) ?? nil
      {
        send(
          Element.presence(type: "probe").stamped(from: .bare(session.address.bare), to: .bare(item.address)),
          to: component)
      }
    }
  }

  /// Presence that somebody has sent to an address of the domain, or of a component.
  mutating func route(presence: Element, from origin: Origin, to address: Address) {
    guard isLocal(address.account) else {
      guard let component = component(of: address.account) else {
        return fail(presence, StanzaError(.remoteServerNotFound), origin)
      }
      if let component { send(presence.stamped(from: origin.address, to: address), to: component) }
      return
    }
    switch presence.type {
    case nil, "unavailable", "error":
      deliver(presence: presence.stamped(from: origin.address, to: address), from: origin.address, to: address)
    case "probe": probe(address, by: origin.address)
    case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
      take(presence, from: origin.address.account, by: address.account)
    default: fail(presence, StanzaError(.badRequest), origin)
    }
  }

  private mutating func probe(_ address: Address, by asker: Address) {
    guard let resource = address.resource else { return probe(address.account, by: asker) }
    guard let account = accounts[address.account], account.roster.subscribers.contains(asker.account) else { return }
    if let id = account.resources[resource] { show(id, to: asker) }
  }

  private mutating func probe(_ account: BareAddress, by asker: Address) {
    // Whoever may not see the account hears nothing, as of somebody who is not there.
    guard accounts[account]?.roster.subscribers.contains(asker.account) == true else { return }
    for id in sessions(of: account) { show(id, to: asker) }
  }

  /// Shows one session to one who asks, if it shows itself to them.
  private mutating func show(_ id: SessionID, to asker: Address) {
    guard filter(id)?.denies(.presenceOut, asker) != true else { return }
    guard sessions[id]?.forwarding.probed(by: asker.account).isEmpty == false, let session = sessions[id] else {
      return
    }
    let sender = Address.full(session.address)
    deliver(
      presence: (session.presence ?? .presence()).stamped(from: sender, to: asker), from: sender, to: asker)
  }
}

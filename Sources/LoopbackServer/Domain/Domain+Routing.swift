// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

// Where stanzas go (RFC 6120 §10).

extension LoopbackDomain {
  /// A stanza of a client's.
  mutating func handle(_ stanza: Element, from origin: Origin) {
    guard let target = target(of: stanza, from: origin) else { return }
    switch stanza.name {
    case "presence": handle(presence: stanza, from: origin, to: target.address)
    case "message", "iq":
      let address = target.address ?? .bare(origin.address.account)
      guard passesOut(stanza, from: origin, to: address) else { return }
      route(stanza, from: origin, to: address)
    default: break  // The stream ends over it (RFC 6120 §4.9.3.24).
    }
  }

  /// A stanza of a component's, which speaks for everybody of its domain (XEP-0114 §3).
  mutating func handle(_ stanza: Element, fromComponent name: BareAddress, _ id: SessionID) {
    guard let sender = stanza.attribute("from").flatMap(Address.init(prepared:)),
      sender.account.domain == name.text[...]
    else {
      if stanza.mayFail { send(stanza.failure(StanzaError(.jidMalformed), to: .bare(name)), to: id) }
      return
    }
    let origin = Origin(address: sender, session: id)
    guard let target = target(of: stanza, from: origin), let address = target.address else { return }
    switch stanza.name {
    case "presence": route(presence: stanza, from: origin, to: address)
    case "message", "iq": route(stanza, from: origin, to: address)
    default: break
    }
  }

  /// Whom a stanza is for; nil where that cannot be read, and its sender has been told.
  private mutating func target(of stanza: Element, from origin: Origin) -> (address: Address?, Void)? {
    guard let text = stanza.attribute("to") else { return (nil, ()) }
    guard let address = Address(prepared: text) else {
      fail(stanza, StanzaError(.jidMalformed), origin)
      return nil
    }
    return (address, ())
  }

  /// Passes a message or an IQ on to whoever it is for.
  mutating func route(_ stanza: Element, from origin: Origin, to address: Address) {
    let account = address.account
    if isLocal(account) {
      if stanza.name == "message" {
        deliver(message: stanza, from: origin, to: address)
      } else {
        deliver(iq: stanza, from: origin, to: address)
      }
    } else if let component = component(of: account) {
      if let id = component {
        send(stanza.stamped(from: origin.address, to: address), to: id)
      } else {
        fail(stanza, StanzaError(.remoteServerTimeout), origin)
      }
    } else {
      fail(stanza, StanzaError(.remoteServerNotFound), origin)
    }
  }

  /// The session of the component that an address belongs to; nil where there is none of that domain, and within where
  /// it is not there.
  func component(of account: BareAddress) -> SessionID?? { components[BareAddress(String(account.domain))] }

  /// Tells a sender that its stanza was not delivered, where it may be told.
  mutating func fail(_ stanza: Element, _ error: StanzaError, _ origin: Origin) {
    guard stanza.mayFail else { return }
    send(stanza.failure(error, to: origin.address), to: origin.session)
  }

  /// Whether a session's own filter lets a stanza out; where it does not, the sender is told (XEP-0016 §2.14, XEP-0191
  /// §3.3).
  mutating func passesOut(
    _ stanza: Element, from origin: Origin, to address: Address, _ kind: PrivacyList.Kind = .other
  ) -> Bool {
    guard let filter = filter(origin.session), filter.denies(kind, address) else { return true }
    let blocked = filter.blocks(address) ? Element("blocked", "urn:xmpp:blocking:errors") : nil
    fail(stanza, StanzaError(.notAcceptable, type: .cancel, application: blocked), origin)
    return false
  }

  /// Looks after a message that a session was sent and has perhaps never had. A question may have been answered: a second
  /// answer, by the server, would tell whoever asked that somebody had been there, and has gone.
  mutating func giveBack(_ stanza: Element, to address: Address) {
    guard stanza.name == "message", let sender = stanza.attribute("from").flatMap(Address.init(prepared:)) else {
      return
    }
    store(stanza, from: sender, for: address.account)
  }
}

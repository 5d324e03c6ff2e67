// SPDX-License-Identifier: Apache-2.0

internal import XML

// The last step of a client: an address for a new session (RFC 6120 §7), or an earlier one that goes on (XEP-0198 §5).

extension ServerNegotiation {
  mutating func receivedBeforeBinding(_ element: Element, _ account: BareJID) -> [Effect] {
    if element.matches("resume", Namespace.management), configuration.resumptionTime != nil {
      guard let id = element.attribute("previd"), let handled = element.handledCount else {
        return [.send(ServerSession.failed(.badRequest).serialized(within: Namespace.client))]
      }
      return [.resume(account, id: id, handled: handled)]
    }
    if element.matches("enable", Namespace.management) {
      return [.send(ServerSession.failed(.unexpectedRequest).serialized(within: Namespace.client))]
    }
    guard case .iq(let iq)? = try? Stanza(element), iq.type == .set,
      let bind = iq.payload.first, bind.matches("bind", Namespace.bind)
    else { return end(.notAuthorized) }
    let wanted = bind.child("resource", Namespace.bind)?.text ?? ""
    guard !wanted.isEmpty else { return self.bind(account, nil, id: iq.id) }
    guard let jid = try? account.with(resource: wanted) else {
      return [.send(iq.failure(StanzaError(.badRequest)).element.serialized(within: Namespace.client))]
    }
    return self.bind(account, jid.resource, id: iq.id)
  }

  private mutating func bind(_ account: BareJID, _ wanted: String?, id: String) -> [Effect] {
    state = .binding(account, id: id)
    return [.bind(account, wanted: wanted)]
  }

  mutating func answer(bound jid: FullJID, _ id: String) -> [Effect] {
    state = .over
    let address = Element("jid", Namespace.bind, text: jid.description)
    let answer = IQ(.result, to: nil, id: id, payload: [Element("bind", Namespace.bind, children: [address])])
    return [.send(answer.element.serialized(within: Namespace.client)), .begin(jid)]
  }

  mutating func answer(notResumed handled: UInt32?) -> [Effect] {
    [.send(ServerSession.failed(.itemNotFound, handled: handled).serialized(within: Namespace.client))]
  }
}

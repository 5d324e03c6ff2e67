// SPDX-License-Identifier: Apache-2.0

internal import XML

// The last step: an address for a new session (RFC 6120 §7), or an earlier one that goes on (XEP-0198 §5).

extension Negotiation {
  // MARK: The session of before

  /// Asks for the session of before, also when its time is over: a server that refuses it says how much it had.
  mutating func resume(_ resumption: Resumption, _ features: StreamFeatures) -> [Effect] {
    state = .awaitingResumption(resumption, features)
    return [.step(.resuming), .send(resumption.request.serialized(within: Namespace.client))]
  }

  mutating func answeredResumption(
    _ element: Element, _ resumption: Resumption, _ features: StreamFeatures
  ) -> [Effect] {
    if element.matches("failed", Namespace.management) {
      // A server that has forgotten the session does not know the count either: all of it may have been lost.
      let lost = element.handledCount.flatMap { resumption.unacknowledged(after: $0) } ?? resumption.unacknowledged
      return [.notResumed(unacknowledged: lost)] + bind(features)
    }
    guard element.matches("resumed", Namespace.management), element.attribute("previd") == resumption.id else {
      return unexpected("whether the session goes on")
    }
    guard let count = element.handledCount, let lost = resumption.unacknowledged(after: count) else {
      // The server must not keep such a session: the next try would end here too.
      let sent = resumption.acknowledged &+ UInt32(truncatingIfNeeded: resumption.unacknowledged.count)
      return [.send(StreamHeader.impossibleCount(element.handledCount, sent: sent) + StreamHeader.end)]
        + end(.impossibleCount)
    }
    state = .bound
    let management = StreamManagement(resumption, acknowledged: count)
    return [
      .resumed(resumption, management, unacknowledged: lost, features, mechanism: authentication.mechanism)
    ]
  }

  // MARK: A new one

  mutating func bind(_ features: StreamFeatures) -> [Effect] {
    guard features.offersBinding else { return unexpected("an offer to bind a resource") }
    state = .awaitingBinding(id: names.id, features)
    let resource = Element("resource", Namespace.bind, text: configuration.resource ?? names.resource)
    return [.step(.binding)] + ask("bind", Element("bind", Namespace.bind, children: [resource]))
  }

  private func ask(_ id: String, _ payload: Element) -> [Effect] {
    let iq = IQ(.set, to: nil, id: "\(id)-\(names.id)", payload: [payload])
    return [.send(iq.element.serialized(within: Namespace.client))]
  }

  /// The answer to what was asked under `id`; nil for anything else, which a server has no reason to send yet.
  private func answer(_ element: Element, _ id: String) -> IQ? {
    guard case .iq(let iq)? = try? Stanza(element), iq.id == id, iq.type == .result || iq.type == .error else {
      return nil
    }
    return iq
  }

  private mutating func refused(_ what: String, _ error: StanzaError?) -> [Effect] {
    let error = error ?? StanzaError(.undefinedCondition)
    let text = "The server refused \(what) (\(error.condition.rawValue))." + StreamEnd.quote(error.text)
    return end(StreamEnd(.refused(error.condition), text))
  }

  mutating func answeredBinding(_ element: Element, _ id: String, _ features: StreamFeatures) -> [Effect] {
    guard let iq = answer(element, "bind-\(id)") else { return [] }
    guard iq.type == .result else { return refused("to give this connection a resource", iq.error) }
    let text =
      iq.payload.first?.matches("bind", Namespace.bind) == true
      ? iq.payload.first?.child("jid", Namespace.bind)?.text : nil
    guard let jid = text.flatMap({ try? FullJID($0) }) else { return unexpected("the address of this connection") }
    guard jid.bare == configuration.account else {
      return end(StreamEnd(.protocol, "The server let us in as another account than the one that we logged in to."))
    }
    guard features.demandsSession else { return finish(jid, features) }
    state = .awaitingSession(id: id, jid, features)
    return ask("session", Element("session", Namespace.session))
  }

  mutating func answeredSession(
    _ element: Element, _ id: String, _ jid: FullJID, _ features: StreamFeatures
  ) -> [Effect] {
    guard let iq = answer(element, "session-\(id)") else { return [] }
    guard iq.type == .result else { return refused("to begin a session", iq.error) }
    return finish(jid, features)
  }

  private mutating func finish(_ jid: FullJID, _ features: StreamFeatures) -> [Effect] {
    state = .bound
    return [.bound(jid, features, mechanism: authentication.mechanism)]
  }
}

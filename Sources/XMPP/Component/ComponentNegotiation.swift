// SPDX-License-Identifier: Apache-2.0

internal import XML

/// From a connection, secured where it is to be, until the server lets a component in (XEP-0114), event by event, no I/O.
///
///     connected ─► header ─► <handshake/> ─► <handshake/> ─► in
struct ComponentNegotiation {
  /// What happened.
  enum Event {
    /// The connection is up, and secured where it is to be.
    case connected
    /// The server's header, and the content namespace that it declares.
    case opened(Element, namespace: String)
    /// An element on the stream.
    case element(Element)
    /// The server's end tag.
    case closed
  }

  /// What is to be done.
  enum Effect {
    case send(String)
    /// Tell how far it has come.
    case step(StreamStep)
    /// The server has let us in.
    case join
    case end(StreamEnd)
  }

  private enum State {
    case awaitingConnection
    case awaitingHeader
    /// With a header that is of no use: a stream error that follows explains more.
    case awaitingReason
    case awaitingAnswer
    case over
  }

  /// How we prove who we are, for people.
  static let mechanism = "handshake"

  private let configuration: ComponentConfiguration
  private var state = State.awaitingConnection

  init(_ configuration: ComponentConfiguration) { self.configuration = configuration }

  mutating func received(_ event: Event) -> [Effect] {
    switch (state, event) {
    case (.over, _): return []
    case (.awaitingConnection, .connected):
      state = .awaitingHeader
      return [.send(ComponentHeader.text(configuration.domain))]
    case (.awaitingHeader, .opened(let header, let namespace)): return opened(header, namespace)
    case (_, .element(let element)) where element.matches("error", Namespace.stream):
      return end(StreamEnd(streamError: element, configuration: configuration, isIn: false))
    case (.awaitingAnswer, .element(let element)) where element.matches("handshake", Namespace.component):
      state = .over
      return [.join]
    case (_, .closed):
      // XEP-0114 wants a reason for a false secret, but does not insist on it.
      return end(
        StreamEnd(
          .closedByPeer,
          "The server ended the connection while we were logging in, without a reason: it may be "
            + "restarting, or not like the password."))
    default: return unexpected()
    }
  }

  private mutating func opened(_ header: Element, _ namespace: String) -> [Effect] {
    guard header.matches("stream", Namespace.stream) else { return unexpected() }
    guard namespace == Namespace.component else {
      return end(
        StreamEnd(
          .protocol,
          "\(configuration.serverName) takes no components on that port: check the parameters server and port."))
    }
    guard let id = header.attribute("id"), !id.isEmpty else {
      state = .awaitingReason
      return []
    }
    state = .awaitingAnswer
    return [
      .step(.authenticating(Self.mechanism)),
      .send(ComponentHeader.handshake(id: id, secret: configuration.secret)),
    ]
  }

  private mutating func end(_ end: StreamEnd) -> [Effect] {
    state = .over
    return [.end(end)]
  }

  private mutating func unexpected() -> [Effect] {
    end(
      StreamEnd(
        .protocol,
        "The server sent something else than what comes next when a component logs in: check the parameters server and "
          + "port."))
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import TLS
internal import XML

/// From a connection to a bound or resumed stream (RFC 6120 §4.3), event by event, no I/O.
///
///     connected ─► header ─► features ─► <proceed/> ─► TLS ─┐
///                     ┌────────────────────────────────────┘ (or at once: direct, off)
///                     └─► header ─► features ─► SASL ─► header ─► features ─► bind (─► session) ─► bound
///                                                                     └─► resume ─► resumed (or bind)
///
/// What was learned from a server before TLS is kept nowhere: each header begins anew.
struct Negotiation {
  /// What happened.
  enum Event {
    /// The connection is up.
    case connected
    /// TLS is up, with the channel bindings that it has.
    case secured([ChannelBinding: [UInt8]])
    /// The server's header.
    case opened(Element)
    /// An element on the stream; `isLast` when not one byte came after it.
    case element(Element, isLast: Bool)
    /// The server's end tag.
    case closed
    /// The key that was asked for.
    case derived([UInt8])
  }

  /// What is to be done.
  enum Effect {
    /// Begin to read a new stream, forgetting the old one.
    case restart
    case send(String)
    /// Start TLS, then report ``Event/secured(_:)``.
    case startTLS
    /// Derive a key off the loop, then report ``Event/derived(_:)``.
    case derive(SCRAM.KeyRequest)
    /// Tell how far it has come.
    case step(StreamStep)
    /// We are in.
    case bound(FullJID, StreamFeatures, mechanism: String)
    /// The session of an earlier stream goes on, with what the server never had.
    case resumed(Resumption, StreamManagement, unacknowledged: [SentStanza], StreamFeatures, mechanism: String)
    /// The session of an earlier stream is over, with what the server never had.
    case notResumed(unacknowledged: [SentStanza])
    case end(StreamEnd)
  }

  enum State {
    case awaitingConnection
    case awaitingHeader
    /// With what was wrong in the header: a stream error that follows explains more.
    case awaitingFeatures(problem: StreamEnd?)
    case awaitingProceed
    case awaitingTLS
    case authenticating
    case awaitingResumption(Resumption, StreamFeatures)
    case awaitingBinding(id: String, StreamFeatures)
    case awaitingSession(id: String, FullJID, StreamFeatures)
    case bound
    case ended
  }

  let configuration: ClientConfiguration
  let names: Names
  private let resumption: Resumption?
  var state = State.awaitingConnection
  private var isSecured = false
  private var bindings: [ChannelBinding: [UInt8]] = [:]
  private var isAuthenticated = false
  private(set) var authentication: Authentication

  /// What must be made by chance, given here so that tests know it.
  struct Names {
    /// The nonce of SCRAM.
    let nonce: String
    /// The id of the IQ that binds the resource, and of that for the session.
    let id: String
    /// The resource to ask for.
    let resource: String
  }

  init(_ configuration: ClientConfiguration, names: Names, resumption: Resumption? = nil) {
    self.configuration = configuration
    self.resumption = resumption
    self.names = names
    authentication = Authentication(configuration, nonce: names.nonce)
  }

  /// What ties the log-in to TLS; nil where nothing does.
  var channelBinding: ChannelBinding? { authentication.choice?.binding }

  // MARK: Events

  mutating func received(_ event: Event) -> [Effect] {
    switch (state, event) {
    case (.bound, _), (.ended, _): return []
    case (.awaitingConnection, .connected):
      guard configuration.tls == .direct else { return begin() }
      state = .awaitingTLS
      return [.startTLS]
    case (.awaitingTLS, .secured(let bindings)):
      isSecured = true
      self.bindings = bindings
      return begin()
    case (.awaitingHeader, .opened(let header)):
      state = .awaitingFeatures(problem: StreamHeader.problem(header, domain: configuration.account.domain))
      return []
    case (_, .element(let element, _)) where element.matches("error", Namespace.stream):
      return end(StreamEnd(streamError: element, configuration: configuration))
    case (.awaitingFeatures(let problem), .element(let element, _)):
      if let problem { return end(problem) }
      guard element.matches("features", Namespace.stream) else { return unexpected("the list of what it offers") }
      return offered(StreamFeatures(element.children))
    case (.awaitingProceed, .element(let element, let isLast)): return answeredTLS(element, isLast: isLast)
    case (.authenticating, .element(let element, let isLast)):
      return follow(authentication.received(element), isLast: isLast)
    case (.authenticating, .derived(let key)): return follow(authentication.derived(key), isLast: true)
    case (.awaitingResumption(let resumption, let features), .element(let element, _)):
      return answeredResumption(element, resumption, features)
    case (.awaitingBinding(let id, let features), .element(let element, _)):
      return answeredBinding(element, id, features)
    case (.awaitingSession(let id, let jid, let features), .element(let element, _)):
      return answeredSession(element, id, jid, features)
    case (_, .closed):
      return end(
        StreamEnd(.closedByPeer, "The server ended the connection while we were logging in, without a reason."))
    default: return unexpected("what comes next when logging in")
    }
  }

  // MARK: Steps

  private mutating func begin() -> [Effect] {
    state = .awaitingHeader
    return [.restart, .send(StreamHeader.text(to: configuration.account.domain))]
  }

  mutating func end(_ end: StreamEnd) -> [Effect] {
    state = .ended
    return [.end(end)]
  }

  mutating func unexpected(_ expected: String) -> [Effect] {
    end(StreamEnd(.protocol, "The server sent something else than \(expected): is it an XMPP server?"))
  }

  private mutating func offered(_ features: StreamFeatures) -> [Effect] {
    if !isSecured, configuration.tls != .off {
      guard features.offersTLS else {
        return end(
          StreamEnd(
            .protocol,
            "The server does not offer TLS, and nothing is sent to it in the clear: ask its administrator, or try "
              + "tls direct."))
      }
      state = .awaitingProceed
      return [.send(Element("starttls", Namespace.tls).serialized(within: Namespace.client))]
    }
    if !isAuthenticated {
      state = .authenticating
      let first = authentication.begin(LoginOffer(features, bindings: bindings, isSecured: isSecured))
      let steps: [Effect] = authentication.choice == nil ? [] : [.step(.authenticating(authentication.mechanism))]
      return steps + follow(first, isLast: true)
    }
    if let resumption, resumption.jid.bare == configuration.account, features.offersManagement {
      return resume(resumption, features)
    }
    return bind(features)
  }

  private mutating func answeredTLS(_ element: Element, isLast: Bool) -> [Effect] {
    if element.matches("failure", Namespace.tls) {
      return end(StreamEnd(.protocol, "The server offered TLS and then refused it: ask its administrator."))
    }
    guard element.matches("proceed", Namespace.tls) else { return unexpected("its consent to TLS") }
    guard isLast else {
      return end(
        StreamEnd(
          .protocol,
          "Something followed the server's consent to TLS in the clear. Somebody on the way may have put it there; "
            + "nothing was sent."))
    }
    state = .awaitingTLS
    return [.startTLS]
  }

  private mutating func follow(_ step: Authentication.Step, isLast: Bool) -> [Effect] {
    switch step {
    case .send(let element): return [.send(element.serialized(within: Namespace.client))]
    case .derive(let request): return [.derive(request)]
    case .failed(let failure): return end(failure)
    case .succeeded:
      guard isLast else { return unexpected("nothing, until we open the stream again,") }
      isAuthenticated = true
      return begin()
    }
  }
}

extension Negotiation.Event {
  /// What the parser read, where it is for the negotiation.
  init?(_ event: StreamParser.Event, isLast: Bool) {
    switch event {
    case .opened(let header): self = .opened(header)
    case .stanza(let element): self = .element(element, isLast: isLast)
    case .closed: self = .closed
    case .failed: return nil
    }
  }
}

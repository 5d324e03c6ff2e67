// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import TLS
internal import XML

/// From a connection to a session, seen from the server (RFC 6120 §4.3), event by event, no I/O.
///
///     header ─► features ─► <starttls/> ─► TLS ─┐
///       ┌───────────────────────────────────────┘ (or at once, where TLS need not be)
///       └─► header ─► features ─► SASL ─► header ─► features ─► bind ─► session
///                                                         └─► resume ─► the session of before (or bind)
///     header of a component ─► secret ─► <handshake/> ─► session
///
/// What was learned from a client before TLS is kept nowhere.
struct ServerNegotiation {
  /// What happened.
  enum Event {
    /// So many bytes came; told before what they say.
    case read(Int)
    /// The client's header, and the content namespace that it declares.
    case opened(Element, namespace: String)
    /// An element on the stream; `isLast` when not one byte came after it.
    case element(Element, isLast: Bool)
    /// The client's end tag.
    case closed
    /// What the client says cannot be read.
    case unreadable(StreamParserError)
    /// TLS is up, with the channel bindings that it has.
    case secured([ChannelBinding: [UInt8]])
    /// What is kept of the password of the account that was asked for.
    case found(StoredCredentials?)
    /// The key that was asked for.
    case derived([UInt8])
    /// The address for the session that was asked for.
    case bound(FullJID)
    /// The session of before is not there; with how much it had had, where that is known.
    case notResumed(handled: UInt32?)
    /// The secret of the component that was asked for.
    case secret(String?)
    /// It takes too long.
    case timeIsUp
  }

  /// What is to be done.
  enum Effect {
    /// Begin to read a new stream, forgetting the old one.
    case restart(isAuthenticated: Bool)
    case send(String)
    /// Make TLS, then report ``Event/secured(_:)``.
    case startTLS
    /// Report ``Event/found(_:)``.
    case find(localpart: String)
    /// Derive a key off the loop, then report ``Event/derived(_:)``.
    case derive(SCRAM.KeyRequest)
    /// Report ``Event/bound(_:)``.
    case bind(BareJID, wanted: String?)
    /// A client's session begins.
    case begin(FullJID)
    /// Hand the connection to the session of before, or report ``Event/notResumed(handled:)``.
    case resume(BareJID, id: String, handled: UInt32)
    /// Report ``Event/secret(_:)``.
    case findSecret(domain: String)
    /// A component's session begins.
    case beginComponent(domain: String)
    /// Close the connection.
    case end
  }

  enum State {
    case awaitingHeader
    case awaitingLogin
    case awaitingTLS
    case authenticating(ServerAuthentication)
    case awaitingBinding(BareJID)
    case binding(BareJID, id: String)
    case awaitingSecret(domain: String)
    case awaitingHandshake(domain: String, digest: String)
    case over
  }

  let configuration: ServerStreamConfiguration
  private let decoySecret: [UInt8]
  /// Makes a text that nobody can guess.
  let random: () -> String
  var state = State.awaitingHeader
  private var account: BareJID?
  private var isSecured = false
  private var bindings: [ChannelBinding: [UInt8]] = [:]
  /// Whether the client was told our header since the stream was begun anew.
  var hasOpened = false
  /// The domain that a component wants to be, as it says it.
  var component: String?
  private var failures = 0
  private var bytes = 0

  /// - Parameters:
  ///   - decoySecret: what nobody else knows, the same for all streams of a server.
  ///   - random: makes a text that nobody can guess, for streams and nonces.
  init(_ configuration: ServerStreamConfiguration, decoySecret: [UInt8], random: @escaping () -> String) {
    self.configuration = configuration
    self.decoySecret = decoySecret
    self.random = random
  }

  // MARK: Events

  mutating func received(_ event: Event) -> [Effect] {
    switch (state, event) {
    case (.over, _): return []
    case (_, .read(let count)):
      bytes += count
      return bytes <= configuration.limits.loginBytes ? [] : end(.policyViolation)
    case (_, .unreadable(let error)):
      return end(StreamCondition(rawValue: error.condition) ?? .undefinedCondition)
    case (_, .timeIsUp): return end(.connectionTimeout)
    case (_, .closed): return end(nil)
    case (_, .element(let element, _)) where element.matches("error", Namespace.stream): return end(nil)
    case (.awaitingHeader, .opened(let header, let namespace)): return opened(header, namespace)
    case (.awaitingLogin, .element(let element, let isLast)): return receivedBeforeLogin(element, isLast: isLast)
    case (.awaitingTLS, .secured(let bindings)):
      isSecured = true
      self.bindings = bindings
      return restart()
    case (.authenticating(var authentication), _): return authenticate(&authentication, event)
    case (.awaitingBinding(let account), .element(let element, _)): return receivedBeforeBinding(element, account)
    case (.awaitingBinding, .notResumed(let handled)): return answer(notResumed: handled)
    case (.binding(_, let id), .bound(let jid)): return answer(bound: jid, id)
    case (.awaitingSecret(let domain), .secret(let secret)): return answer(secret: secret, domain)
    case (.awaitingHandshake(let domain, let digest), .element(let element, _)):
      return receivedHandshake(element, domain, digest)
    default: return end(.policyViolation)
    }
  }

  // MARK: Steps

  private mutating func restart() -> [Effect] {
    state = .awaitingHeader
    hasOpened = false
    return [.restart(isAuthenticated: account != nil)]
  }

  mutating func end(_ condition: StreamCondition?) -> [Effect] {
    state = .over
    var text = ServerHeader.end(condition)
    // Where our header is not said yet it comes first (RFC 6120 §4.9.1.2).
    if !hasOpened {
      let header =
        component.map { ServerHeader.text(toComponent: $0, id: random()) }
        ?? ServerHeader.text(from: configuration.domain, to: nil, id: random())
      text = header + text
    }
    return [.send(text), .end]
  }

  private mutating func opened(_ header: Element, _ namespace: String) -> [Effect] {
    guard header.matches("stream", Namespace.stream) else { return end(.invalidNamespace) }
    if namespace == Namespace.component, account == nil, !isSecured { return openedComponent(header) }
    // Whoever makes the stream's own namespace the default one names that of the stanzas with each of them.
    guard [Namespace.client, Namespace.stream, ""].contains(namespace) else { return end(.invalidNamespace) }
    let version = header.attribute("version")?.utf8.split(separator: UInt8(ascii: "."))
    guard let major = version?.first.flatMap({ Int(Substring($0)) }), major >= 1 else {
      return end(.unsupportedVersion)
    }
    let domain = try? BareJID(configuration.domain)
    guard let to = header.attribute("to"), let domain, (try? BareJID(to)) == domain else { return end(.hostUnknown) }
    let client = header.attribute("from").flatMap { try? BareJID($0) }
    hasOpened = true
    state = account.map { .awaitingBinding($0) } ?? .awaitingLogin
    return [
      .send(ServerHeader.text(from: configuration.domain, to: client, id: random()) + ServerHeader.features(features))
    ]
  }

  private var features: [Element] {
    if account != nil {
      let management =
        configuration.resumptionTime == nil ? [] : [Element("sm", Namespace.management)]
      // Clients of old begin a session besides (RFC 3921); none needs to.
      let session = Element("session", Namespace.session, children: [Element("optional", Namespace.session)])
      return [Element("bind", Namespace.bind), session] + management + configuration.features
    }
    var features: [Element] = []
    if offersTLS {
      let required = configuration.requiresTLS ? [Element("required", Namespace.tls)] : []
      features.append(Element("starttls", Namespace.tls, children: required))
    }
    let mechanisms = mechanisms
    guard !mechanisms.isEmpty else { return features }
    features.append(
      Element(
        "mechanisms", Namespace.sasl,
        children: mechanisms.map { Element("mechanism", Namespace.sasl, text: $0.rawValue) }))
    if offer.bindsChannel {
      let kinds = ChannelBinding.allCases.filter { bindings[$0] != nil }
      features.append(
        Element(
          "sasl-channel-binding", Namespace.channelBindings,
          children: kinds.map { Element("channel-binding", Namespace.channelBindings, ["type": $0.rawValue]) }))
    }
    return features
  }

  private var offersTLS: Bool { !isSecured && configuration.tls != nil }

  /// The ways to log in that are offered now, the strongest first.
  private var mechanisms: [SASLMechanism] {
    guard isSecured || !configuration.requiresTLS else { return [] }
    return Set(configuration.mechanisms).sorted(by: >).filter { mechanism in
      switch mechanism {
      case .external: false
      case .plain: isSecured || configuration.allowsPlainInTheClear
      default: !mechanism.bindsChannel || !bindings.isEmpty
      }
    }
  }

  private var offer: SCRAMServer.Offer {
    SCRAMServer.Offer(bindsChannel: mechanisms.contains(where: \.bindsChannel), bindings: bindings)
  }

  // MARK: Before the log-in

  private mutating func receivedBeforeLogin(_ element: Element, isLast: Bool) -> [Effect] {
    if element.matches("starttls", Namespace.tls) { return beginTLS(isLast: isLast) }
    // Whatever else it is, it takes a log-in (RFC 6120 §4.9.3.12).
    guard element.matches("auth", Namespace.sasl) else { return end(.notAuthorized) }
    guard isSecured || !configuration.requiresTLS else { return refuse(.encryptionRequired) }
    guard let mechanism = element.attribute("mechanism").flatMap(SASLMechanism.init), mechanisms.contains(mechanism)
    else { return refuse(.invalidMechanism) }
    var authentication = ServerAuthentication(
      mechanism, domain: configuration.domain, offer: offer, decoySecret: decoySecret, nonce: random())
    return follow(authentication.received(element), authentication)
  }

  private mutating func beginTLS(isLast: Bool) -> [Effect] {
    guard offersTLS else {
      state = .over
      let failure = Element("failure", Namespace.tls).serialized(within: Namespace.client)
      return [.send(failure + StreamHeader.end), .end]
    }
    // Somebody on the way may have put it there, to be taken for what the client says under TLS.
    guard isLast else { return end(.policyViolation) }
    state = .awaitingTLS
    return [.send(Element("proceed", Namespace.tls).serialized(within: Namespace.client)), .startTLS]
  }

  private mutating func authenticate(_ authentication: inout ServerAuthentication, _ event: Event) -> [Effect] {
    switch event {
    case .element(let element, _): follow(authentication.received(element), authentication)
    case .found(let credentials): follow(authentication.found(credentials), authentication)
    case .derived(let key): follow(authentication.derived(key), authentication)
    default: end(.policyViolation)
    }
  }

  private mutating func follow(_ step: ServerAuthentication.Step, _ authentication: ServerAuthentication) -> [Effect] {
    state = .authenticating(authentication)
    switch step {
    case .send(let element): return [.send(element.serialized(within: Namespace.client))]
    case .find(let localpart): return [.find(localpart: localpart)]
    case .derive(let request): return [.derive(request)]
    case .failed(let condition): return refuse(condition)
    case .succeeded(let account, let element):
      self.account = account
      return [.send(element.serialized(within: Namespace.client))] + restart()
    }
  }

  /// The client may try again, but not for ever (RFC 6120 §6.4.5).
  private mutating func refuse(_ condition: SASLCondition) -> [Effect] {
    state = .awaitingLogin
    failures += 1
    let refusal = Effect.send(condition.element.serialized(within: Namespace.client))
    return failures < configuration.limits.loginFailures ? [refusal] : [refusal] + end(.policyViolation)
  }
}

extension ServerNegotiation.Event {
  /// What the parser read.
  init(_ event: StreamParser.Event, namespace: String, isLast: Bool) {
    switch event {
    case .opened(let header): self = .opened(header, namespace: namespace)
    case .stanza(let element): self = .element(element, isLast: isLast)
    case .closed: self = .closed
    case .failed(let error): self = .unreadable(error)
    }
  }
}

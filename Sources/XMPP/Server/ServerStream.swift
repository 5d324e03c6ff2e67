// SPDX-License-Identifier: Apache-2.0

internal import Crypto
public import EventLoop
internal import TLS
public import XML

/// A server's end of a stream: one session of a client or of a component, from its connection's first byte on. It may
/// outlive its connection (XEP-0198 §5).
///
/// A thin shell: ``ServerNegotiation`` decides what is said until the session begins and ``ServerSession`` what is said
/// beside the stanzas from then on, and this carries it out. ``ServerStreams`` holds it until it has ended.
@LoopActor
public final class ServerStream {
  /// Told what happens; never within ``send(_:)``.
  public var onEvent: @LoopActor (ServerStreamEvent) -> Void = { _ in }
  /// The address of the client's session, once it has begun.
  public var jid: FullJID? { if case .client(let jid) = session?.peer { jid } else { nil } }
  /// The domain of the component, once it has proved to be that.
  public var componentDomain: String? { if case .component(let domain) = session?.peer { domain } else { nil } }
  /// Whether the session has lost its connection and waits for its client.
  public var isSuspended: Bool { phase == .suspended }
  /// Whether TLS is up.
  public var isSecured: Bool { connection?.isSecured == true }

  /// What the client calls the session when it comes back to it; nil where it cannot.
  var resumptionID: String? { session?.management?.key?.id }

  private enum Phase {
    case negotiating, running, suspended, ended
  }

  private weak var streams: ServerStreams?
  private let configuration: ServerStreamConfiguration
  private let time: any TimeSource
  private var phase = Phase.negotiating
  private var connection: ServerConnection?
  private var negotiation: ServerNegotiation
  private var session: ServerSession?
  /// That of the log-in, then that of the client's return.
  private var timer: TimerToken?
  private var askTimer: TimerToken?

  init(_ transport: Transport, _ streams: ServerStreams) {
    self.streams = streams
    configuration = streams.configuration
    time = streams.time
    negotiation = ServerNegotiation(streams.configuration, decoySecret: streams.decoySecret) {
      Hex.encode(secureRandom(16))
    }
    let connection = ServerConnection(transport, limits: Self.limits(configuration, isAuthenticated: false))
    self.connection = connection
    timer = time.schedule(after: configuration.limits.loginTime) { [weak self] in
      self?.timer = nil
      self?.negotiate(.timeIsUp)
    }
    connection.onEvent = { [weak self] in self?.negotiate($0) }
  }

  private static func limits(_ configuration: ServerStreamConfiguration, isAuthenticated: Bool) -> Limits {
    var limits = Limits()
    limits.stanzaBytes = isAuthenticated ? configuration.limits.stanzaBytes : configuration.limits.loginBytes
    return limits
  }

  // MARK: What can be asked of it

  /// Sends a stanza, in the order of the calls. While the client is away it waits for it, as far as the limits allow.
  /// Before the session has begun and after its end nothing is sent.
  public func send(_ stanza: Element) {
    switch phase {
    case .running: perform(session?.send(stanza, at: time.now), isWithinSend: true)
    case .suspended: perform(session?.keep(stanza, at: time.now), isWithinSend: true)
    case .negotiating, .ended: break
    }
  }

  /// Ends the stream, and the session with it: what was sent before goes out first.
  /// ``ServerStreamEvent/ended(unacknowledged:)`` is told within the call.
  /// - Parameter condition: why (RFC 6120 §4.9.3); nil for no error.
  public func close(_ condition: StreamCondition? = nil) {
    switch phase {
    case .negotiating:
      for case .send(let text) in negotiation.end(condition) { connection?.send(Array(text.utf8)) }
      end()
    case .running, .suspended: end(farewell: condition.map(ServerHeader.error) ?? "")
    case .ended: break
    }
  }

  /// Cuts the connection without a word, as a failing network does: a client may come back to its session if it can.
  public func cut() {
    guard let connection, phase != .ended else { return }
    connection.cut()
    lost()
  }

  // MARK: Until the session begins

  private func negotiate(_ event: ServerConnection.Event) {
    switch event {
    case .read(let count): negotiate(ServerNegotiation.Event.read(count))
    case .stream(let event, let namespace, let isLast):
      negotiate(ServerNegotiation.Event(event, namespace: namespace, isLast: isLast))
    case .secured(let bindings): negotiate(ServerNegotiation.Event.secured(bindings))
    case .lost: lost()
    }
  }

  private func negotiate(_ event: ServerNegotiation.Event) {
    guard phase == .negotiating else { return }
    for effect in negotiation.received(event) {
      guard phase == .negotiating else { return }
      switch effect {
      case .restart(let isAuthenticated):
        connection?.restart(limits: Self.limits(configuration, isAuthenticated: isAuthenticated))
      case .send(let text): connection?.send(Array(text.utf8))
      case .startTLS:
        guard let tls = configuration.tls else { return end() }
        connection?.startTLS(tls, limits: Self.limits(configuration, isAuthenticated: false))
      case .find(let localpart): negotiate(.found(streams?.authority?.credentials(for: localpart)))
      case .derive(let request):
        spawn {
          let key = await offLoop { request.derive() }
          self.negotiate(.derived(key))
        }
      case .bind(let account, let wanted):
        guard let jid = streams?.authority?.bind(account, wanted: wanted) else { return close(.internalServerError) }
        negotiate(.bound(jid))
      case .begin(let jid): begin(.client(jid))
      case .resume(let account, let id, let handled): resume(account, id, handled)
      case .findSecret(let domain): negotiate(.secret(streams?.authority?.componentSecret(for: domain)))
      case .beginComponent(let domain): begin(.component(domain: domain))
      case .end: end()
      }
    }
  }

  private func begin(_ peer: ServerSession.Peer) {
    stopTimer()
    phase = .running
    session = ServerSession(peer, configuration, id: Hex.encode(secureRandom(16)))
    streams?.began(self, peer)
    listen()
    switch peer {
    case .client(let jid): onEvent(.bound(jid))
    case .component(let domain): onEvent(.component(domain: domain))
    }
  }

  // MARK: The session of before

  /// Hands the connection to the session that the client comes back to.
  private func resume(_ account: BareJID, _ id: String, _ handled: UInt32) {
    guard let streams, let connection, let session = streams.session(id, of: account) else {
      return negotiate(.notResumed(handled: streams?.handled(id, of: account)))
    }
    self.connection = nil
    end()
    session.takeOver(connection, handled: handled)
  }

  private func takeOver(_ connection: ServerConnection, handled: UInt32) {
    // The old connection may be dead without our knowing.
    if let old = self.connection { close(old, ServerHeader.error(.conflict)) }
    self.connection = connection
    stopTimer()
    phase = .running
    listen()
    guard let effects = session?.resume(handled: handled, at: time.now) else {
      // To keep such a session would end the next connection as well.
      return end(farewell: session?.impossibleCount(handled) ?? "")
    }
    perform(effects)
    if phase == .running { onEvent(.resumed) }
  }

  // MARK: The session

  private func listen() {
    connection?.onEvent = { [weak self] event in
      guard let self else { return }
      switch event {
      case .read, .secured: break
      case .stream(let event, _, _): received(event)
      case .lost: lost()
      }
    }
  }

  private func received(_ event: StreamParser.Event) {
    guard phase == .running else { return }
    switch event {
    case .opened: break
    case .stanza(let element): perform(session?.received(element, at: time.now))
    case .closed: end()
    case .failed(let error):
      end(farewell: ServerHeader.error(StreamCondition(rawValue: error.condition) ?? .undefinedCondition))
    }
  }

  /// Carries out effects, then looks after the timer.
  private func perform(_ effects: [ServerSession.Effect]?, isWithinSend: Bool = false) {
    for effect in effects ?? [] {
      guard phase == .running || phase == .suspended else { return }
      switch effect {
      case .send(let bytes): connection?.send(bytes)
      case .deliver(let element): onEvent(.stanza(element))
      case .keep(let id): streams?.keep(self, id: id)
      // Whoever sends does so in the midst of something else.
      case .end(let farewell) where isWithinSend: spawn { self.end(farewell: farewell) }
      case .end(let farewell): end(farewell: farewell)
      }
    }
    arm()
  }

  /// Sets the timer to ask the client how much it has had, where it is not set: one that comes too early just looks
  /// again.
  private func arm() {
    guard phase == .running, askTimer == nil, let deadline = session?.deadline else { return }
    askTimer = time.schedule(after: max(.zero, deadline - time.now)) { [weak self] in
      guard let self else { return }
      askTimer = nil
      if phase == .running { perform(session?.timePassed(at: time.now)) }
    }
  }

  // MARK: The end

  /// The connection is gone.
  private func lost() {
    connection = nil
    guard phase == .running, let lifetime = session?.lifetime else { return end() }
    phase = .suspended
    timer = time.schedule(after: lifetime) { [weak self] in
      self?.timer = nil
      self?.end()
    }
    onEvent(.suspended)
  }

  /// Ends the stream, if it has not ended yet, and tells so: the one place that does.
  /// - Parameter farewell: what is said before the end tag of a session.
  private func end(farewell: String = "") {
    guard phase != .ended else { return }
    let connection = connection
    self.connection = nil
    phase = .ended
    stopTimer()
    if let askTimer { time.cancel(askTimer) }
    askTimer = nil
    if let connection { close(connection, session == nil ? nil : farewell) }
    streams?.ended(self, session)
    onEvent(.ended(unacknowledged: session?.unacknowledged ?? []))
  }

  /// - Parameter farewell: nil where the negotiation has said all.
  private func close(_ connection: ServerConnection, _ farewell: String?) {
    if let farewell {
      connection.send(Array(((session?.farewell ?? "") + farewell + StreamHeader.end).utf8))
    }
    connection.close()
  }

  private func stopTimer() {
    if let timer { time.cancel(timer) }
    timer = nil
  }
}

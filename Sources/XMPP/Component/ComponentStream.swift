// SPDX-License-Identifier: Apache-2.0

internal import Crypto
public import EventLoop
public import Logging
public import Network
internal import TLS
public import XML

/// A component's stream to its server (XEP-0114), over TCP, with TLS from the first byte where the server is another
/// machine.
///
/// A thin shell: ``ComponentNegotiation`` decides what is said until the stream is ready and ``ComponentSession`` what is
/// said beside the stanzas from then on, and this carries it out. The end is never told within a call of ``open()``,
/// ``send(_:)`` or ``close()``.
@LoopActor
public final class ComponentStream: ComponentStanzaStream {
  /// Told what happens.
  public var onEvent: @LoopActor (ComponentEvent) -> Void = { _ in }

  private enum Phase {
    case idle, connecting, negotiating
    /// The server has let us in, and it is not known yet whether the domain is ours.
    case joining
    case ready, closing, ended
  }

  /// How many bytes may wait for a server that does not read: what is said for a whole domain at once is much.
  private static let queueLimit = 8 << 20

  private let configuration: ComponentConfiguration
  private let time: any TimeSource
  private let logger: Logger
  private let timeLimit: Duration
  private let memory: KeepAliveMemory
  private let lookups: LookupSettings
  private var phase = Phase.idle
  /// Looks for the server, until there is a connection.
  private var finder: ServerFinder?
  private var transport: Transport?
  private var parser = StreamParser(limits: ClientStream.limits)
  private var negotiation: ComponentNegotiation
  /// Once the server has let us in.
  private var session: ComponentSession?
  private var tls: TLSInfo?
  /// That of the log-in, then that of the end.
  private var timer: TimerToken?
  private var sessionTimer: (deadline: MonotonicTime, token: TimerToken)?

  /// A stream that is not open yet.
  /// - Parameters:
  ///   - configuration: how to get in.
  ///   - time: the clock of all time-outs.
  ///   - logger: where to write; never a stanza.
  ///   - timeLimit: how long it may take until the stream is ready.
  ///   - memory: what earlier streams have learned about silence.
  ///   - lookups: whom names are asked of.
  public init(
    _ configuration: ComponentConfiguration, time: any TimeSource, logger: Logger,
    timeLimit: Duration = ClientStream.defaultTimeLimit, memory: KeepAliveMemory = KeepAliveMemory(),
    lookups: LookupSettings = LookupSettings()
  ) {
    self.configuration = configuration
    self.time = time
    self.logger = logger
    self.timeLimit = timeLimit
    self.memory = memory
    self.lookups = lookups
    negotiation = ComponentNegotiation(configuration)
  }

  // MARK: What can be asked of it

  /// Connects, and proves that we know the secret.
  public func open() {
    guard phase == .idle else { return }
    phase = .connecting
    timer = time.schedule(after: timeLimit) { [weak self] in self?.timeIsUp() }
    spawn { await self.connect() }
  }

  /// Sends a stanza.
  public func send(_ element: Element) {
    if phase == .ready { perform(session?.send(element, at: time.now)) }
  }

  /// Finds out soon whether the server is still there.
  public func check() {
    if phase == .ready { perform(session?.check(at: time.now)) }
  }

  /// Ends the stream.
  public func close() {
    switch phase {
    case .closing, .ended: break
    case .idle, .connecting, .negotiating:
      finish(StreamEnd(.cancelled, "The connection was closed before the server had let us in."))
    case .joining, .ready:
      phase = .closing
      stopTimer()
      stopSessionTimer()
      send(text: StreamHeader.end)
      timer = time.schedule(after: ClientStream.closeLimit) { [weak self] in self?.timeIsUp() }
    }
  }

  // MARK: Until it is ready

  private func connect() async {
    do throws(StreamEnd) {
      let wanted = try configuration.wantedServer()
      // Closed meanwhile.
      guard phase == .connecting else { return }
      let finder = ServerFinder(wanted, lookups: lookups, time: time, queueLimit: Self.queueLimit) { [weak self] step in
        switch step {
        case .lookingUp(let domain): self?.onEvent(.step(.lookingUp(domain)))
        case .connecting(let host, let address):
          self?.onEvent(.step(.connecting(host, address: address.description)))
        }
      }
      self.finder = finder
      try await begin(finder)
    } catch {
      guard phase == .connecting || phase == .negotiating else { return }
      finish(error)
    }
  }

  private func begin(_ finder: ServerFinder) async throws(StreamEnd) {
    let found: ServerFinder.Found
    do throws(ServerError) { found = try await finder.next() } catch { throw StreamEnd(error) }
    // Closed, or out of time, meanwhile.
    guard phase == .connecting else { return found.transport.close() }
    stopFinder()
    phase = .negotiating
    logger.debug("connected", metadata: ["host": "\(found.host)", "address": "\(found.address)"])
    let transport = found.transport
    self.transport = transport
    if configuration.wantsTLS(to: found.address) {
      onEvent(.step(.securing))
      do throws(TransportError) {
        tls = try await transport.startTLS(configuration.trust, serverName: configuration.certificateName)
      } catch {
        throw StreamEnd(error)
      }
    }
    guard phase == .negotiating else { return }
    transport.onEvent = { [weak self] event in
      switch event {
      case .received(let bytes): self?.received(bytes)
      case .closed(let error): self?.disconnected(error)
      }
    }
    negotiate(.connected)
  }

  private func negotiate(_ event: ComponentNegotiation.Event) {
    for effect in negotiation.received(event) {
      guard phase == .negotiating else { return }
      switch effect {
      case .send(let text): send(text: text)
      case .step(let step): onEvent(.step(step))
      case .join: join()
      case .end(let end): finish(end)
      }
    }
  }

  private func join() {
    phase = .joining
    session = ComponentSession(
      configuration, rhythm: memory.rhythm, pingID: Hex.encode(secureRandom(16)), at: time.now)
    perform(session?.begin(at: time.now))
  }

  private func isReady() {
    stopTimer()
    phase = .ready
    logger.debug("ready")
    onEvent(.ready(Security(tls: tls, mechanism: ComponentNegotiation.mechanism, channelBinding: nil)))
  }

  // MARK: What happens

  private func received(_ bytes: UnsafeRawBufferPointer) {
    session?.heard(at: time.now)
    for event in parser.feed(bytes) {
      switch (phase, event) {
      case (.ended, _): return
      case (_, .failed(let error)): unreadable(error)
      case (.negotiating, .opened(let header)):
        negotiate(.opened(header, namespace: parser.contentNamespace))
      case (.negotiating, .stanza(let element)): negotiate(.element(element))
      case (.negotiating, .closed): negotiate(.closed)
      case (.joining, .stanza(let element)), (.ready, .stanza(let element)): received(element)
      case (_, .closed): closedByServer()
      default: break
      }
    }
  }

  private func received(_ element: Element) {
    if element.matches("error", Namespace.stream) {
      return finish(StreamEnd(streamError: element, configuration: configuration, isIn: true))
    }
    perform(session?.received(element))
  }

  /// Carries out effects, then looks after the timer.
  private func perform(_ effects: [ComponentSession.Effect]?) {
    for effect in effects ?? [] {
      guard phase == .joining || phase == .ready else { return }
      switch effect {
      case .ready: isReady()
      case .send(let bytes): transport?.send(bytes)
      case .deliver(let stanza, let raw): onEvent(.stanza(stanza, raw: raw))
      // Not answered either: whoever sent it may be nobody who may know that we are here. Strangers can make it happen.
      case .drop(let error): logger.debug("a stanza was dropped: \(error)")
      case .refuse: logger.error("a stanza without a sender of our domain, or without a recipient, was not sent")
      case .end(let end): finish(end)
      }
    }
    arm()
  }

  /// Keeps one timer, at or before the next deadline: one that comes too early just looks again, so that traffic, which
  /// moves the deadline, costs nothing here.
  private func arm() {
    guard phase == .joining || phase == .ready, let deadline = session?.deadline else { return }
    if let sessionTimer {
      guard deadline < sessionTimer.deadline else { return }
      time.cancel(sessionTimer.token)
    }
    let token = time.schedule(after: max(.zero, deadline - time.now)) { [weak self] in
      guard let self else { return }
      sessionTimer = nil
      perform(session?.timePassed(at: time.now))
    }
    sessionTimer = (deadline, token)
  }

  private func closedByServer() {
    if phase == .closing { return finish(.closed) }
    finish(StreamEnd(.closedByPeer, "The server ended the connection without a reason: it may be restarting."))
  }

  private func unreadable(_ error: StreamParserError) {
    if phase == .closing { return finish(.closed) }
    finish(
      StreamEnd(.protocol, "What the server sent cannot be read: \(error). Does it take components on that port?"),
      farewell: StreamHeader.error(error.condition))
  }

  private func disconnected(_ error: TransportError?) {
    transport = nil
    if phase == .closing { return finish(.closed) }
    session?.cut()
    finish(
      error.map(StreamEnd.init)
        ?? StreamEnd(.network, "The server cut the connection without ending the stream: it may be restarting."))
  }

  private func timeIsUp() {
    timer = nil
    if phase == .closing { return finish(.closed) }
    let details = finder.map(\.soFar) ?? ""
    finish(
      StreamEnd(
        .timedOut,
        "\(configuration.serverName) did not let us in within \(timeLimit.components.seconds) seconds"
          + (details.isEmpty ? "" : " (\(details))") + ": check the server, the port and the network."))
  }

  // MARK: The end

  /// Ends the stream, if it has not ended yet, and tells so: the one place that does.
  /// - Parameter farewell: what to tell a server that still listens, with the end of the stream; nil for the end alone.
  private func finish(_ end: StreamEnd, farewell: String? = nil) {
    guard phase != .ended else { return }
    let isIn = phase == .joining || phase == .ready
    if isIn || phase == .negotiating && farewell != nil { send(text: farewell ?? StreamHeader.end) }
    phase = .ended
    if let session { memory.rhythm = session.rhythm }
    session = nil
    stopTimer()
    stopSessionTimer()
    stopFinder()
    transport?.onEvent = nil
    transport?.close()
    transport = nil
    logger.debug("stream ended", metadata: ["code": "\(end.code)"])
    spawn { self.onEvent(.ended(end)) }
  }

  private func send(text: String) { transport?.send(Array(text.utf8)) }

  private func stopTimer() {
    if let timer { time.cancel(timer) }
    timer = nil
  }

  private func stopSessionTimer() {
    if let sessionTimer { time.cancel(sessionTimer.token) }
    sessionTimer = nil
  }

  private func stopFinder() {
    finder?.stop()
    finder = nil
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import Crypto
public import EventLoop
public import Logging
public import Network
internal import TLS
public import XML

/// A stream to the server of an account, over TCP and TLS.
///
/// A thin shell: ``Negotiation`` decides what is said until the stream is bound, and this carries it out. The end is
/// never told within a call of ``open()``, ``send(_:)`` or ``close()``.
@LoopActor
public final class ClientStream: StanzaStream {
  /// How long it may take from ``open()`` until the stream is bound. Who calls over D-Bus is answered within 20 s.
  public static let defaultTimeLimit = Duration.seconds(18)
  /// How long ``close()`` waits for the server's end of the stream.
  static let closeLimit = Duration.seconds(2)

  /// Told what happens.
  public var onEvent: @LoopActor (StreamEvent) -> Void = { _ in }

  enum Phase {
    case idle, connecting, negotiating, bound, closing, ended
  }

  let configuration: ClientConfiguration
  let time: any TimeSource
  let logger: Logger
  let timeLimit: Duration
  var phase = Phase.idle
  var transport: Transport?
  let lookups: LookupSettings
  let resumption: Resumption?
  /// Looks for the server, until the stream is bound.
  var finder: ServerFinder?
  /// How servers that were of no use failed.
  var rejections: [StreamEnd] = []
  var candidateTimer: TimerToken?
  private var negotiation: Negotiation
  /// Servers judge the size of a stanza before they write every apostrophe in it as six bytes, and take up to 512 KiB
  /// from other servers. What they relay from a stranger must not end our stream.
  private static let limits: Limits = {
    var limits = Limits()
    limits.stanzaBytes = 4 * 1024 * 1024
    // A roster of 100,000 contacts comes in one piece.
    limits.largerStanzas = ["iq": 64 * 1024 * 1024]
    return limits
  }()
  private var parser = StreamParser(limits: ClientStream.limits)
  private var tls: TLSInfo?
  var isSecured: Bool { tls != nil }
  private var timer: TimerToken?

  /// A stream that is not open yet.
  /// - Parameters:
  ///   - configuration: how to log in.
  ///   - time: the clock of all time-outs.
  ///   - logger: where to write; no addresses above the debug level, and never a stanza.
  ///   - timeLimit: how long it may take until the stream is bound.
  ///   - resumption: the session to go on with, where there is one. Where the server does not have it any more a new one
  ///     is begun.
  ///   - lookups: whom names are asked of.
  public init(
    _ configuration: ClientConfiguration, time: any TimeSource, logger: Logger,
    timeLimit: Duration = defaultTimeLimit, resumption: Resumption? = nil,
    lookups: LookupSettings = LookupSettings()
  ) {
    self.configuration = configuration
    self.time = time
    self.logger = logger
    self.timeLimit = timeLimit
    self.resumption = resumption
    self.lookups = lookups
    negotiation = Self.negotiation(configuration)
  }

  private static func negotiation(_ configuration: ClientConfiguration) -> Negotiation {
    let random = { Hex.encode(secureRandom(16)) }
    return Negotiation(configuration, names: Negotiation.Names(nonce: random(), id: random(), resource: random()))
  }

  // MARK: What can be asked of it

  /// Connects, secures the connection, logs in and binds a resource.
  public func open() {
    guard phase == .idle else { return }
    phase = .connecting
    timer = time.schedule(after: timeLimit) { [weak self] in self?.timeIsUp() }
    spawn { await self.connect() }
  }

  /// Sends a stanza.
  public func send(_ element: Element, isMeant: Bool) {
    guard phase == .bound else { return }
    transport?.send(element.bytes(within: Namespace.client))
  }

  /// Nothing yet.
  public func setActive(_ isActive: Bool) {}

  /// Nothing yet.
  public func check() {}

  /// Ends the stream.
  public func close() {
    switch phase {
    case .closing, .ended: break
    case .idle, .connecting, .negotiating:
      finish(StreamEnd(.cancelled, "The connection was closed before the server had let us in."))
    case .bound:
      phase = .closing
      send(text: StreamHeader.end)
      timer = time.schedule(after: Self.closeLimit) { [weak self] in self?.timeIsUp() }
    }
  }

  // MARK: What happens

  /// The connection is up, to be protected in this way.
  func connected(_ transport: Transport, tls: ClientConfiguration.TLS) {
    self.transport = transport
    var configuration = configuration
    configuration.tls = tls
    // Nothing is kept of what another server said before.
    negotiation = Self.negotiation(configuration)
    phase = .negotiating
    transport.onEvent = { [weak self] event in
      switch event {
      case .received(let bytes): self?.received(bytes)
      case .closed(let error): self?.disconnected(error)
      }
    }
    negotiate(.connected)
  }

  /// Leaves the connection, and forgets what was read on it.
  func dropConnection() {
    parser = StreamParser(limits: Self.limits)
    transport?.onEvent = nil
    transport?.close()
    transport = nil
  }

  private func received(_ bytes: UnsafeRawBufferPointer) {
    let parser = parser
    let events = parser.feed(bytes)
    let hasRest = parser.bytesAfterLastStanza > 0
    for (index, event) in events.enumerated() {
      // What an earlier event began may have made these worthless: a new stream, TLS, or the end.
      guard parser === self.parser, phase != .ended else { return }
      let isLast = index == events.count - 1 && !hasRest
      switch event {
      case .failed(let error): unreadable(error)
      case _ where phase == .negotiating: negotiate(Negotiation.Event(event, isLast: isLast))
      case .stanza(let element): received(element)
      case .closed: closedByServer()
      case .opened: break
      }
    }
  }

  private func negotiate(_ event: Negotiation.Event?) {
    guard phase == .negotiating, let event else { return }
    for effect in negotiation.received(event) {
      switch effect {
      case .restart: parser = StreamParser(limits: Self.limits)
      case .send(let text): send(text: text)
      case .startTLS:
        // Nothing of what was read in the clear is kept.
        parser = StreamParser(limits: Self.limits)
        onEvent(.step(.securing))
        spawn { await self.secure() }
      case .derive(let request):
        spawn {
          let key = await offLoop { request.derive() }
          self.negotiate(.derived(key))
        }
      case .step(let step): onEvent(.step(step))
      case .bound(let jid, let features, let mechanism):
        stopTimer()
        phase = .bound
        logger.debug("bound", metadata: ["jid": "\(jid)"])
        onEvent(.bound(jid, features, security(mechanism)))
      case .end(let end): finish(end)
      }
    }
  }

  private func security(_ mechanism: String) -> Security {
    Security(tls: tls, mechanism: mechanism, channelBinding: negotiation.channelBinding)
  }

  private func secure() async {
    guard let transport, phase == .negotiating else { return }
    let domain = configuration.account.domain
    do throws(TransportError) {
      let info = try await transport.startTLS(
        try configuration.trust, serverName: Resolver.certificateName(of: domain),
        applicationProtocol: negotiation.configuration.tls == .direct ? "xmpp-client" : nil)
      tls = info
      logger.debug("secured", metadata: ["version": "\(info.version)", "cipher": "\(info.cipher)"])
      let bindings = ChannelBinding.allCases.compactMap { kind in transport.channelBinding(kind).map { (kind, $0) } }
      negotiate(.secured(Dictionary(uniqueKeysWithValues: bindings)))
    } catch {
      // Another server may be tried already.
      guard self.transport === transport else { return }
      finish(StreamEnd(error))
    }
  }

  /// An element on the bound stream.
  private func received(_ element: Element) {
    guard phase == .bound else { return }
    if element.matches("error", Namespace.stream) {
      return finish(StreamEnd(streamError: element, configuration: configuration))
    }
    guard element.namespace == Namespace.client else { return }
    do throws(MalformedStanza) {
      onEvent(.stanza(try Stanza(element), raw: element))
    } catch {
      // Not answered either: whoever sent it may be nobody who may know that we are here.
      logger.info("a stanza was dropped: \(error)")
    }
  }

  private func closedByServer() {
    if phase == .closing {
      finish(.closed)
    } else {
      finish(StreamEnd(.closedByPeer, "The server ended the connection without a reason: it may be restarting."))
    }
  }

  private func unreadable(_ error: StreamParserError) {
    send(text: StreamHeader.error(error.condition))
    finish(StreamEnd(.protocol, "What the server sent cannot be read: \(error). Is it an XMPP server?"))
  }

  private func disconnected(_ error: TransportError?) {
    transport = nil
    if phase == .closing { return finish(.closed) }
    finish(
      error.map(StreamEnd.init)
        ?? StreamEnd(.network, "The server cut the connection without ending the stream: it may be restarting."))
  }

  private func timeIsUp() {
    timer = nil
    if phase == .closing { return finish(.closed) }
    let end = StreamEnd(.timedOut, lateness)
    stopFinder()
    finish(end)
  }

  // MARK: The end

  /// Ends the stream, if it has not ended yet, and tells so: the one place that does.
  func finish(_ end: StreamEnd) {
    guard phase != .ended, !goesOnElsewhere(after: end) else { return }
    // The server is told too where it still listens.
    if phase == .bound { send(text: StreamHeader.end) }
    phase = .ended
    stopTimer()
    dropConnection()
    logger.debug("stream ended", metadata: ["code": "\(end.code)"])
    spawn { self.onEvent(.ended(end, nil)) }
  }

  private func send(text: String) { transport?.send(Array(text.utf8)) }

  private func stopTimer() {
    if let timer { time.cancel(timer) }
    timer = nil
    stopFinder()
  }
}

// SPDX-License-Identifier: Apache-2.0

public import EventLoop
internal import Logging
internal import TLS
internal import XML
public import XMPP

/// An XMPP server within the program: RFC 6120 and 6121, and the server's end of whatever hides a session from others.
///
/// In memory, on loopback, for tests and for trying things out; not for production. A thin shell: ``LoopbackDomain``
/// decides who gets what, and the streams of `XMPP` say it. Whoever starts it holds it until it is stopped.
@LoopActor
public final class LoopbackServer {
  /// What its clients were sent.
  public let recorder: LoopbackRecorder
  /// What it was asked to be.
  public let configuration: LoopbackConfiguration
  /// The port that it listens on; 0 while it does not.
  public var port: UInt16 { listener?.port ?? 0 }
  /// Its certificate in PEM, for clients to trust; nil where it offers no TLS, and before it has first started. It stays
  /// the same when the server is stopped and started again.
  public var certificate: String? { tls?.certificate }
  /// The sessions of clients that are there, also those that have lost their connection, in no order.
  public var sessions: [FullJID] { streams?.all.compactMap(\.jid) ?? [] }

  /// Asked for an account that somebody wants to log in to and that there is not: what it returns is made.
  public var onStrangeUser: @LoopActor (_ localpart: String) -> LoopbackUser? = { _ in nil }

  private let time: any TimeSource
  private let log = Logger(label: "nightcloak.loopback")
  private var domain: LoopbackDomain
  private let directory: Directory
  private let fences: Fences
  private var tls: ServerTLS?
  private var streams: ServerStreams?
  private var listener: ServerListener?
  private var connected: [SessionID: ServerStream] = [:]
  private var lastSession: UInt64 = 0

  /// Describes a server. ``start()`` makes it listen.
  /// - Parameter time: the clock of time-outs and of what is told of the time.
  public init(_ configuration: LoopbackConfiguration, time: any TimeSource = EventLoop.shared.time) {
    self.configuration = configuration
    self.time = time
    recorder = LoopbackRecorder(limit: configuration.recordedStanzas, time: time)
    directory = Directory(configuration)
    fences = Fences(domain: configuration.domain, time: time)
    domain = LoopbackDomain(
      configuration, run: String(UInt64.random(in: 0...UInt64.max), radix: 16),
      now: time.microsecondsSinceEpoch / 1_000_000)
    directory.newcomer = { [weak self] in self?.admit($0) }
    recorder.fence = { [weak self] sessions, limit in await self?.fence(sessions, within: limit) ?? false }
  }

  /// Begins to listen.
  /// - Throws: ``LoopbackError`` where it cannot, or should not.
  public func start() throws(LoopbackError) {
    guard listener == nil else { return }
    try check()
    do {
      if configuration.offersTLS, tls == nil {
        tls = try ServerTLS(ServerIdentity.selfMade(for: [configuration.domain]))
      }
      let streams = ServerStreams(streamConfiguration, authority: directory, time: time)
      let listener = try ServerListener(host: configuration.host, port: configuration.port, streams: streams)
      listener.onAccept = { [weak self] in self?.accept($0) }
      (self.streams, self.listener) = (streams, listener)
    } catch {
      // It names the address.
      throw LoopbackError("\(error): choose another port, 0 for any that is free, or another address")
    }
    log.info("listening", metadata: ["port": "\(port)"])
  }

  /// Ends all sessions and stops to listen. What its accounts have is kept until the server itself is gone, so it can be
  /// started again.
  public func stop() {
    listener?.close()
    streams?.close()
    (listener, streams) = (nil, nil)
  }

  /// Ends all sessions without a word to anybody and stops to listen, as a server does whose power fails.
  public func crash() {
    listener?.close()
    for stream in streams?.all ?? [] {
      stream.onEvent = { _ in }
      stream.cut()
      stream.close()
    }
    for id in connected.keys { _ = domain.ended(id) }
    connected = [:]
    (listener, streams) = (nil, nil)
  }

  /// Cuts a session's connection without a word; its client may come back to it (XEP-0198 §5).
  public func cut(_ session: FullJID) { streams?.all.first { $0.jid == session }?.cut() }

  /// Waits until sessions have dealt with what they were sent, and the server with what they had said before: each is
  /// asked a question and answers it.
  /// - Parameters:
  ///   - sessions: which; all that are connected where none are given.
  ///   - limit: for how long.
  /// - Returns: whether all have answered.
  public func fence(_ sessions: [FullJID]? = nil, within limit: Duration = .seconds(10)) async -> Bool {
    let wanted = sessions.map(Set.init)
    let asked = connected.values.filter { stream in
      guard let jid = stream.jid else { return false }
      return wanted?.contains(jid) ?? !stream.isSuspended
    }
    // Whoever is not there says nothing any more, so there is nothing to wait for; but a name that nobody has is a slip.
    guard asked.count == wanted?.count ?? asked.count else { return false }
    return await fences.ask(asked, within: limit)
  }

  // MARK: Pieces

  private func check() throws(LoopbackError) {
    guard let address = SocketAddress(configuration.host, port: configuration.port) else {
      throw LoopbackError("\"\(configuration.host)\" is no numeric address: use one as 127.0.0.1 or ::1")
    }
    guard address.isLoopback || configuration.isOpenToOthers else {
      throw LoopbackError("'\(configuration.host)' can be reached by others: that must be asked for")
    }
    guard let server = try? BareJID(configuration.domain), server.localpart == nil else {
      throw LoopbackError("'\(configuration.domain)' is not a domain")
    }
    for user in configuration.users where user.jid.localpart == nil || user.jid.domain != server.domain {
      throw LoopbackError("the account \(user.jid) is not one of \(configuration.domain)")
    }
    for component in configuration.components
    where component.domain == configuration.domain || component.secret.isEmpty {
      throw LoopbackError("the component \(component.domain) needs a domain of its own and a secret")
    }
  }

  private var streamConfiguration: ServerStreamConfiguration {
    let info = LoopbackDomain.serverInfo(configuration.features)
    var result = ServerStreamConfiguration(
      domain: configuration.domain, tls: tls, requiresTLS: configuration.requiresTLS,
      mechanisms: configuration.mechanisms,
      features: [
        Element("ver", "urn:xmpp:features:rosterver"), Element("sub", "urn:xmpp:features:pre-approval"),
        Element("csi", "urn:xmpp:csi:0"),
        Element(
          "c", EntityCapabilities.namespace,
          ["hash": "sha-1", "node": "https://nightcloak.org/loopback", "ver": EntityCapabilities.hash(info)]),
      ], resumptionTime: configuration.resumptionTime)
    result.allowsPlainInTheClear = configuration.allowsPlainInTheClear
    return result
  }

  private func admit(_ localpart: String) -> LoopbackUser? {
    guard let user = onStrangeUser(localpart) else { return nil }
    domain.add(user)
    return user
  }

  private func accept(_ stream: ServerStream) {
    lastSession += 1
    let id = SessionID(lastSession)
    // The streams hold each other and this server's handler until they have ended.
    stream.onEvent = { [weak self, weak stream] event in
      if let self, let stream { handle(event, stream, id) }
    }
  }

  private func handle(_ event: ServerStreamEvent, _ stream: ServerStream, _ id: SessionID) {
    domain.now = time.microsecondsSinceEpoch / 1_000_000
    switch event {
    case .bound(let jid):
      connected[id] = stream
      log.debug("a session has begun", metadata: ["jid": "\(jid)"])
      carryOut(domain.bound(jid, at: id))
    case .component(let name):
      connected[id] = stream
      carryOut(domain.componentBound(name, at: id))
    case .stanza(let stanza):
      if fences.isAnswer(stanza) { return }
      carryOut(domain.received(stanza, from: id))
    case .suspended, .resumed: break
    case .ended(let unacknowledged):
      guard connected.removeValue(forKey: id) != nil else { return }
      log.debug("a session is over")
      carryOut(domain.ended(id, unacknowledged: unacknowledged))
    }
  }

  private func carryOut(_ deliveries: [Delivery]) {
    for delivery in deliveries {
      guard let stream = connected[delivery.to] else { continue }
      if let jid = stream.jid { recorder.record(delivery.stanza, to: jid) }
      stream.send(delivery.stanza)
    }
  }
}

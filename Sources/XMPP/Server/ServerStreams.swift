// SPDX-License-Identifier: Apache-2.0

internal import Crypto
public import EventLoop
internal import TLS

/// The streams of one server: those that are connected, and those that wait for their client to come back.
@LoopActor
public final class ServerStreams {
  /// Of how many sessions that are over it is remembered how much they had had (XEP-0198 §5).
  static let mostForgotten = 1024

  /// What they have in common. A change counts for the connections that come from then on.
  public var configuration: ServerStreamConfiguration
  weak var authority: (any ServerAuthority)?
  let time: any TimeSource
  /// What nobody else knows.
  let decoySecret = secureRandom(32)
  private var streams: [ObjectIdentifier: ServerStream] = [:]
  /// How many of them have no session yet.
  private var loginCount = 0
  private var clients: [FullJID: ServerStream] = [:]
  private var components: [String: ServerStream] = [:]
  private var kept: [String: ServerStream] = [:]
  private var forgotten: [String: (account: BareJID, handled: UInt32)] = [:]
  /// In which order they were forgotten; the oldest is at `oldest`, and overwritten.
  private var forgottenNames: [String] = []
  private var oldest = 0

  /// No streams yet.
  /// - Parameters:
  ///   - authority: whom they ask; held weakly.
  ///   - time: the clock of all time-outs.
  public init(
    _ configuration: ServerStreamConfiguration, authority: any ServerAuthority,
    time: any TimeSource = EventLoop.shared.time
  ) {
    self.configuration = configuration
    self.authority = authority
    self.time = time
  }

  /// All streams that have not ended, in no order.
  public var all: [ServerStream] { Array(streams.values) }

  /// Ends all streams, also those that wait for their client.
  public func close(_ condition: StreamCondition? = .systemShutdown) {
    for stream in all { stream.close(condition) }
  }

  // MARK: What the streams tell

  /// Takes a connection; nil where there is no room for it.
  func accept(_ transport: Transport) -> ServerStream? {
    let limits = configuration.limits
    guard loginCount < limits.loginStreams, streams.count < limits.streams else { return nil }
    let stream = ServerStream(transport, self)
    streams[ObjectIdentifier(stream)] = stream
    loginCount += 1
    return stream
  }

  /// The stream has become a session. Whoever had that address before has it no longer (RFC 6120 §7.7.2.2).
  func began(_ stream: ServerStream, _ peer: ServerSession.Peer) {
    loginCount -= 1
    switch peer {
    case .client(let jid):
      clients[jid]?.close(.conflict)
      clients[jid] = stream
    case .component(let domain):
      components[domain]?.close(.conflict)
      components[domain] = stream
    }
  }

  /// The client may come back to the session.
  func keep(_ stream: ServerStream, id: String) { kept[id] = stream }

  /// The session that the account may come back to.
  func session(_ id: String, of account: BareJID) -> ServerStream? {
    guard let stream = kept[id], stream.jid?.bare == account else { return nil }
    return stream
  }

  /// How much a session had had that is over.
  func handled(_ id: String, of account: BareJID) -> UInt32? {
    forgotten[id].flatMap { $0.account == account ? $0.handled : nil }
  }

  /// The stream is over.
  func ended(_ stream: ServerStream, _ session: ServerSession?) {
    streams[ObjectIdentifier(stream)] = nil
    guard let session else {
      loginCount -= 1
      return
    }
    switch session.peer {
    case .component(let domain): if components[domain] === stream { components[domain] = nil }
    case .client(let jid):
      if clients[jid] === stream { clients[jid] = nil }
      guard let management = session.management, let id = management.key?.id else { return }
      kept[id] = nil
      remember(id, jid.bare, management.handled)
    }
  }

  private func remember(_ id: String, _ account: BareJID, _ handled: UInt32) {
    forgotten[id] = (account, handled)
    guard forgottenNames.count == Self.mostForgotten else { return forgottenNames.append(id) }
    forgotten[forgottenNames[oldest]] = nil
    forgottenNames[oldest] = id
    oldest = (oldest + 1) % Self.mostForgotten
  }
}

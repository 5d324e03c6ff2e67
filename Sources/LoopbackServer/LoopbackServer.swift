// SPDX-License-Identifier: Apache-2.0

public import EventLoop
internal import Logging
internal import TLS
internal import XML
public import XMPP

/// An XMPP server within the program: RFC 6120 and 6121, and the server's end of whatever hides a session from others.
///
/// In memory, on loopback, for tests and for trying things out. A thin shell: ``LoopbackDomain`` decides who gets what,
/// and the streams of `XMPP` say it.
@LoopActor
public final class LoopbackServer {
  /// What its clients were sent.
  public let recorder: LoopbackRecorder
  /// What it was asked to be.
  public let configuration: LoopbackConfiguration
  /// The port that it listens on; 0 before it has started.
  public private(set) var port: UInt16 = 0
  /// Its certificate in PEM, for clients to trust; nil where it offers no TLS, and before it has started.
  public private(set) var certificate: String?
  /// The sessions of clients that are there, in no order.
  public var sessions: [FullJID] { clients.values.compactMap(\.jid) }

  private let time: any TimeSource
  private let log = Logger(label: "nightcloak.loopback")
  private var domain: LoopbackDomain
  private let directory: Directory
  private var streams: ServerStreams?
  private var listener: ServerListener?
  private var clients: [SessionID: ServerStream] = [:]
  private var nextSession: UInt64 = 0
  private var fences: [String: CheckedContinuation<Bool, Never>] = [:]

  /// Describes a server. ``start()`` makes it listen.
  /// - Parameter time: the clock of time-outs and of what is told of the time.
  public init(_ configuration: LoopbackConfiguration, time: any TimeSource = EventLoop.shared.time) {
    self.configuration = configuration
    self.time = time
    recorder = LoopbackRecorder(limit: configuration.recordedStanzas, time: time)
    directory = Directory(configuration)
    domain = LoopbackDomain(configuration)
  }

  /// Begins to listen.
  /// - Throws: ``LoopbackError`` where it cannot, or should not.
  public func start() throws(LoopbackError) {}

  /// Ends all sessions and stops to listen. What its accounts have is kept until the server itself is gone, so it can be
  /// started again.
  public func stop() {}

  /// Cuts a session's connection without a word; its client may come back to it (XEP-0198).
  public func cut(_ session: FullJID) {}
}

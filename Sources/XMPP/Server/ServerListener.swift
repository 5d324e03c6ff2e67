// SPDX-License-Identifier: Apache-2.0

public import EventLoop
public import TLS

/// Takes connections on a TCP port and makes a ``ServerStream`` of each, for clients and components alike.
@LoopActor
public final class ServerListener {
  /// The port.
  public var port: UInt16 { listener.address.port }
  /// Given each stream before anything was read on it; set the stream's ``ServerStream/onEvent`` here.
  public var onAccept: @LoopActor (ServerStream) -> Void {
    get { target.onAccept }
    set { target.onAccept = newValue }
  }

  private let listener: ConnectionListener
  private let target: Target

  /// Where connections go.
  @LoopActor
  private final class Target {
    let streams: ServerStreams
    var onAccept: @LoopActor (ServerStream) -> Void = { _ in }

    init(_ streams: ServerStreams) { self.streams = streams }

    func accept(_ transport: Transport) {
      // A connection that there is no room for is dropped with the transport.
      if let stream = streams.accept(transport) { onAccept(stream) }
    }
  }

  /// Begins to listen.
  /// - Parameters:
  ///   - host: a numeric address of this machine.
  ///   - port: 0 for any that is free.
  ///   - streams: where the streams belong to; several listeners may share them.
  /// - Throws: ``TransportError`` where nobody can listen there.
  public init(host: String, port: UInt16, streams: ServerStreams) throws(TransportError) {
    let target = Target(streams)
    let limits = streams.configuration.limits
    listener = try ConnectionListener(
      at: try SocketAddress(numeric: host, port: port), time: streams.time, timeout: limits.loginTime,
      queueLimit: limits.queuedBytes
    ) { target.accept($0) }
    self.target = target
  }

  /// Stops taking connections. Those that are there stay: see ``ServerStreams/close(_:)``.
  public func close() { listener.close() }
}

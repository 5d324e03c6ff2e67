// SPDX-License-Identifier: Apache-2.0

public import EventLoop
public import TLS

/// Takes connections on a TCP port and makes a ``ServerStream`` of each, for clients and components alike.
@LoopActor
public final class ServerListener {
  /// The port.
  public let port: UInt16
  /// Given each stream before anything was read on it; set the stream's ``ServerStream/onEvent`` here.
  public var onAccept: @LoopActor (ServerStream) -> Void = { _ in }

  /// Begins to listen.
  /// - Parameters:
  ///   - host: a numeric address of this machine.
  ///   - port: 0 for any that is free.
  ///   - streams: where the streams belong to; several listeners may share them.
  /// - Throws: ``TransportError`` where nobody can listen there.
  public init(host: String, port: UInt16, streams: ServerStreams) throws(TransportError) {
    self.port = port
  }

  /// Stops taking connections. Those that are there stay: see ``ServerStreams/close(_:)``.
  public func close() {}
}

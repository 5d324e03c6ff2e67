// SPDX-License-Identifier: Apache-2.0

public import EventLoop

/// The streams of one server: those that are connected, and those that wait for their client to come back.
@LoopActor
public final class ServerStreams {
  /// What they have in common. A change counts for the connections that come from then on.
  public var configuration: ServerStreamConfiguration
  weak var authority: (any ServerAuthority)?
  let time: any TimeSource

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

  /// All streams that have not ended.
  public var all: [ServerStream] { [] }

  /// Ends all streams, also those that wait for their client.
  public func close(_ condition: StreamCondition? = .systemShutdown) {}
}

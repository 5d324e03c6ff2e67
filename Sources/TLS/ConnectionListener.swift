// SPDX-License-Identifier: Apache-2.0

public import EventLoop

/// Takes connections at an address of this machine.
@LoopActor
public final class ConnectionListener {
  /// How many connections the kernel keeps until they are taken.
  private static let backlog: Int32 = 1024
  /// How many are taken before others have their turn.
  private static let mostAtOnce = 64
  /// How long no more are taken where there is no room for another descriptor.
  private static let pause = Duration.seconds(1)

  /// Where it listens, with the port that was given where any was asked for.
  public let address: SocketAddress

  private let socket: Socket
  private let time: any TimeSource
  private let timeout: Duration
  private let queueLimit: Int
  private let onAccept: @LoopActor (Transport) -> Void
  private var pauseTimer: TimerToken?
  private var isOpen = true

  /// Begins to listen.
  ///
  /// - Parameters:
  ///   - address: port 0 for any that is free.
  ///   - time: the clock of all time-outs.
  ///   - timeout: how long to wait for TLS on each connection.
  ///   - queueLimit: how many bytes may wait for a peer that does not read; one more, and the connection ends.
  ///   - onAccept: given each connection; one that is not kept is closed.
  /// - Throws: ``TransportError`` where nobody can listen there.
  public init(
    at address: SocketAddress, time: any TimeSource = EventLoop.shared.time, timeout: Duration = .seconds(15),
    queueLimit: Int = Transport.defaultQueueLimit, onAccept: @escaping @LoopActor (Transport) -> Void
  ) throws(TransportError) {
    socket = try Socket.listening(at: address, backlog: Self.backlog)
    self.address = socket.localAddress ?? address
    self.time = time
    self.timeout = timeout
    self.queueLimit = queueLimit
    self.onAccept = onAccept
    watch()
  }

  isolated deinit { close() }

  /// Stops listening. Connections that were taken stay.
  public func close() {
    isOpen = false
    if let pauseTimer { time.cancel(pauseTimer) }
    pauseTimer = nil
    socket.close()
  }

  private func watch() {
    socket.watch(.read) { [weak self] _ in self?.accept() }
  }

  private func accept() {
    for _ in 0..<Self.mostAtOnce {
      // Whoever was given a connection may have closed us over it.
      guard isOpen else { return }
      switch socket.accept() {
      case .socket(let taken):
        onAccept(Transport(taken, time: time, timeout: timeout, queueLimit: queueLimit))
      case .none: return
      case .noRoom: return rest()
      }
    }
  }

  /// Leaves those who wait where they are for a while: the loop would do nothing else but fail to take them.
  private func rest() {
    socket.unwatch()
    pauseTimer = time.schedule(after: Self.pause) { [weak self] in
      self?.pauseTimer = nil
      self?.watch()
    }
  }
}

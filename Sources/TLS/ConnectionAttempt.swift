// SPDX-License-Identifier: Apache-2.0

public import EventLoop
internal import Glibc

/// A connection that is being made, and may be called off.
@LoopActor
public final class ConnectionAttempt {
  /// Where to.
  public let address: SocketAddress

  private let time: any TimeSource
  private let timeout: Duration
  private let queueLimit: Int
  private var socket: Socket?
  private var timer: TimerToken?
  private var onEnd: (@LoopActor (Result<Transport, TransportError>) -> Void)?

  /// Begins to connect to `address`.
  ///
  /// - Parameters:
  ///   - time: the clock of all time-outs.
  ///   - timeout: how long to wait for the connection, and later for TLS.
  ///   - queueLimit: how many bytes may wait for a peer that does not read; one more, and the connection ends.
  ///   - onEnd: told once what came of it, never within this call, and not after ``cancel()``.
  public init(
    to address: SocketAddress, time: any TimeSource = EventLoop.shared.time, timeout: Duration = .seconds(15),
    queueLimit: Int = Transport.defaultQueueLimit,
    onEnd: @escaping @LoopActor (Result<Transport, TransportError>) -> Void
  ) {
    self.address = address
    self.time = time
    self.timeout = timeout
    self.queueLimit = queueLimit
    self.onEnd = onEnd
    do throws(TransportError) {
      let socket = try Socket.connecting(to: address)
      self.socket = socket
      // These hold the attempt until it has ended.
      timer = time.schedule(after: timeout) { [self] in
        end(.failure(TransportError(.timedOut, "\(address) did not answer in time")))
      }
      socket.watch(.write) { [self] _ in connected() }
    } catch {
      spawn { self.end(.failure(error)) }
    }
  }

  /// Closes the socket; nothing is told any more.
  public func cancel() {
    onEnd = nil
    release()?.close()
  }

  private func connected() {
    guard let socket = release() else { return }
    if let failure = socket.connectionFailure(address) {
      socket.close()
      end(.failure(failure))
    } else {
      end(.success(Transport(socket, time: time, timeout: timeout, queueLimit: queueLimit)))
    }
  }

  private func end(_ result: Result<Transport, TransportError>) {
    if case .failure = result { release()?.close() }
    let tell = onEnd
    onEnd = nil
    tell?(result)
  }

  private func release() -> Socket? {
    if let timer { time.cancel(timer) }
    timer = nil
    socket?.unwatch()
    defer { socket = nil }
    return socket
  }
}

extension Transport {
  /// Connects to `address`.
  ///
  /// - Parameters:
  ///   - time: the clock of all time-outs.
  ///   - timeout: how long to wait for the connection, and later for TLS.
  ///   - queueLimit: how many bytes may wait for a peer that does not read; one more, and the connection ends.
  public static func connect(
    to address: SocketAddress, time: any TimeSource = EventLoop.shared.time, timeout: Duration = .seconds(15),
    queueLimit: Int = defaultQueueLimit
  ) async throws(TransportError) -> Transport {
    let result = await withCheckedContinuation { continuation in
      _ = ConnectionAttempt(to: address, time: time, timeout: timeout, queueLimit: queueLimit) {
        continuation.resume(returning: $0)
      }
    }
    return try result.get()
  }
}

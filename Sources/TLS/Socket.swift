// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import EventLoop
internal import Glibc

/// What came of one attempt to read or write.
enum IOOutcome {
  case bytes(Int)
  /// Try again when there is something to read.
  case wantsRead
  /// Try again when there is room to write.
  case wantsWrite
  /// The peer has finished, in good order.
  case ended
  case failed(TransportError)
}

/// A non-blocking TCP socket.
@LoopActor
final class Socket {
  /// A peer that takes nothing and acknowledges nothing for this long is gone.
  private static let userTimeoutMilliseconds: Int32 = 60_000
  /// A silent connection is tried after this many seconds, by the kernel: the process sleeps on.
  private static let keepAliveSeconds: Int32 = 120

  let descriptor: Int32
  private var isOpen = true

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  isolated deinit { close() }

  /// A socket that is on its way to `address`: writable once that has ended, however it has.
  static func connecting(to address: SocketAddress) throws(TransportError) -> Socket {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = Glibc.socket(address.family, type, 0)
    guard descriptor >= 0 else {
      throw TransportError(.network, "cannot connect to \(address): \(errorText(errno))")
    }
    let socket = Socket(descriptor)
    socket.setOptions()
    let result = address.withSocketAddress { Glibc.connect(descriptor, $0, $1) }
    guard result == 0 || errno == EINPROGRESS else { throw cannotConnect(address, errno) }
    return socket
  }

  /// Why the connection to `address` was not made; nil when it was.
  func connectionFailure(_ address: SocketAddress) -> TransportError? {
    var failure: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size)
    return failure == 0 ? nil : Self.cannotConnect(address, failure)
  }

  private static func cannotConnect(_ address: SocketAddress, _ failure: Int32) -> TransportError {
    TransportError(failure == ETIMEDOUT ? .timedOut : .network, "cannot connect to \(address): \(errorText(failure))")
  }

  /// A socket that waits for connections at `address`.
  static func listening(at address: SocketAddress, backlog: Int32) throws(TransportError) -> Socket {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = Glibc.socket(address.family, type, 0)
    guard descriptor >= 0 else { throw cannotListen(address, errno) }
    let socket = Socket(descriptor)
    // A server that is started again need not wait until the last traces of its connections are gone.
    socket.set(Int(SOL_SOCKET), SO_REUSEADDR, 1)
    let result = address.withSocketAddress { Glibc.bind(descriptor, $0, $1) }
    guard result == 0, Glibc.listen(descriptor, backlog) == 0 else { throw cannotListen(address, errno) }
    return socket
  }

  private static func cannotListen(_ address: SocketAddress, _ failure: Int32) -> TransportError {
    TransportError(.network, "cannot listen at \(address): \(errorText(failure))")
  }

  /// The address of our own end.
  var localAddress: SocketAddress? {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    return result == 0 ? withUnsafeBytes(of: &storage) { SocketAddress(socketAddress: $0) } : nil
  }

  /// What came of taking a connection.
  enum Acceptance {
    case socket(Socket)
    /// None waits.
    case none
    /// The process or the system has no room for it: it would be told of again and again.
    case noRoom
  }

  /// Takes a connection that waits.
  func accept() -> Acceptance {
    let taken = linux_accept(descriptor)
    guard taken < 0 else {
      let socket = Socket(taken)
      socket.setOptions()
      return .socket(socket)
    }
    return [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) ? .noRoom : .none
  }

  private func set(_ level: Int, _ option: Int32, _ value: Int32) {
    var value = value
    setsockopt(descriptor, Int32(level), option, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  private func setOptions() {
    let tcp = Int(IPPROTO_TCP)
    set(tcp, TCP_NODELAY, 1)
    set(tcp, TCP_USER_TIMEOUT, Self.userTimeoutMilliseconds)
    set(tcp, TCP_KEEPIDLE, Self.keepAliveSeconds)
    set(Int(SOL_SOCKET), SO_KEEPALIVE, 1)
  }

  func watch(_ interest: EventLoop.Interest, _ handler: @escaping @LoopActor (EventLoop.Interest) -> Void) {
    guard isOpen else { return }
    EventLoop.shared.watch(descriptor, for: interest, handler)
  }

  func unwatch() { EventLoop.shared.unwatch(descriptor) }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> IOOutcome {
    guard isOpen else { return .ended }
    let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
    if count > 0 { return .bytes(count) }
    return count == 0 ? .ended : Self.outcome(of: errno, blocked: .wantsRead)
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> IOOutcome {
    guard isOpen else { return .ended }
    let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    return count >= 0 ? .bytes(count) : Self.outcome(of: errno, blocked: .wantsWrite)
  }

  private static func outcome(of failure: Int32, blocked: IOOutcome) -> IOOutcome {
    switch failure {
    case EAGAIN, EINTR: blocked
    default: .failed(lost(failure))
    }
  }

  /// The error for a connection that broke.
  static func lost(_ failure: Int32) -> TransportError {
    TransportError(failure == ETIMEDOUT ? .timedOut : .network, "the connection broke: \(errorText(failure))")
  }

  /// Tells the peer that nothing more will come.
  func finishWriting() {
    if isOpen { shutdown(descriptor, Int32(SHUT_WR)) }
  }

  /// Makes ``close()`` drop what the kernel still holds for a peer that does not take it.
  func dropUnsent() {
    var setting = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &setting, socklen_t(MemoryLayout<linger>.size))
  }

  func close() {
    guard isOpen else { return }
    isOpen = false
    unwatch()
    Glibc.close(descriptor)
  }
}

/// What the system calls `failure`.
func errorText(_ failure: Int32) -> String {
  var text = [CChar](repeating: 0, count: 128)
  // strerror(3) itself is not for several threads.
  guard strerror_r(failure, &text, text.count) == 0 else { return "error \(failure)" }
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

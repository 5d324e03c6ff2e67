// SPDX-License-Identifier: Apache-2.0

public import EventLoop
internal import Glibc

/// A TCP connection on the loop: in the clear at first, then with TLS on the same descriptor.
///
/// Nothing is read before ``onEvent`` is set. What was read in the clear was told in the clear: nothing is kept
/// that could be taken for part of the secured conversation later. The connection ends with one `.closed`, after
/// which nothing more is told; a transport that nobody holds closes its socket.
@LoopActor
public final class Transport {
  /// What happened.
  public enum Event {
    /// Bytes came; they are valid only during the call.
    case received(UnsafeRawBufferPointer)
    /// The connection has ended: by the peer or by us in good order, or for a reason.
    case closed(TransportError?)
  }

  enum State {
    case plain
    /// TLS was asked for; the certificates to trust are being read.
    case preparing
    case handshaking(TLSSession, CheckedContinuation<Result<TLSInfo, TransportError>, Never>)
    case secure(TLSSession)
    /// We have closed; what is queued goes out, then the peer's goodbye is awaited.
    case closing(TLSSession?)
    case closed
  }

  /// How many bytes may wait for a peer that does not read, unless told otherwise.
  public static let defaultQueueLimit = 1 << 20
  /// How long ``close()`` waits for the peer to take what is queued and to say goodbye.
  static let lingerTime = Duration.seconds(5)
  /// How much is read from one connection before others have their turn.
  private static let readsPerTurn = 8
  /// All connections read into the same place: there is one thread. It holds the largest record of TLS: OpenSSL takes
  /// one at a time from the socket, so that none is left inside it when the descriptor is watched again.
  private static let inputBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * 1024, alignment: 16)

  /// Told what happens. Set it to begin reading.
  public var onEvent: (@LoopActor (Event) -> Void)? {
    didSet { updateInterest() }
  }

  var state = State.plain
  let time: any TimeSource
  let timeout: Duration
  private let socket: Socket
  private var queue: WriteQueue
  private var timer: TimerToken?
  private var readWantsWrite = false
  private var writeWantsRead = false
  private var sentGoodbye = false
  private var writeError: TransportError?
  // Keeps a closing transport until its goodbye is said.
  private var lingering: Transport?

  init(_ socket: Socket, time: any TimeSource, timeout: Duration, queueLimit: Int) {
    self.socket = socket
    self.time = time
    self.timeout = timeout
    queue = WriteQueue(limit: queueLimit)
  }

  isolated deinit { release() }

  // MARK: Writing

  /// Sends `bytes`, at once or as soon as the peer takes them. Nothing is sent while TLS is being made, and after
  /// ``close()``. A failure is told later, as an event.
  public func send(_ bytes: [UInt8]) {
    switch state {
    case .plain, .secure: break
    case .preparing, .handshaking, .closing, .closed: return
    }
    guard writeError == nil else { return }
    guard queue.append(bytes) else {
      return cannotWrite(
        TransportError(.slowReader, "the peer does not read what it is sent: \(queue.limit) bytes were waiting"))
    }
    flush()
  }

  /// Says goodbye once everything queued is sent, and closes the socket when the peer has answered or after five
  /// seconds. Nothing is received any more; `.closed(nil)` is told at the end.
  public func close() {
    switch state {
    case .plain: state = .closing(nil)
    case .secure(let session): state = .closing(session)
    case .preparing, .handshaking: return end(nil)
    case .closing, .closed: return
    }
    lingering = self
    setTimer(Self.lingerTime) { transport in
      transport.socket.dropUnsent()
      transport.end(nil)
    }
    flush()
  }

  private var session: TLSSession? {
    switch state {
    case .secure(let session), .handshaking(let session, _): session
    case .closing(let session): session
    case .plain, .preparing, .closed: nil
    }
  }

  private func flush() {
    writeWantsRead = false
    while !queue.isEmpty {
      switch queue.withNext({ bytes in session?.write(bytes) ?? socket.write(bytes) }) {
      case .bytes(let count): queue.remove(count)
      case .wantsWrite: return updateInterest()
      case .wantsRead:
        writeWantsRead = true
        return updateInterest()
      case .ended: return cannotWrite(TransportError(.network, "the peer closed the connection"))
      case .failed(let error): return cannotWrite(error)
      }
    }
    if case .closing(let session) = state { sayGoodbye(session) }
    updateInterest()
  }

  /// Ends the connection, but not within the call of whoever sends, and not before what the peer said last was
  /// read: that is why it does not listen any more.
  private func cannotWrite(_ error: TransportError) {
    guard writeError == nil else { return }
    writeError = error
    queue.removeAll()
    socket.unwatch()
    spawn { [self] in
      if error.code == .slowReader { socket.dropUnsent() } else { read() }
      end(error)
    }
  }

  private var hasMoreToSay: Bool {
    if case .closing = state { !sentGoodbye } else { !queue.isEmpty }
  }

  private func sayGoodbye(_ session: TLSSession?) {
    guard !sentGoodbye else { return }
    if let session, !session.shutDown() { return }
    sentGoodbye = true
    socket.finishWriting()
  }

  // MARK: Reading

  private func ready(_ interest: EventLoop.Interest) {
    if case .handshaking(let session, _) = state { return continueHandshake(session) }
    if interest.contains(.write) || writeWantsRead { flush() }
    read()
  }

  private func read() {
    readWantsWrite = false
    for _ in 0..<Self.readsPerTurn {
      let outcome: IOOutcome
      switch state {
      case .plain: outcome = socket.read(into: Self.inputBuffer)
      case .secure(let session): outcome = session.read(into: Self.inputBuffer)
      // What comes behind our goodbye is not looked at: only that it ends.
      case .closing(let session?) where !sentGoodbye: outcome = session.read(into: Self.inputBuffer)
      case .closing: outcome = socket.read(into: Self.inputBuffer)
      case .preparing, .handshaking, .closed: return
      }
      switch outcome {
      case .bytes(let count): received(count)
      case .wantsRead: return updateInterest()
      case .wantsWrite:
        readWantsWrite = true
        return updateInterest()
      case .ended:
        // The answer to the peer's goodbye, if there is room for it.
        if let session { _ = session.shutDown() }
        return end(nil)
      case .failed(let error): return end(error)
      }
      if case .plain = state { return }
    }
  }

  private func received(_ count: Int) {
    if case .closing = state { return }
    onEvent?(.received(UnsafeRawBufferPointer(rebasing: Self.inputBuffer[..<count])))
  }

  // MARK: TLS

  /// Secures the connection. Returns once the peer's certificate was checked and the keys are agreed on.
  ///
  /// Bytes that were sent in the clear behind the peer's consent and not yet received are no TLS: the handshake
  /// fails over them.
  ///
  /// - Parameters:
  ///   - trust: whose certificates count, and what we show ourselves.
  ///   - serverName: the domain that the certificate must be for, in ASCII, by a DNS-ID or the SRV-ID of
  ///     `_xmpp-client` (RFC 6125, RFC 6120 §13.7.2.1); or a numeric address.
  ///   - applicationProtocol: what is asked for by ALPN, as `xmpp-client` where TLS begins at once (XEP-0368).
  /// - Throws: ``TransportError``; the connection has ended then, and `.closed` is not told besides.
  public func startTLS(
    _ trust: TrustSettings, serverName: String, applicationProtocol: String? = nil
  ) async throws(TransportError) -> TLSInfo {
    guard case .plain = state else { throw TransportError(.cancelled, "the connection is closed") }
    // Nobody reads until the handshake does, and what was still to be said in the clear is not said any more.
    state = .preparing
    socket.unwatch()
    queue.removeAll()
    let session: TLSSession
    do {
      let context = try await TLSContext.context(for: trust)
      session = try TLSSession(
        context, descriptor: socket.descriptor, serverName: serverName, trust: trust,
        applicationProtocol: applicationProtocol)
    } catch {
      end(nil)
      throw error
    }
    // While the certificates were read somebody may have closed us.
    guard case .preparing = state else { throw TransportError(.cancelled, "the connection was closed") }
    return try await shakeHands(session)
  }

  /// Secures the server's end of the connection. As with ``startTLS(_:serverName:applicationProtocol:)``, what was sent
  /// in the clear and not yet received is no TLS.
  ///
  /// - Throws: ``TransportError``; the connection has ended then, and `.closed` is not told besides.
  public func acceptTLS(_ tls: ServerTLS) async throws(TransportError) -> TLSInfo {
    guard case .plain = state else { throw TransportError(.cancelled, "the connection is closed") }
    // What was said last in the clear is still on its way: our consent.
    guard queue.isEmpty else {
      end(nil)
      throw TransportError(.slowReader, "the client does not read our consent to TLS")
    }
    state = .preparing
    socket.unwatch()
    do throws(TransportError) {
      return try await shakeHands(try TLSSession(tls, descriptor: socket.descriptor))
    } catch {
      end(nil)
      throw error
    }
  }

  private func shakeHands(_ session: TLSSession) async throws(TransportError) -> TLSInfo {
    let peer = session.isServer ? "client" : "server"
    let result = await withCheckedContinuation { continuation in
      state = .handshaking(session, continuation)
      setTimer(timeout) { transport in
        transport.end(TransportError(.timedOut, "the \(peer) did not answer the TLS handshake in time"))
      }
      continueHandshake(session)
    }
    return try result.get()
  }

  private func continueHandshake(_ session: TLSSession) {
    guard case .handshaking(_, let continuation) = state else { return }
    readWantsWrite = false
    switch session.handshake() {
    case .wantsRead: updateInterest()
    case .wantsWrite:
      readWantsWrite = true
      updateInterest()
    case .bytes:
      clearTimer()
      state = .secure(session)
      updateInterest()
      continuation.resume(returning: .success(session.info))
    case .ended:
      let peer = session.isServer ? "client" : "server"
      end(TransportError(.handshake, "the \(peer) closed the connection during the TLS handshake"))
    case .failed(let error): end(error)
    }
  }

  // MARK: The end

  private func end(_ error: TransportError?) {
    let previous = state
    if case .closed = previous { return }
    let tell = onEvent
    release()
    switch previous {
    case .closed, .preparing: break
    case .handshaking(_, let continuation):
      let error = error ?? TransportError(.cancelled, "the connection was closed during the TLS handshake")
      continuation.resume(returning: .failure(error))
    // We wanted it to end: how it did in detail does not matter.
    case .closing: tell?(.closed(nil))
    case .plain, .secure: tell?(.closed(error))
    }
  }

  private func release() {
    clearTimer()
    state = .closed
    onEvent = nil
    lingering = nil
    queue.removeAll()
    socket.close()
  }

  private func setTimer(_ delay: Duration, _ action: @escaping @LoopActor (Transport) -> Void) {
    clearTimer()
    timer = time.schedule(after: delay) { [weak self] in
      guard let self else { return }
      timer = nil
      action(self)
    }
  }

  private func clearTimer() {
    if let timer { time.cancel(timer) }
    timer = nil
  }

  private func updateInterest() {
    var interest: EventLoop.Interest = []
    switch state {
    case .preparing, .closed: return
    case .handshaking: interest = readWantsWrite ? .write : .read
    case .plain, .secure, .closing:
      guard writeError == nil else { return }
      let reads = if case .closing = state { true } else { onEvent != nil }
      if reads && !readWantsWrite || writeWantsRead { interest.insert(.read) }
      if readWantsWrite || hasMoreToSay && !writeWantsRead { interest.insert(.write) }
    }
    guard !interest.isEmpty else { return socket.unwatch() }
    socket.watch(interest) { [weak self] happened in self?.ready(happened) }
  }
}

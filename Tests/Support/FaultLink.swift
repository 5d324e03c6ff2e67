// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// One connection of a client through a ``FaultProxy``, and what becomes of it. The proxy's lock guards it.
final class FaultLink {
  /// What happens to it.
  var fault: FaultProxy.Fault
  /// Whether it is closed on both sides.
  private(set) var isOver = false

  private var client: Side
  private var server: Side
  private let course: InterceptedCourse?
  private var isSilent = false

  /// One of the two sockets.
  private struct Side {
    var descriptor: Int32
    /// What is to be sent there.
    var queue: [UInt8] = []
    /// How much was.
    var sent = 0
    /// How much was received from there.
    var received = 0
    /// It says nothing more.
    var hasEnded = false
    /// It has been told that nothing more comes.
    var isTold = false
  }

  /// More is not taken from one side before the other has had it.
  private static let most = 256 * 1024

  /// - Parameter server: -1 when the server is not there.
  init(client: Int32, server: Int32, fault: FaultProxy.Fault, _ interception: Interception?) {
    self.client = Side(descriptor: client)
    self.server = Side(descriptor: server)
    self.fault = fault
    course = interception.flatMap { InterceptedCourse($0) }
    for descriptor in [client, server] {
      var yes: Int32 = 1
      setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }
    if server < 0 || interception != nil && course == nil { end(.reset) } else { apply(course?.begin()) }
    checkFault()
  }

  /// How many bytes have passed on the client's side.
  func passed(_ direction: FaultProxy.Direction) -> Int {
    switch direction {
    case .toServer: client.received
    case .toClient: client.sent
    }
  }

  func inject(_ bytes: [UInt8], counting stanzas: Int) { apply(course?.inject(bytes, counting: stanzas)) }

  // MARK: Turns of the loop

  /// What to wait for: the client's socket, then the server's.
  var watched: [pollfd] {
    [pollfd(of: client, other: server, isDeaf: isDeaf), pollfd(of: server, other: client, isDeaf: false)]
  }

  private var isDeaf: Bool { if case .deaf = fault { true } else { false } }

  private func pollfd(of side: Side, other: Side, isDeaf: Bool) -> pollfd {
    var events: Int16 = 0
    if !side.hasEnded, !isDeaf, isSilent || other.queue.count < Self.most { events |= Int16(POLLIN) }
    if !side.queue.isEmpty, !isSilent { events |= Int16(POLLOUT) }
    // A socket that has ended hangs up in every turn.
    return Glibc.pollfd(fd: events == 0 ? -1 : side.descriptor, events: events, revents: 0)
  }

  func turn(client clientEvents: Int16, server serverEvents: Int16) {
    checkFault()
    guard !isOver else { return }
    let readable = Int16(POLLIN | POLLHUP | POLLERR)
    // Whoever is not listened to hangs up in every turn.
    if isDeaf, clientEvents & Int16(POLLHUP | POLLERR) != 0 { return end(.reset) }
    if clientEvents & readable != 0, !isDeaf { receive(from: \.client, most: allowance(.toServer)) }
    guard !isOver else { return }
    if serverEvents & readable != 0 { receive(from: \.server, most: 16 * 1024) }
    guard !isOver else { return }
    checkFault()
    guard !isOver, !isSilent else { return }
    flush(\.client, most: allowance(.toClient))
    flush(\.server, most: Int.max)
    checkFault()
    guard !isOver else { return }
    tellEnd(of: \.client, to: \.server)
    tellEnd(of: \.server, to: \.client)
    if client.isTold, server.isTold { end(.closed) }
  }

  /// How many bytes may pass on the client's side in this turn.
  private func allowance(_ direction: FaultProxy.Direction) -> Int {
    switch fault {
    case .cut(let count, direction, _), .silence(let count, direction): max(0, count - passed(direction))
    case .trickle: 1
    case .none, .cut, .silence, .deaf: 16 * 1024
    }
  }

  private func checkFault() {
    guard !isOver else { return }
    switch fault {
    case .cut(let count, let direction, let manner):
      guard passed(direction) >= count else { return }
      // What the server is to have had before the cut, it has.
      flush(\.server, most: Int.max)
      if !isOver { end(manner) }
    case .silence(let count, let direction): if passed(direction) >= count { isSilent = true }
    case .none, .trickle, .deaf: break
    }
  }

  private func receive(from side: ReferenceWritableKeyPath<FaultLink, Side>, most: Int) {
    guard most > 0 else { return }
    var buffer = [UInt8](repeating: 0, count: min(most, 16 * 1024))
    let count = recv(self[keyPath: side].descriptor, &buffer, buffer.count, 0)
    guard count != 0 else {
      self[keyPath: side].hasEnded = true
      return side == \.server ? apply(course?.ended()) : ()
    }
    guard count > 0 else {
      guard errno != EAGAIN, errno != EINTR else { return }
      self[keyPath: side].hasEnded = true
      return isSilent ? () : end(.reset)
    }
    guard !isSilent else { return }
    self[keyPath: side].received += count
    let bytes = Array(buffer.prefix(count))
    if let course {
      apply(side == \.client ? course.received(fromClient: bytes) : course.received(fromServer: bytes))
    } else if side == \.client {
      server.queue += bytes
    } else {
      client.queue += bytes
    }
  }

  private func apply(_ outcome: InterceptedCourse.Outcome?) {
    guard let outcome, !isOver else { return }
    client.queue += outcome.toClient
    server.queue += outcome.toServer
    if outcome.isOver { client.hasEnded = true }
  }

  private func flush(_ side: ReferenceWritableKeyPath<FaultLink, Side>, most: Int) {
    let count = min(self[keyPath: side].queue.count, most)
    guard count > 0 else { return }
    let sent = send(self[keyPath: side].descriptor, self[keyPath: side].queue, count, Int32(MSG_NOSIGNAL))
    if sent > 0 {
      self[keyPath: side].queue.removeFirst(sent)
      self[keyPath: side].sent += sent
    } else if errno != EAGAIN, errno != EINTR {
      self[keyPath: side].queue = []
      self[keyPath: side].hasEnded = true
    }
  }

  private func tellEnd(
    of one: ReferenceWritableKeyPath<FaultLink, Side>, to other: ReferenceWritableKeyPath<FaultLink, Side>
  ) {
    guard self[keyPath: one].hasEnded, self[keyPath: other].queue.isEmpty, !self[keyPath: other].isTold else { return }
    shutdown(self[keyPath: other].descriptor, Int32(SHUT_WR))
    self[keyPath: other].isTold = true
  }

  // MARK: The end

  /// Ends it on both sides.
  func end(_ manner: FaultProxy.Manner) {
    guard !isOver else { return }
    isOver = true
    for descriptor in [client.descriptor, server.descriptor] where descriptor >= 0 {
      switch manner {
      case .closed: shutdown(descriptor, Int32(SHUT_RDWR))
      case .reset:
        // Unlike closing it this also works while a program that is being started holds a copy.
        var nowhere = sockaddr()
        nowhere.sa_family = sa_family_t(AF_UNSPEC)
        connect(descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
      }
      close(descriptor)
    }
  }
}

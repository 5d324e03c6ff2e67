// SPDX-License-Identifier: Apache-2.0

internal import CWitness
internal import Glibc

/// A proxy on loopback in front of a server, whose connections a test breaks in every way it likes.
///
/// It works on a thread of its own; each method here takes effect before it returns, but for what is still to be sent.
public final class FaultProxy: @unchecked Sendable {
  /// Which way bytes go.
  public enum Direction: Sendable { case toServer, toClient }
  /// How a connection ends.
  public enum Manner: Sendable, CaseIterable {
    /// In good order (FIN), after what is on its way.
    case closed
    /// By a reset (RST), as when the other machine has restarted.
    case reset
  }
  /// What happens to a connection.
  public enum Fault: Sendable {
    /// Nothing.
    case none
    /// It ends once so many bytes have passed on the client's side; with 0, as soon as it is accepted.
    case cut(after: Int, Direction, Manner)
    /// Once so many bytes have passed, all that is sent either way is lost, and neither side is told of the other's end.
    case silence(after: Int, Direction)
    /// Bytes pass one by one.
    case trickle
    /// What the client sends is left in its socket.
    case deaf
  }

  /// Where clients connect.
  public let port: UInt16
  // The lock guards all that is below; the thread holds it whenever it does not wait.
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var listener: Int32
  private let wake: (read: Int32, write: Int32)
  private var upstream: UInt16
  private var fault = Fault.none
  private var interception: Interception?
  private var links: [FaultLink] = []
  private var accepted = 0
  private var last: FaultLink?
  private var isOver = false

  /// Begins to listen.
  /// - Parameters:
  ///   - upstream: the port of the server on 127.0.0.1.
  ///   - fault: what happens to each connection.
  ///   - interception: how what passes is read and changed; nil passes the bytes as they are.
  public init(to upstream: UInt16, fault: Fault = .none, interception: Interception? = nil) throws {
    self.upstream = upstream
    self.fault = fault
    self.interception = interception
    var ends: [Int32] = [-1, -1]
    guard witness_pipe(&ends) == 0 else { throw WitnessError("pipe: \(String(cString: strerror(errno)))") }
    wake = (ends[0], ends[1])
    (listener, port) = try FaultProxy.listen()
    pthread_mutex_init(lock, nil)
    pthread_cond_init(changed, nil)
    var thread = pthread_t()
    let this = Unmanaged.passRetained(self)
    pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<FaultProxy>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, this.toOpaque())
    pthread_detach(thread)
  }

  // MARK: What a test does

  /// Says what happens to connections that are accepted from now on.
  public func setFault(_ fault: Fault) { locked { self.fault = fault } }

  /// Does something to the connections that there are.
  public func strike(_ fault: Fault) {
    locked { for link in links { link.fault = fault.counting(from: link) } }
  }

  /// Ends the connections that there are.
  public func cut(_ manner: Manner) { strike(.cut(after: 0, .toClient, manner)) }

  /// Says how what passes is read and changed on connections that are accepted from now on.
  public func intercept(_ interception: Interception?) { locked { self.interception = interception } }

  /// Leads connections that are accepted from now on to another port.
  public func redirect(to port: UInt16) { locked { upstream = port } }

  /// Refuses connections from now on, or accepts them again.
  public func refuse(_ isRefusing: Bool) {
    // Linux keeps a port that was asked for, and answers with a reset.
    locked { _ = isRefusing ? shutdown(listener, Int32(SHUT_RD)) : Glibc.listen(listener, 64) }
  }

  /// Says something to the clients that are connected, in the server's name. It takes an interception.
  /// - Parameter stanzas: how many stanzas it is. The client counts them, and the server must not hear of it.
  public func inject(_ text: String, stanzas: Int = 0) { inject(Array(text.utf8), stanzas: stanzas) }

  /// As ``inject(_:stanzas:)``, of bytes that may not be text.
  public func inject(_ bytes: [UInt8], stanzas: Int = 0) {
    locked { for link in links { link.inject(bytes, counting: stanzas) } }
  }

  /// Ends it with all of its connections.
  public func stop() { locked { isOver = true } }

  // MARK: What a test sees

  /// Whether it reads and changes what passes.
  public var isIntercepting: Bool { locked { interception != nil } }

  /// How many connections were accepted so far.
  public var connections: Int { locked { accepted } }
  /// How many are open.
  public var openConnections: Int { locked { links.count } }
  /// How many bytes have passed on the client's side of the latest connection.
  public func passed(_ direction: Direction) -> Int { locked { last?.passed(direction) ?? 0 } }
  /// What clients have sent, piece by piece, where an interception reads it.
  public var sentByClients: [String] { locked { interception?.sentByClients() ?? [] } }

  /// Waits until something is so.
  public func wait(
    for what: String, within duration: Duration = .seconds(10), until holds: (FaultProxy.View) -> Bool
  ) throws {
    let deadline = Deadline(duration)
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    while !holds(view) {
      var until = timespec()
      clock_gettime(CLOCK_REALTIME, &until)
      let left = deadline.milliseconds
      until.tv_sec += Int(left) / 1000
      until.tv_nsec += Int(left) % 1000 * 1_000_000
      if until.tv_nsec >= 1_000_000_000 {
        until.tv_sec += 1
        until.tv_nsec -= 1_000_000_000
      }
      guard left > 0 else { throw WitnessError("the proxy waited for \(what) in vain: \(view)") }
      pthread_cond_timedwait(changed, lock, &until)
    }
  }

  /// The proxy as it is at one moment.
  public struct View {
    /// How many connections were accepted so far.
    public let connections: Int
    /// How many are open.
    public let open: Int
    /// How many bytes have passed on the client's side of the latest one.
    public let toServer: Int
    /// The same the other way.
    public let toClient: Int
  }

  private var view: View {
    View(
      connections: accepted, open: links.count, toServer: last?.passed(.toServer) ?? 0,
      toClient: last?.passed(.toClient) ?? 0)
  }

  // MARK: The thread

  private func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    let result = body()
    var byte: UInt8 = 0
    _ = write(wake.write, &byte, 1)
    return result
  }

  private func run() {
    pthread_mutex_lock(lock)
    while !isOver {
      var watched = [
        pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0),
        pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
      ]
      for link in links { watched += link.watched }
      pthread_mutex_unlock(lock)
      _ = poll(&watched, nfds_t(watched.count), -1)
      pthread_mutex_lock(lock)
      if watched[0].revents != 0 {
        var bytes = [UInt8](repeating: 0, count: 64)
        _ = read(wake.read, &bytes, bytes.count)
      }
      for (index, link) in links.enumerated() {
        link.turn(client: watched[2 + 2 * index].revents, server: watched[3 + 2 * index].revents)
      }
      links.removeAll { $0.isOver }
      // A socket that was told not to listen hangs up in every turn.
      if watched[1].revents & Int16(POLLIN) != 0 { accept() }
      pthread_cond_broadcast(changed)
    }
    for link in links { link.end(.reset) }
    links = []
    for descriptor in [listener, wake.read, wake.write] { close(descriptor) }
    listener = -1
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(lock)
  }

  private func accept() {
    let client = witness_accept(listener)
    guard client >= 0 else { return }
    accepted += 1
    let link = FaultLink(client: client, server: FaultProxy.connect(to: upstream), fault: fault, interception)
    last = link
    links.append(link)
  }

  // MARK: Sockets

  private static func address(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func with<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Result
  ) -> Result {
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &size) }
    }
  }

  private static func socket() -> Int32 {
    let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    return descriptor
  }

  /// A port chosen by the system is given back when the socket stops to listen, one that was asked for is not: so it is
  /// chosen first and asked for then.
  private static func listen() throws -> (Int32, UInt16) {
    for _ in 0..<10 {
      var name = address(0)
      let first = socket()
      _ = with(&name) { bind(first, $0, $1) }
      _ = with(&name) { getsockname(first, $0, &$1) }
      close(first)
      let listener = socket()
      if with(&name, { bind(listener, $0, $1) }) == 0, Glibc.listen(listener, 64) == 0 {
        return (listener, UInt16(bigEndian: name.sin_port))
      }
      close(listener)
    }
    throw WitnessError("no port for a proxy")
  }

  /// A connection to the server; -1 when it is not there.
  private static func connect(to port: UInt16) -> Int32 {
    let descriptor = socket()
    var name = address(port)
    guard with(&name, { Glibc.connect(descriptor, $0, $1) }) == 0 else {
      close(descriptor)
      return -1
    }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    return descriptor
  }
}

extension FaultProxy.Fault {
  /// The same fault, whose bytes are counted from now on.
  func counting(from link: FaultLink) -> FaultProxy.Fault {
    switch self {
    case .cut(let count, let direction, let manner):
      .cut(after: link.passed(direction) + count, direction, manner)
    case .silence(let count, let direction): .silence(after: link.passed(direction) + count, direction)
    case .none, .trickle, .deaf: self
    }
  }
}

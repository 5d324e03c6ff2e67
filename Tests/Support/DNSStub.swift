// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A DNS server on loopback, over UDP and TCP, that says what a test tells it to say. What it was not told about does
/// not exist.
public final class DNSStub: @unchecked Sendable {
  /// What is asked for.
  public enum Kind: UInt16, Sendable {
    case a = 1
    case aaaa = 28
    case srv = 33
  }

  /// One SRV record.
  public struct Service: Sendable {
    let host: String
    let port: UInt16
    let priority: UInt16
    let weight: UInt16

    /// A record; the host "." says that there is no such service.
    public init(_ host: String, port: UInt16, priority: UInt16 = 0, weight: UInt16 = 0) {
      self.host = host
      self.port = port
      self.priority = priority
      self.weight = weight
    }
  }

  /// What is answered.
  public enum Answer: Sendable {
    case services([Service])
    /// Numeric addresses, of the kind that is asked for.
    case addresses([String])
    /// There is no such name.
    case noSuchName
    /// SERVFAIL.
    case serverFailure
    /// REFUSED.
    case refused
    /// No answer at all.
    case silence
    /// Bytes that are no answer, with the id of the question or not.
    case garbage(withID: Bool)
    /// These bytes in the place of the answer's records, said to be `count` records.
    case records([UInt8], count: UInt16)
  }

  /// Where it listens, over both.
  public let port: UInt16
  /// As `--dns-server` takes it.
  public var address: String { "127.0.0.1:\(port)" }

  private struct Key: Hashable {
    let name: String
    let kind: UInt16
  }

  private let udp: Int32
  private let tcp: Int32
  // The lock guards what is below.
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var answers: [Key: Answer] = [:]
  private var asked: [String] = []
  private var overTCP = 0
  private var isStopped = false

  /// Starts it.
  public init() throws {
    pthread_mutex_init(lock, nil)
    // A port that is free for TCP need not be free for UDP.
    for _ in 0..<32 {
      let stream = try Self.listen(SOCK_STREAM, port: 0)
      if let datagram = try? Self.listen(SOCK_DGRAM, port: stream.port) {
        (tcp, udp, port) = (stream.descriptor, datagram.descriptor, stream.port)
        start()
        return
      }
      close(stream.descriptor)
    }
    throw WitnessError("no port is free for a DNS server")
  }

  deinit { stop() }

  /// Says nothing any more.
  public func stop() {
    let wasStopped = locked {
      defer { isStopped = true }
      return isStopped
    }
    guard !wasStopped else { return }
    // The thread sees the end of the listening socket, closes both, and goes.
    shutdown(tcp, Int32(SHUT_RDWR))
  }

  /// Tells it what to answer.
  public func set(_ name: String, _ kind: Kind, _ answer: Answer) {
    locked { answers[Key(name: name, kind: kind.rawValue)] = answer }
  }

  /// Tells it the SRV records of a domain.
  /// - Parameter service: `xmpp-client` or `xmpps-client`.
  public func set(_ service: String, of domain: String, _ services: [Service]) {
    set("_\(service)._tcp.\(domain)", .srv, .services(services))
  }

  /// What was asked, as `srv _xmpp-client._tcp.example.org`; each time that it was asked.
  public var questions: [String] { locked { asked } }
  /// How many questions came over TCP.
  public var questionsOverTCP: Int { locked { overTCP } }

  private func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return body()
  }

  // MARK: The thread

  private static func listen(_ type: __socket_type, port: UInt16) throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, size) == 0 && getsockname(descriptor, address, &size) == 0
      }
    }
    guard isBound, type != SOCK_STREAM || Glibc.listen(descriptor, 16) == 0 else {
      close(descriptor)
      throw WitnessError("no DNS server on port \(port): \(String(cString: strerror(errno)))")
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  /// What the thread holds: not the stub, or that would never go.
  private final class Weak: @unchecked Sendable {
    weak var stub: DNSStub?
    let (udp, tcp): (Int32, Int32)
    init(_ stub: DNSStub) {
      self.stub = stub
      (udp, tcp) = (stub.udp, stub.tcp)
    }
  }

  private func start() {
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        DNSStub.serve(Unmanaged<Weak>.fromOpaque(argument).takeRetainedValue())
        return nil
      }, Unmanaged.passRetained(Weak(self)).toOpaque())
    pthread_detach(thread)
  }

  private static func serve(_ holder: Weak) {
    var clients: [Int32] = []
    defer { for descriptor in clients + [holder.udp, holder.tcp] { close(descriptor) } }
    while true {
      var watched = ([holder.udp, holder.tcp] + clients).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      guard poll(&watched, nfds_t(watched.count), -1) > 0 else { continue }
      guard let stub = holder.stub, !stub.locked({ stub.isStopped }) else { return }
      for (descriptor, _) in watched.map({ ($0.fd, $0.revents) }).filter({ $0.1 != 0 }) {
        switch descriptor {
        case holder.udp: stub.answerDatagram()
        case holder.tcp:
          let client = accept(holder.tcp, nil, nil)
          guard client >= 0 else { return }
          _ = fcntl(client, F_SETFD, FD_CLOEXEC)
          clients.append(client)
        default:
          guard !stub.answerStream(descriptor) else { continue }
          clients.removeAll { $0 == descriptor }
          shutdown(descriptor, Int32(SHUT_RDWR))
          close(descriptor)
        }
      }
    }
  }

  private func answerDatagram() {
    var question = [UInt8](repeating: 0, count: 1500)
    var from = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    withUnsafeMutablePointer(to: &from) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        let count = recvfrom(udp, &question, question.count, Int32(MSG_DONTWAIT), address, &size)
        guard count > 0, let answer = answer(Array(question[..<count]), most: 512) else { return }
        sendto(udp, answer, answer.count, Int32(MSG_NOSIGNAL), address, size)
      }
    }
  }

  /// - Returns: whether more may come.
  private func answerStream(_ client: Int32) -> Bool {
    var length: [UInt8] = [0, 0]
    guard recv(client, &length, 2, Int32(MSG_WAITALL)) == 2 else { return false }
    var question = [UInt8](repeating: 0, count: Int(length[0]) << 8 | Int(length[1]))
    guard recv(client, &question, question.count, Int32(MSG_WAITALL)) == question.count else { return false }
    locked { overTCP += 1 }
    guard let answer = answer(question, most: 65_535) else { return true }
    let framed = DNSMessage.two(UInt16(answer.count)) + answer
    return send(client, framed, framed.count, Int32(MSG_NOSIGNAL)) == framed.count
  }

  private func answer(_ question: [UInt8], most: Int) -> [UInt8]? {
    guard let message = DNSMessage(question) else { return nil }
    let answer = locked {
      asked.append("\(Kind(rawValue: message.kind).map { "\($0)" } ?? "\(message.kind)") \(message.name)")
      return answers[Key(name: message.name, kind: message.kind)]
    }
    // Of a name that has other records it is not said that it does not exist.
    let isKnown = locked { answers.keys.contains { $0.name == message.name } }
    return message.answer(answer ?? (isKnown ? .addresses([]) : .noSuchName), most: most)
  }
}

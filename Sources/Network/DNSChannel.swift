// SPDX-License-Identifier: Apache-2.0

internal import CAres
internal import EventLoop
internal import Glibc
internal import TLS

/// Questions to DNS: c-ares on the loop. Its sockets are watched, and its next deadline is one timer.
///
/// One is made for each search: the servers in resolv.conf are others after a change of networks, and new sockets have
/// new ports that nobody can guess. It must be closed.
@LoopActor
final class DNSChannel {
  /// How long one question may take, with all repetitions. SRV records and addresses are asked for one after the other,
  /// and what is left until somebody gives up is for connecting.
  static let limit = Duration.seconds(4)
  /// How long one server has at first. Each round gives twice as much.
  static let firstTryMilliseconds: Int32 = 1200
  private nonisolated static let tries: Int32 = 3

  private var channel: ares_channel?
  private let time: any TimeSource
  private var timer: TimerToken?
  private var watched: Set<Int32> = []

  /// A channel of c-ares on its way between two threads.
  private struct Made: @unchecked Sendable { let channel: ares_channel? }

  private init(time: any TimeSource) { self.time = time }

  /// Opens a channel. The system's settings are read off the loop.
  /// - Parameter firstTryMilliseconds: how long one server has at first. Each round gives twice as much.
  static func open(
    _ settings: LookupSettings, time: any TimeSource, firstTryMilliseconds: Int32 = firstTryMilliseconds
  ) async throws(LookupError) -> DNSChannel {
    let made = DNSChannel(time: time)
    let result = await offLoop { () -> Result<Made, LookupError> in make(settings, firstTryMilliseconds, for: made) }
    made.channel = try result.get().channel
    return made
  }

  /// Ends all questions.
  func close() {
    guard let channel else { return }
    self.channel = nil
    // Tells of the sockets that it closes.
    ares_destroy(channel)
    if let timer { EventLoop.shared.time.cancel(timer) }
    timer = nil
  }

  // MARK: Questions

  /// The SRV records of `name`, which is complete as it is.
  func services(_ name: String) async -> Result<[ServiceRecord], LookupError> {
    await ask { channel, question in
      ares_query(
        channel, name, cares_class_internet, cares_type_srv,
        { question, status, _, bytes, count in
          let answer = Result { () throws(LookupError) in try DNSChannel.services(status, bytes, count) }
          LoopActor.assumeIsolated { DNSQuestion<[ServiceRecord]>.take(question).answer(answer) }
        }, question)
    }
  }

  /// The addresses of `name`, at most as many as are tried.
  func addresses(
    of name: String, port: UInt16, family: ConnectionRace.Family
  ) async -> Result<[SocketAddress], LookupError> {
    // Only a name of one label is looked for in the domains of resolv.conf.
    let complete = name.utf8.contains(UInt8(ascii: ".")) ? "\(name)." : name
    return await ask { channel, question in
      var hints = ares_addrinfo_hints()
      hints.ai_family = family == .v6 ? AF_INET6 : AF_INET
      hints.ai_socktype = cares_stream
      hints.ai_flags = ARES_AI_NUMERICSERV | ARES_AI_NOSORT
      ares_getaddrinfo(
        channel, complete, String(port), &hints,
        { question, status, _, list in
          defer { ares_freeaddrinfo(list) }
          let answer: Result<[SocketAddress], LookupError> =
            status == cares_success ? .success(DNSChannel.addresses(list)) : .failure(LookupError(status: status))
          LoopActor.assumeIsolated { DNSQuestion<[SocketAddress]>.take(question).answer(answer) }
        }, question)
    }
  }

  private func ask<Answer: Sendable>(
    _ ask: (ares_channel, UnsafeMutableRawPointer) -> Void
  ) async -> Result<Answer, LookupError> {
    await withCheckedContinuation { continuation in
      let question = DNSQuestion<Answer>(continuation, time)
      guard let channel else { return question.answer(.failure(.cancelled)) }
      question.limit(Self.limit)
      // c-ares answers each question once, be it within the call.
      ask(channel, question.retained())
      arm()
    }
  }

  // MARK: The loop

  private func watch(_ descriptor: Int32, _ interest: EventLoop.Interest) {
    if interest.contains(.read) { watched.insert(descriptor) } else { watched.remove(descriptor) }
    guard !interest.isEmpty else { return EventLoop.shared.unwatch(descriptor) }
    EventLoop.shared.watch(descriptor, for: interest) { [weak self] happened in
      let canWrite = happened.contains(.write)
      // Errors are read.
      self?.process(happened == .write ? ARES_SOCKET_BAD : descriptor, canWrite ? descriptor : ARES_SOCKET_BAD)
    }
  }

  private func process(_ readable: Int32, _ writable: Int32) {
    guard let channel else { return }
    ares_process_fd(channel, readable, writable)
    arm()
  }

  /// c-ares has a clock of its own, so its timer is the loop's also in tests.
  private func arm() {
    if let timer { EventLoop.shared.time.cancel(timer) }
    timer = nil
    guard let channel else { return }
    let wait = cares_wait(channel)
    guard wait >= 0 else { return }
    timer = EventLoop.shared.time.schedule(after: .microseconds(wait) + .milliseconds(1)) { [weak self] in
      self?.timeIsUp()
    }
  }

  /// What came while the loop was busy is read first: it came in time.
  private func timeIsUp() {
    for descriptor in watched { process(descriptor, ARES_SOCKET_BAD) }
    process(ARES_SOCKET_BAD, ARES_SOCKET_BAD)
  }

  // MARK: What c-ares gives and takes

  private nonisolated static func make(
    _ settings: LookupSettings, _ firstTryMilliseconds: Int32, for owner: DNSChannel
  ) -> Result<Made, LookupError> {
    var options = ares_options()
    options.flags = ARES_FLAG_NOALIASES
    options.timeout = firstTryMilliseconds
    options.tries = tries
    // The owner closes the channel, and with it the last call of this, before it goes.
    options.sock_state_cb_data = Unmanaged.passUnretained(owner).toOpaque()
    options.sock_state_cb = { owner, descriptor, readable, writable in
      guard let owner else { return }
      var interest: EventLoop.Interest = readable != 0 ? .read : []
      if writable != 0 { interest.insert(.write) }
      let channel = Unmanaged<DNSChannel>.fromOpaque(owner).takeUnretainedValue()
      LoopActor.assumeIsolated { channel.watch(descriptor, interest) }
    }
    let mask =
      ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS
    return settings.withChannel(options: &options, mask, lookups: "b") { Made(channel: $0) }
  }

  private nonisolated static func services(
    _ status: Int32, _ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int32
  ) throws(LookupError) -> [ServiceRecord] {
    guard status == cares_success else { throw LookupError(status: status) }
    var list: UnsafeMutablePointer<ares_srv_reply>?
    let problem = ares_parse_srv_reply(bytes, count, &list)
    guard problem == cares_success else { throw LookupError(status: problem) }
    defer { ares_free_data(list) }
    var records: [ServiceRecord] = []
    var next = list
    while let entry = next?.pointee, records.count < ServerPlan.mostRecords {
      next = entry.next
      let record = ServiceRecord(
        host: String(cString: entry.host), port: entry.port, priority: entry.priority, weight: entry.weight)
      if let record { records.append(record) }
    }
    guard !records.isEmpty else { throw .malformed }
    return records
  }

  nonisolated static func addresses(_ list: UnsafeMutablePointer<ares_addrinfo>?) -> [SocketAddress] {
    var addresses: [SocketAddress] = []
    var next = list?.pointee.nodes
    while let node = next?.pointee, addresses.count < 2 * ConnectionRace.mostAddresses {
      next = node.ai_next
      let bytes = UnsafeRawBufferPointer(start: node.ai_addr, count: Int(node.ai_addrlen))
      if let address = SocketAddress(socketAddress: bytes) { addresses.append(address) }
    }
    return addresses
  }
}

extension LookupSettings {
  /// Makes a channel with these servers.
  func withChannel<Made>(
    options: inout ares_options, _ mask: Int32, lookups: String, _ body: (ares_channel?) -> Made
  ) -> Result<Made, LookupError> {
    var channel: ares_channel?
    var lookups = Array(lookups.utf8CString)
    let status = lookups.withUnsafeMutableBufferPointer { lookups in
      options.lookups = lookups.baseAddress
      return ares_init_options(&channel, &options, mask)
    }
    guard status == cares_success else { return .failure(LookupError(status: status)) }
    if !servers.isEmpty {
      let text = servers.prefix(Self.mostServers).map(\.description).joined(separator: ",")
      let status = ares_set_servers_ports_csv(channel, text)
      guard status == cares_success else {
        ares_destroy(channel)
        return .failure(LookupError(status: status))
      }
    }
    return .success(body(channel))
  }
}

// SPDX-License-Identifier: Apache-2.0

public import EventLoop
public import TLS

/// Finds the server of a domain and connects to it: SRV records, then addresses, then the first connection that is made
/// (RFC 6120 §3.2, XEP-0368, RFC 8305).
///
/// A shell: ``ServerPlan`` and ``ConnectionRace`` decide. One that is not wanted any more must be stopped.
@LoopActor
public final class ServerFinder {
  /// A connection that was made.
  public struct Found: Sendable {
    /// The connection, in the clear.
    public let transport: Transport
    /// The host, by the name that led to it.
    public let host: String
    /// Its address.
    public let address: SocketAddress
    /// Whether TLS begins with the first byte.
    public let isDirect: Bool
  }

  /// What is being done.
  public enum Step: Hashable, Sendable {
    /// The server of this domain is looked up.
    case lookingUp(String)
    /// A host is connected to.
    case connecting(String, SocketAddress)
  }

  /// How long one address may take to answer, and later with TLS.
  public static let attemptLimit = Duration.seconds(8)

  private let wanted: WantedServer
  private let lookups: LookupSettings
  private let time: any TimeSource
  private let queueLimit: Int
  private let onStep: @LoopActor (Step) -> Void
  private var targets: [ServerTarget] = []
  private var race = ConnectionRace(targets: 0)
  private var channel: Result<DNSChannel, LookupError>?
  private var attempts: [Int: (attempt: ConnectionAttempt, target: Int)] = [:]
  private var transports: [Int: Transport] = [:]
  private var lookupErrors: [Int: [LookupError]] = [:]
  private var lookupsUnderWay: Set<String> = []
  private var failures = ConnectionFailures()
  private var current: (host: String, address: SocketAddress)?
  private var waiter: CheckedContinuation<Result<Found, ServerError>, Never>?
  private var timer: TimerToken?
  private var answers: [Service: ServerPlan.Answer] = [:]
  private var hasBegun = false
  private var isStopped = false

  /// A search that has not begun.
  /// - Parameters:
  ///   - wanted: the server.
  ///   - lookups: whom names are asked of.
  ///   - time: the clock of all time-outs.
  ///   - queueLimit: how many bytes may wait for a server that does not read.
  ///   - onStep: told what is being done.
  public init(
    _ wanted: WantedServer, lookups: LookupSettings = LookupSettings(), time: any TimeSource,
    queueLimit: Int = Transport.defaultQueueLimit, onStep: @escaping @LoopActor (Step) -> Void = { _ in }
  ) {
    self.wanted = wanted
    self.lookups = lookups
    self.time = time
    self.queueLimit = queueLimit
    self.onStep = onStep
  }

  /// The first connection that is made. Called again after ``reject(_:)``, the next one.
  /// - Throws: ``ServerError`` when nothing is left to be tried, naming all that was.
  public func next() async throws(ServerError) -> Found {
    if !hasBegun {
      hasBegun = true
      try await plan()
    }
    let result = await withCheckedContinuation { continuation in
      guard !isStopped, waiter == nil else {
        return continuation.resume(returning: Result<Found, ServerError>.failure(Self.stopped))
      }
      waiter = continuation
      process(current == nil ? .began : .rejected)
    }
    return try result.get()
  }

  /// Says that the latest connection is of no use. The caller has closed it, or it has ended.
  /// - Parameter reason: why, for people.
  public func reject(_ reason: String) {
    guard let current else { return }
    failures.add(current.host, current.address, reason)
  }

  /// Whether there may be more to try than the latest connection.
  public var hasOthers: Bool { !isStopped && race.hasOthers }

  /// What has failed, and what has not answered yet, for people; empty where there is nothing to tell.
  public var soFar: String {
    let waiting = attempts.sorted { $0.key < $1.key }.map { _, running in
      let place = ConnectionFailures.place(targets[running.target].host, running.attempt.address)
      return "\(place): no answer yet"
    }
    return failures.list(pending: lookupsUnderWay.sorted().map { "\($0): no answer from DNS yet" } + waiting)
  }

  /// How much has failed: look-ups, addresses, and connections that were rejected.
  public var failureCount: Int { failures.count }

  /// Ends the search: closes what is being made, and forgets what has been found. Connections that were handed out stay.
  public func stop() {
    guard !isStopped else { return }
    isStopped = true
    setTimer(nil)
    for (attempt, _) in attempts.values { attempt.cancel() }
    attempts = [:]
    for transport in transports.values { transport.close() }
    transports = [:]
    closeChannel()
    answer(.failure(Self.stopped))
  }

  private static var stopped: ServerError { ServerError(.cancelled, "The search for the server was stopped.") }

  private func answer(_ result: Result<Found, ServerError>) {
    let waiting = waiter
    waiter = nil
    waiting?.resume(returning: result)
  }

  // MARK: Where it may be

  private func plan() async throws(ServerError) {
    let questions = ServerPlan.questions(wanted)
    if !questions.isEmpty {
      onStep(.lookingUp(wanted.domain))
      try await openChannel()
      await ask(questions)
      guard !isStopped else { throw Self.stopped }
    }
    for service in questions {
      // That there are no records is usual. Anything else may be why the rest fails.
      guard case .failure(let error)? = answers[service], error != .noSuchName, error != .noRecords else { continue }
      failures.add(service.name(of: wanted.domain), error)
    }
    var generator = SystemRandomNumberGenerator()
    targets = try ServerPlan.targets(wanted, answers, using: &generator)
    race = ConnectionRace(targets: targets.count)
    if targets.contains(where: { $0.address == nil && !HostName.isThisMachine($0.host) }) { try await openChannel() }
  }

  private func ask(_ questions: [Service]) async {
    // Both are on their way before either is waited for.
    let asked = questions.map { service in
      let name = service.name(of: wanted.domain)
      lookupsUnderWay.insert(name)
      return spawn {
        self.answers[service] = await self.withChannel { await $0.services(name) }
        self.lookupsUnderWay.remove(name)
      }
    }
    for question in asked { await question.value }
  }

  private func openChannel() async throws(ServerError) {
    guard channel == nil else { return }
    let opened: Result<DNSChannel, LookupError>
    do throws(LookupError) {
      opened = .success(try await DNSChannel.open(lookups, time: time))
    } catch {
      opened = .failure(error)
    }
    channel = opened
    guard isStopped else { return }
    closeChannel()
    throw Self.stopped
  }

  private func closeChannel() {
    if case .success(let open)? = channel { open.close() }
    channel = .failure(.cancelled)
  }

  private func withChannel<Answer>(
    _ body: @LoopActor (DNSChannel) async -> Result<Answer, LookupError>
  ) async -> Result<Answer, LookupError> {
    switch channel {
    case .success(let channel)?: await body(channel)
    case .failure(let error)?: .failure(error)
    case nil: .failure(.cancelled)
    }
  }

  // MARK: The race

  private func process(_ event: ConnectionRace.Event) {
    guard !isStopped else { return }
    for effect in race.received(event, at: time.now) { carryOut(effect) }
    setTimer(race.nextDeadline)
  }

  private func setTimer(_ deadline: MonotonicTime?) {
    if let timer { time.cancel(timer) }
    timer = deadline.map { deadline in
      time.schedule(after: max(deadline - time.now, .zero)) { [weak self] in self?.process(.timePassed) }
    }
  }

  private func carryOut(_ effect: ConnectionRace.Effect) {
    switch effect {
    case .lookUp(let target): spawn { await self.lookUp(target) }
    case .connect(let number, let address, let target):
      onStep(.connecting(targets[target].host, address))
      let attempt = ConnectionAttempt(
        to: address, time: time, timeout: Self.attemptLimit, queueLimit: queueLimit
      ) { [weak self] result in self?.ended(number, result) }
      attempts[number] = (attempt, target)
    case .callOff(let number): attempts.removeValue(forKey: number)?.attempt.cancel()
    case .won(let number):
      guard let (attempt, target) = attempts.removeValue(forKey: number),
        let transport = transports.removeValue(forKey: number)
      else { return }
      let host = targets[target].host
      current = (host, attempt.address)
      answer(
        .success(
          Found(transport: transport, host: host, address: attempt.address, isDirect: targets[target].isDirect)))
    case .lost:
      closeChannel()
      answer(.failure(failures.error(wanted.server ?? wanted.domain)))
    }
  }

  private func ended(_ number: Int, _ result: Result<Transport, TransportError>) {
    switch result {
    case .success(let transport):
      transports[number] = transport
      process(.connected(number))
    case .failure(let error):
      if let target = attempts.removeValue(forKey: number)?.target { failures.add(targets[target].host, error) }
      process(.failed(number))
    }
  }

  // MARK: Addresses

  private func lookUp(_ target: Int) async {
    let (host, port) = (targets[target].host, targets[target].port)
    if let address = targets[target].address { return known(target, [address]) }
    let local = await HostsFile.addresses(of: host, port: port)
    guard local.isEmpty else { return known(target, local) }
    guard HostName.isValid(host) else { return known(target, [], .noSuchName) }
    lookupsUnderWay.insert(host)
    for family in [ConnectionRace.Family.v6, .v4] {
      spawn {
        let answer = await self.withChannel { await $0.addresses(of: host, port: port, family: family) }
        self.lookedUp(target, family, answer)
      }
    }
  }

  /// All that there is to know about a host.
  private func known(_ target: Int, _ addresses: [SocketAddress], _ error: LookupError? = nil) {
    if let error { failures.add(targets[target].host, error) }
    let allowed = permitted(addresses)
    process(.found(target: target, .v6, allowed.filter(\.isIPv6)))
    process(.found(target: target, .v4, allowed.filter { !$0.isIPv6 }))
  }

  private func lookedUp(
    _ target: Int, _ family: ConnectionRace.Family, _ answer: Result<[SocketAddress], LookupError>
  ) {
    let host = targets[target].host
    var addresses: [SocketAddress] = []
    switch answer {
    case .success(let found): addresses = permitted(found)
    case .failure(let error):
      lookupErrors[target, default: []].append(error)
      // One family is enough. Of two failures the one that is not an answer tells more.
      if let errors = lookupErrors[target], errors.count == 2 {
        failures.add(host, errors.first { $0 != .noSuchName && $0 != .noRecords } ?? error)
      }
    }
    if race.isResolved(target, but: family) { lookupsUnderWay.remove(host) }
    process(.found(target: target, family, addresses))
  }

  /// Without TLS only this very machine is talked to, whatever its name says.
  private func permitted(_ addresses: [SocketAddress]) -> [SocketAddress] {
    guard wanted.protection == .none else { return addresses }
    let local = addresses.filter(\.isLoopback)
    if local.count < addresses.count { failures.skipped() }
    return local
  }
}

// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import TLS

/// Which address is tried when (RFC 8305), event by event, no I/O and no clock.
///
/// Hosts are tried in their order. The addresses of one alternate between IPv6 and IPv4, beginning with IPv6. An attempt
/// that has not succeeded after ``stagger`` gets company; one that has failed is followed at once. The first to succeed
/// wins and the others are called off; where the winner turns out to be of no use, the race goes on with the rest.
struct ConnectionRace {
  enum Family: Hashable, Sendable {
    case v6, v4
    var other: Family { self == .v6 ? .v4 : .v6 }
  }

  enum Event {
    case began
    /// The addresses of a host: none where it has none of the family, or where they cannot be found.
    case found(target: Int, Family, [SocketAddress])
    case connected(Int)
    case failed(Int)
    /// The winner is of no use.
    case rejected
    /// ``nextDeadline`` is now.
    case timePassed
  }

  enum Effect: Hashable {
    /// Report ``Event/found(target:_:_:)`` for both families.
    case lookUp(target: Int)
    /// Report ``Event/connected(_:)`` or ``Event/failed(_:)`` under this number.
    case connect(Int, SocketAddress, target: Int)
    case callOff(Int)
    case won(Int)
    /// Nothing is left to be tried.
    case lost
  }

  /// How long an attempt is alone (RFC 8305 §5, Connection Attempt Delay).
  static let stagger = Duration.milliseconds(250)
  /// How long IPv4 addresses wait for IPv6 addresses of the same host (RFC 8305 §3, Resolution Delay).
  static let resolutionDelay = Duration.milliseconds(50)
  /// How long later hosts wait for the addresses of an earlier one.
  static let patience = Duration.seconds(2)
  /// More addresses of one family and host are not tried.
  static let mostAddresses = 4

  private struct Host {
    var untried: [Family: [SocketAddress]] = [:]
    var answered: Set<Family> = []
    var firstAnswer: MonotonicTime?
    var last: Family?
    var hasHadAddresses = false

    var isResolved: Bool { answered.count == 2 }
    var hasUntried: Bool { untried.values.contains { !$0.isEmpty } }

    mutating func takeNext() -> SocketAddress? {
      let first = last?.other ?? .v6
      for family in [first, first.other] where untried[family]?.isEmpty == false {
        last = family
        return untried[family]?.removeFirst()
      }
      return nil
    }
  }

  private enum Choice {
    case address(SocketAddress, target: Int)
    case wait(until: MonotonicTime)
    case nothing
  }

  private var hosts: [Host]
  /// What is under way, by number.
  private var running: [Int: (address: SocketAddress, family: Family, target: Int)] = [:]
  private var attempts = 0
  private var beganAt = MonotonicTime(nanoseconds: 0)
  /// Until when the latest attempt is alone.
  private var aloneUntil: MonotonicTime?
  private var winner: Int?
  private var isLost = false

  /// When ``Event/timePassed`` is to be reported.
  private(set) var nextDeadline: MonotonicTime?

  init(targets: Int) { hosts = Array(repeating: Host(), count: targets) }

  /// Whether there is more than the winner.
  var hasOthers: Bool { hosts.contains { $0.hasUntried || !$0.isResolved } }

  /// Whether all is known about the addresses of a host but for those of one family.
  func isResolved(_ target: Int, but family: Family) -> Bool {
    hosts.indices.contains(target) && hosts[target].answered.contains(family.other)
  }

  mutating func received(_ event: Event, at now: MonotonicTime) -> [Effect] {
    switch event {
    case .began:
      beganAt = now
      return hosts.indices.map { .lookUp(target: $0) } + advance(now)
    case .found(let target, let family, let addresses):
      guard hosts.indices.contains(target), hosts[target].answered.insert(family).inserted else { return [] }
      hosts[target].untried[family] = Array(addresses.prefix(Self.mostAddresses))
      if !addresses.isEmpty {
        hosts[target].hasHadAddresses = true
        hosts[target].firstAnswer = hosts[target].firstAnswer ?? now
      }
      return advance(now)
    case .connected(let number):
      guard winner == nil, running.removeValue(forKey: number) != nil else { return [] }
      winner = number
      nextDeadline = nil
      return [.won(number)] + callOffOthers()
    case .failed(let number):
      guard running.removeValue(forKey: number) != nil else { return [] }
      aloneUntil = nil
      return advance(now)
    case .rejected:
      guard winner != nil else { return [] }
      winner = nil
      aloneUntil = nil
      return advance(now)
    case .timePassed: return advance(now)
    }
  }

  /// They have not failed: where the winner is of no use, they are tried again.
  private mutating func callOffOthers() -> [Effect] {
    let others = running.sorted { $0.key < $1.key }
    running = [:]
    for (_, attempt) in others.reversed() {
      hosts[attempt.target].untried[attempt.family, default: []].insert(attempt.address, at: 0)
    }
    return others.map { .callOff($0.key) }
  }

  private mutating func advance(_ now: MonotonicTime) -> [Effect] {
    nextDeadline = nil
    guard winner == nil, !isLost else { return [] }
    if let aloneUntil, now < aloneUntil, !running.isEmpty {
      nextDeadline = hasOthers ? aloneUntil : nil
      return []
    }
    switch choice(now) {
    case .address(let address, let target):
      attempts += 1
      running[attempts] = (address, hosts[target].last ?? .v6, target)
      aloneUntil = now + Self.stagger
      nextDeadline = hasOthers ? aloneUntil : nil
      return [.connect(attempts, address, target: target)]
    case .wait(let until):
      nextDeadline = until
      return []
    case .nothing:
      guard running.isEmpty, hosts.allSatisfy(\.isResolved) else { return [] }
      isLost = true
      return [.lost]
    }
  }

  /// The first address that has not been tried, unless it is worth while to wait for a better one.
  private mutating func choice(_ now: MonotonicTime) -> Choice {
    for target in hosts.indices {
      let host = hosts[target]
      if host.hasUntried {
        let isOnlyV4 = !host.answered.contains(.v6)
        if isOnlyV4, let first = host.firstAnswer, now < first + Self.resolutionDelay {
          return .wait(until: first + Self.resolutionDelay)
        }
        if let address = hosts[target].takeNext() { return .address(address, target: target) }
      } else if !host.isResolved, !host.hasHadAddresses, now < beganAt + Self.patience {
        return .wait(until: beganAt + Self.patience)
      }
    }
    return .nothing
  }
}

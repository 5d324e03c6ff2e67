// SPDX-License-Identifier: Apache-2.0

/// Who was sent our presence again lately. All wait equally long for the next time, so the first to be noted is the
/// first to be forgotten, and nothing is searched through.
struct ResentTimes: Sendable {
  private var times: [BareAddress: [Address: Instant]] = [:]
  private var order = RecencyList<Address>()

  /// How many there are.
  var count: Int { order.count }
  /// Whether there are none.
  var isEmpty: Bool { times.isEmpty }

  /// Whether it is too early for the next time.
  func contains(_ address: Address, now: Instant) -> Bool {
    times[address.account]?[address].map { $0.later(bySeconds: Limits.resendInterval) > now } ?? false
  }

  mutating func insert(_ address: Address, now: Instant) {
    times[address.account, default: [:]][address] = now
    order.touch(address)
  }

  /// Forgets those whose next time has come.
  mutating func timePassed(_ now: Instant) {
    while let address = order.oldest, !contains(address, now: now) { remove(address) }
  }

  /// Forgets one.
  mutating func remove(_ address: Address) {
    times[address.account]?[address] = nil
    if times[address.account]?.isEmpty == true { times[address.account] = nil }
    order.remove(address)
  }

  /// Those of one account.
  func addresses(of account: BareAddress) -> [Address] { times[account].map { Array($0.keys) } ?? [] }

  /// Forgets all.
  mutating func removeAll() { self = ResentTimes() }
}
